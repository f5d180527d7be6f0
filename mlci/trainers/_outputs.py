"""Collects what a user's program wrote: a model, predictions, metrics."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError


def keep_model(source: Path, work: Path) -> Path:
    """Copy a model file or folder to `work/model` and return the copy.

    A file is put into the folder under its own name, since the ending tells its format.
    """
    folder = work / "model"
    if source.is_dir():
        shutil.copytree(source, folder, dirs_exist_ok=True)
    else:
        folder.mkdir(exist_ok=True)
        shutil.copy2(source, folder / source.name)
    return folder


def read_metrics(path: Path) -> dict[str, float]:
    """Return the numbers in a JSON file, nested keys joined by dots; other values are left out.

    Raises MlciError `train.command-failed` when the file is not JSON.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        raise MlciError(
            "train.command-failed",
            f"metrics file '{path.name}' is not JSON: {error}",
            "write one JSON object of numbers",
        ) from error
    return dict(_numbers(found, ""))


def _numbers(value: Any, prefix: str) -> list[tuple[str, float]]:
    if isinstance(value, Mapping):
        return [
            item
            for key, inner in value.items()
            for item in _numbers(inner, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return []
    return [(prefix or "value", float(value))]
