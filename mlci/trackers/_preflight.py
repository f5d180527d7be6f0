"""Whether a store can be used at all, found out in seconds and without importing MLflow."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from mlci.core.errors import MlciError, first_line
from mlci.trackers._http import Answer, authorization, get
from mlci.trackers._place import Place

TIMEOUT = 5.0
"""Seconds that a server has for its first answer."""

_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mssql": 1433}
_SQLITE_HEADER = b"SQLite format 3\x00"


def unreachable(place: Place, why: str) -> MlciError:
    """Return the error for a store that does not answer, or answers with an error of its own."""
    return MlciError(
        "tracker.unreachable",
        f"the tracking store {place.shown} cannot be used: {why}",
        "check that it runs and that tracking.uri (or MLFLOW_TRACKING_URI) is its address; then try again",
    )


def refused(place: Place, why: str, status: int = 0) -> MlciError:
    """Return the error for a store that understood the request and said no."""
    hint = "check tracking.uri (or MLFLOW_TRACKING_URI)"
    if status in (401, 403):
        hint = (
            "give this job MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, of an account that may write"
        )
    return MlciError("tracker.refused", f"the tracking store {place.shown} refused: {why}", hint)


def check_http(place: Place, variables: Mapping[str, str], ask: Callable[[], None]) -> None:
    """Ask a server for one experiment; raises MlciError `tracker.unreachable` or `tracker.refused`.

    `ask` does the same through MLflow: it has the last word where the server wants credentials
    that are not in `variables` (a credentials file, a plug-in) or sends the client elsewhere.
    """
    path = "/api/2.0/mlflow/experiments/search"
    try:
        answer = get(place.uri, path, {"max_results": "1"}, variables, TIMEOUT)
    except OSError as error:
        raise unreachable(place, reason(error)) from error
    denied = answer.status in (401, 403)
    if (denied and authorization(place.uri, variables) is None) or 300 <= answer.status < 400:
        ask()
    elif denied:
        raise refused(place, f"it does not accept the credentials (status {answer.status})", answer.status)
    elif answer.status >= 500 or answer.status == 429:
        raise unreachable(place, f"it answers with status {answer.status}")
    elif not _is_mlflow(answer):
        raise refused(place, f"it answers, but not as an MLflow server does (status {answer.status})")


def check_sqlite(place: Place, database: Path) -> None:
    """Raise MlciError `tracker.unreachable` unless the database can be written or made."""
    if database.is_dir():
        raise unreachable(place, "it is a folder, not a file")
    if database.exists():
        with database.open("rb") as stream:
            header = stream.read(len(_SQLITE_HEADER))
        if header not in (b"", _SQLITE_HEADER):
            raise unreachable(place, "the file is not a SQLite database")
    folder = next(path for path in database.parents if path.exists())
    if not folder.is_dir():
        raise unreachable(place, f"{folder} is not a folder")
    for path in (folder, database):
        if path.exists() and not os.access(path, os.W_OK):
            raise unreachable(place, f"{path} may not be written")


def check_socket(place: Place) -> None:
    """Raise MlciError `tracker.unreachable` when a database server does not accept connections.

    MLflow itself would try for minutes.
    """
    parts = urlsplit(place.uri)
    port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    if parts.hostname is None or port is None:
        return
    try:
        socket.create_connection((parts.hostname, port), TIMEOUT).close()
    except OSError as error:
        raise unreachable(place, reason(error)) from error


def _is_mlflow(answer: Answer) -> bool:
    # An MLflow server without any experiment answers with an empty object.
    return (
        answer.status == 200 and answer.body is not None and (not answer.body or "experiments" in answer.body)
    )


def reason(error: OSError) -> str:
    """Return in words why there was no answer."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no answer within {TIMEOUT:.0f} s"
    if isinstance(cause, ConnectionRefusedError):
        return "the connection was refused"
    return first_line(cause) if isinstance(cause, BaseException) else str(cause)
