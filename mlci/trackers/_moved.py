"""Lets the embedded store follow its folder: MLflow writes absolute paths into its database."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

TAIL = "/.mlci/mlflow/artifacts"
"""How the artifact folder of an embedded store ends, wherever the project is."""

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def follow_move(database: Path, artifacts: str | None) -> None:
    """Rewrite the artifact addresses of an embedded store that was copied or moved with its project.

    A checkout that is moved, or a cache that a CI system restores elsewhere, would otherwise read and
    write at the old place. `artifacts` is the address (`file:` URI) of the folder as it is now; any
    other store is left alone. Nothing is done where the address is the same.
    """
    if artifacts is None or not artifacts.endswith(TAIL) or not database.is_file():
        return
    # What is no MLflow database yet, or is locked for too long, is for MLflow itself to tell.
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        for old in _other_places(connection, artifacts):
            for table, column in _COLUMNS:
                with suppress(sqlite3.OperationalError):  # an older MLflow has fewer of them
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?)"  # noqa: S608 - our own names
                        f" WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (artifacts, len(old) + 1, old, len(old) + 1, f"{old}/"),
                    )


def _other_places(connection: sqlite3.Connection, artifacts: str) -> set[str]:
    """Return the artifact folders that experiments name, other than the present one."""
    found = connection.execute(
        "SELECT DISTINCT artifact_location FROM experiments WHERE artifact_location LIKE ?",
        (f"file:%{TAIL}%",),
    )
    places = {str(location)[: str(location).rindex(TAIL) + len(TAIL)] for (location,) in found}
    return places - {artifacts}
