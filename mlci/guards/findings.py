"""Looks for leaks between the training and the evaluation file, once for each pair of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.files import Digests, sha256_text, write_atomic
from mlci.core.inputs import DataInputs
from mlci.guards.shared_rows import SharedRows, shared_rows
from mlci.guards.shared_values import SharedValues, shared_values
from mlci.guards.time_order import TimeOrder, time_order
from mlci.readers import read_columns

_VERSION = 2
"""Part of the name under which findings are kept: another number, and all is looked at again."""


class Findings:
    """What was found; None for what could not be looked at. `skipped` says why nothing could."""

    def __init__(self, **found: Any) -> None:
        self.rows = SharedRows(*found["rows"]) if found.get("rows") else None
        self.features: int = found.get("features", 0)
        self.keys = SharedValues(*found["keys"]) if found.get("keys") else None
        self.groups = SharedValues(*found["groups"]) if found.get("groups") else None
        self.time = TimeOrder(*found["time"]) if found.get("time") else None
        self.skipped: str | None = found.get("skipped")


def look_for_leaks(data: DataInputs, root: Path, digests: Digests, cache: Path) -> Findings:
    """Return what training and evaluation file share.

    The findings are kept under `cache` by the digests of both files and the columns that were compared.
    Raises MlciError `data.missing-column` or `data.bad-time` where data.time cannot be used; a training file
    that is absent or no table is no error but `skipped`.
    """
    evaluate = root / str(data.evaluate)
    train = root / data.train if data.train else None
    if train is None or not train.exists():
        return Findings(skipped="data.train is not set" if train is None else f"'{data.train}' is not here")
    try:
        columns = read_columns(train)
    except MlciError as error:
        return Findings(skipped=f"'{data.train}' is not a table that can be read: {error.message}")
    features = _features(data, columns, read_columns(evaluate))
    question = [
        _VERSION,
        digests.of(train),
        digests.of(evaluate),
        features,
        data.label_columns,
        data.key,
        data.group,
        data.time,
    ]
    kept = cache / "leakage" / f"{sha256_text(json.dumps(question))[:32]}.json"
    try:
        return Findings(**json.loads(kept.read_text("utf-8")))
    except (OSError, ValueError, TypeError):  # never looked at, or a damaged file
        pass
    found = _look(data, train, evaluate, features, columns)
    write_atomic(kept, json.dumps(found))
    return Findings(**found)


def _look(
    data: DataInputs, train: Path, evaluate: Path, features: list[str], columns: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {"features": len(features)}
    if data.time:
        for path in (train, evaluate):
            if data.time not in read_columns(path):
                raise MlciError(
                    "data.missing-column",
                    f"'{path.name}' has no column '{data.time}' (data.time)",
                    "write it there, or leave data.time out",
                )
        found["time"] = time_order(train, evaluate, data.time)
    for name, column in {"keys": data.key, "groups": data.group}.items():
        if column and column in columns:
            found[name] = shared_values(train, evaluate, column)
    labels = data.label_columns
    if features and labels and all(name in columns for name in labels):
        try:
            found["rows"] = shared_rows(train, evaluate, features, labels)
        except TypeError:  # lists in a column: no row can be compared with another
            found["rows"] = None
    return found


def _features(data: DataInputs, train: list[str], evaluate: list[str]) -> list[str]:
    """Return the columns that a model may use and that both files have."""
    never = {*data.label_columns, data.key, data.query, data.weight, data.group, *data.ignore}
    wanted = data.features or [name for name in evaluate if name not in never]
    return [name for name in wanted if name in train and name in evaluate and name not in data.label_columns]
