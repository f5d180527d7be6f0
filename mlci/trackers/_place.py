"""Where an MLflow store is: one address from the configuration, the variables or the embedded default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from mlci.core.errors import MlciError

EMBEDDED = Path(".mlci", "mlflow")
"""Folder below the project's root that holds the default database and its artifacts."""

_SQLITE = re.compile(r"sqlite(?:\+\w+)?://(?P<path>[^?]*)(?P<query>\?.*)?", re.DOTALL)
_WAY_OUT = "write sqlite:///mlflow.db (relative to the project) or the URL of a server, or leave it out"


@dataclass(frozen=True)
class Place:
    """The address of an MLflow store.

    `uri` is what MLflow is given; `shown` is the same without credentials, for messages;
    `database` is the file of a SQLite store; `artifacts` is the folder for new experiments'
    artifacts (a `file:` URI), None where the server decides.
    """

    uri: str
    shown: str
    kind: Literal["http", "sqlite", "other"]
    database: Path | None = None
    artifacts: str | None = None


def place_of(uri: str | None, root: Path, variables: Mapping[str, str]) -> Place:
    """Return the store that `uri`, else MLFLOW_TRACKING_URI, else the embedded default names.

    Relative database paths are relative to `root`, never to the current folder.
    Raises MlciError `config.invalid` for a plain folder and for a database in memory.
    """
    chosen = uri or variables.get("MLFLOW_TRACKING_URI") or None
    embedded = root.absolute() / EMBEDDED
    if chosen is None:
        return _sqlite(embedded / "mlflow.db", "", embedded / "artifacts")
    if re.match(r"https?://", chosen):
        address = chosen.rstrip("/")
        return Place(address, without_credentials(address), "http")
    if match := _SQLITE.fullmatch(chosen):
        return _sqlite_of(chosen, match, root.absolute())
    if ("://" not in chosen and not chosen.startswith("databricks")) or chosen.startswith("file:"):
        raise MlciError(
            "config.invalid",
            f"tracking.uri '{chosen}' is a folder, and MLflow no longer maintains folders as a store",
            f"{_WAY_OUT}; `mlflow migrate-filestore` carries old runs over",
        )
    return Place(chosen, without_credentials(chosen), "other", None, (embedded / "artifacts").as_uri())


def without_credentials(uri: str) -> str:
    """Return a URI without the user and password that may stand before its host."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _sqlite_of(uri: str, match: re.Match[str], root: Path) -> Place:
    name = unquote(match["path"].removeprefix("/"))
    if not name or name == ":memory:":
        raise MlciError("config.invalid", f"tracking.uri '{uri}' keeps nothing when the run ends", _WAY_OUT)
    database = root / name
    return _sqlite(database, match["query"] or "", database.parent / "mlruns")


def sqlite_place(database: Path, artifacts: str | None) -> Place:
    """Return the store in a database file; `artifacts` is a `file:` URI."""
    return replace(_sqlite(database, "", database.parent), artifacts=artifacts)


def _sqlite(database: Path, query: str, artifacts: Path) -> Place:
    path = str(database).replace("%", "%25").replace("?", "%3F")
    # SQLAlchemy decodes what is quoted, but MLflow makes the folder of the undecoded name as well,
    # except where the driver is named.
    driver = "" if path == str(database) else "+pysqlite"
    uri = f"sqlite{driver}:///{path}{query}"
    return Place(uri, uri, "sqlite", database, artifacts.as_uri())
