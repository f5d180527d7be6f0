"""A quiet, bounded use of MLflow: its environment, its noise, its exceptions."""

from __future__ import annotations

import errno
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlci.core.errors import MlciError, first_line
from mlci.trackers._place import Place
from mlci.trackers._preflight import refused, unreachable

_LOGGERS = ("mlflow", "alembic", "sqlalchemy", "urllib3.connectionpool")

# A server that hangs is reported after (retries + 1) x timeout + 2 s = 32 s; a dead one after 2 s.
_BOUNDS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    # A server may ask to be left alone for an hour; the CI system is better at waiting.
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
}
# What stands in the texts of the HTTP library, and what it means; the texts themselves fill a screen.
_CAUSES = {
    "Connection refused": "the connection was refused",
    "timed out": "it did not answer in time",
    "Failed to resolve": "its host name is not known",
    "too many 500 error responses": "it answers with status 500",
    "too many 502 error responses": "it answers with status 502",
    "too many 503 error responses": "it answers with status 503",
    "too many 504 error responses": "it answers with status 504",
    "too many 429 error responses": "it answers that there are too many requests (status 429)",
}
_QUIET = {
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}

TRANSFER = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "120"}
"""Bounds for moving files: the server answers only when it has stored the whole file."""

ONCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "30", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
"""Bounds for a request that must not be made twice."""

FAREWELL = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "3", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
"""Bounds for tidying up after an error, when the store may be gone."""


@contextmanager
def session(place: Place, variables: Mapping[str, str]) -> Iterator[None]:
    """Make MLflow usable inside the block: bounded in time, silent, with errors as MlciError.

    The environment is put back as it was, so that nothing of this store stays in the process.
    """
    settings = (
        _BOUNDS | {key: value for key, value in variables.items() if key.startswith("MLFLOW_")} | _QUIET
    )
    settings |= {"MLFLOW_TRACKING_URI": place.uri, "MLFLOW_REGISTRY_URI": place.uri}
    with bounds(settings), warnings.catch_warnings():
        # What MLflow and its database layer do in deprecated ways is not the user's to mend.
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=category, module=r"(mlflow|alembic|sqlalchemy)\b")
        try:
            import mlflow  # noqa: F401 - its import sets up the loggers that are silenced next
        except ImportError as error:
            raise MlciError(
                "package.missing",
                f"mlflow cannot be imported: {first_line(error)}",
                "install mlflow in the environment that mlci runs in",
            ) from error
        try:
            with _silent():
                yield
        except Exception as error:
            raise translated(error, place, variables) from error


@contextmanager
def bounds(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables inside the block; MLflow reads its bounds anew for each request."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _silent() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def translated(error: Exception, place: Place, variables: Mapping[str, str]) -> Exception:
    """Return the MlciError that an exception from MLflow, HTTP or the database stands for.

    Any other exception comes back as it is: it is a mistake in mlci.
    """
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, MlciError):
        return error
    why = _without_secrets(_cause(error), place, variables)
    if isinstance(error, MlflowException):
        return _of_status(place, why, error.get_http_status_code())
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _of_status(place, why, error.response.status_code)
    if isinstance(error, requests.RequestException | SQLAlchemyError):
        return unreachable(place, why)
    if isinstance(error, OSError):
        return _of_system(error)
    return error


def _of_status(place: Place, why: str, status: int) -> MlciError:
    if "out-of-date database schema" in why:
        error = refused(place, why)
        error.hint = "back the database up and run `mlflow db upgrade` on it, or use the MLflow that made it"
        return error
    if status >= 500 or status in (408, 429):
        return unreachable(place, why)
    return refused(place, why, status)


def _of_system(error: OSError) -> Exception:
    name = error.filename or "a file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MlciError("disk.full", f"no room to write {name}", "free some space and try again")
    if isinstance(error, PermissionError):
        return MlciError("files.denied", f"{name} may not be read or written", "check its owner and mode")
    return error


def _cause(error: Exception) -> str:
    text = str(error)
    if "#####\n" in text:  # a list of files that could not be copied, under a heading that names none
        error = Exception(text.partition("#####\n")[2])
    return next((cause for mark, cause in _CAUSES.items() if mark in text), first_line(error))


def _without_secrets(text: str, place: Place, variables: Mapping[str, str]) -> str:
    text = text.replace(place.uri, place.shown)
    for name in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD"):
        if secret := variables.get(name):
            text = text.replace(secret, "***")
    return text
