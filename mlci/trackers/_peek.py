"""Fast look-ups in a model registry without importing MLflow, for deciding whether work is needed at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mlci.trackers._http import Answer, get
from mlci.trackers._model_uri import ModelUri
from mlci.trackers._place import Place

_REGISTRY = "/api/2.0/mlflow"
_DELETED = "Deleted_Internal"


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""The registry gave no answer that is understood: import MLflow and ask again."""


def peek_alias(
    place: Place, name: str, alias: str, variables: Mapping[str, str], *, timeout: float = 2.0
) -> str | Unknown | None:
    """Return the version that an alias names; None when there is no such model or alias.

    `timeout` is in seconds.
    """
    if place.database is not None:
        return _select(
            place.database,
            "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?",
            (name, alias),
        )
    answer = _ask(place, "registered-models/alias", {"name": name, "alias": alias}, variables, timeout)
    if answer is None:
        return UNKNOWN
    if _missing(answer) or _no_such_alias(answer):
        return None
    return _text(answer, "model_version", "version")


def peek_version(
    place: Place, name: str, version: str, variables: Mapping[str, str], *, timeout: float = 2.0
) -> str | Unknown | None:
    """Return `version` when this model has it; None when not. `timeout` is in seconds."""
    if place.database is not None:
        return _select(
            place.database,
            "SELECT version FROM model_versions WHERE name = ? AND version = ? AND current_stage != ?",
            (name, version, _DELETED),
        )
    answer = _ask(place, "model-versions/get", {"name": name, "version": version}, variables, timeout)
    if answer is None:
        return UNKNOWN
    return None if _missing(answer) else _text(answer, "model_version", "version")


def peek_version_tag(
    place: Place, name: str, version: str, tag: str, variables: Mapping[str, str], *, timeout: float = 2.0
) -> str | Unknown | None:
    """Return the value of a version's tag; None without this version or tag. `timeout` is in seconds."""
    if place.database is not None:
        return _select(
            place.database,
            "SELECT t.value FROM model_version_tags t JOIN model_versions v"
            " ON v.name = t.name AND v.version = t.version"
            " WHERE t.name = ? AND t.version = ? AND t.key = ? AND v.current_stage != ?",
            (name, version, tag, _DELETED),
        )
    answer = _ask(place, "model-versions/get", {"name": name, "version": version}, variables, timeout)
    if answer is None:
        return UNKNOWN
    if _missing(answer):
        return None
    return _tag(answer, tag)


def peek_uri(
    place: Place, wanted: ModelUri, variables: Mapping[str, str], *, timeout: float = 2.0
) -> str | Unknown | None:
    """Return the version that a `models:/` URI names now; None without one. `timeout` is in seconds."""
    if wanted.kind == "alias":
        return peek_alias(place, wanted.name, wanted.value, variables, timeout=timeout)
    if wanted.kind == "version":
        return peek_version(place, wanted.name, wanted.value, variables, timeout=timeout)
    if place.database is not None:
        return _select(
            place.database,
            "SELECT max(version) FROM model_versions WHERE name = ? AND current_stage != ?",
            (wanted.name, _DELETED),
        )
    return UNKNOWN


def _select(database: Path, statement: str, values: tuple[str, ...]) -> str | Unknown | None:
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=1.0)) as link:
            rows = {row[0] for row in link.execute(statement, values).fetchmany(2)}
    except sqlite3.Error:
        return UNKNOWN
    if len(rows) > 1:  # the same name in two workspaces
        return UNKNOWN
    value = next(iter(rows), None)
    return None if value is None else str(value)


def _ask(
    place: Place, path: str, query: Mapping[str, str], variables: Mapping[str, str], timeout: float
) -> Answer | None:
    if place.kind != "http":
        return None
    try:
        return get(place.uri, f"{_REGISTRY}/{path}", query, variables, timeout)
    except OSError:
        return None


def _missing(answer: Answer) -> bool:
    body = answer.body or {}
    return answer.status == 404 and body.get("error_code") == "RESOURCE_DOES_NOT_EXIST"


def _no_such_alias(answer: Answer) -> bool:
    # MLflow calls an alias that does not exist an invalid value; only its text tells them apart.
    body = answer.body or {}
    message = str(body.get("message", ""))
    return body.get("error_code") == "INVALID_PARAMETER_VALUE" and message.endswith(" not found.")


def _text(answer: Answer, *path: str) -> str | Unknown:
    value: object = answer.body
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value) if answer.status == 200 and isinstance(value, str | int) else UNKNOWN


def _tag(answer: Answer, tag: str) -> str | Unknown | None:
    version = (answer.body or {}).get("model_version")
    if answer.status != 200 or not isinstance(version, Mapping):
        return UNKNOWN
    tags = version.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(item, Mapping) for item in tags):
        return UNKNOWN
    return next((str(item.get("value", "")) for item in tags if item.get("key") == tag), None)
