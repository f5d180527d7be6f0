"""Looks at a repository: its pipeline, its training script, its data, its label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mlci.readers import read_columns

_DATA = (".parquet", ".pq", ".csv", ".tsv")
_SKIPPED = {"venv", "node_modules", "mlci-out", "mlruns", "site-packages"}
_SCRIPTS = ("train.py", "src/train.py", "scripts/train.py", "training/train.py", "train.sh", "main.py")
_LABELS = ("label", "target", "y", "class", "outcome", "churned", "churn")
_KEYS = ("id", "key", "uuid", "row_id", "customer_id", "user_id")
_EVALUATE = ("evaluate", "eval", "test", "valid", "validation", "holdout")
_MODELS = (".skops", ".joblib", ".pkl", ".pickle", ".onnx")
_DEEPEST = 4
_MOST_FILES = 2000


@dataclass
class Seen:
    """What was found; None where there is nothing of the kind. Paths are relative and in POSIX form."""

    project: str
    train: str | None = None
    evaluate: str | None = None
    label: str | None = None
    key: str | None = None
    way: tuple[str, str] | None = None
    model: str | None = None
    metrics: str | None = None
    suite: str | None = None
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def look_around(root: Path, label: str | None) -> Seen:
    """Return what a folder holds. Nothing is changed and no data row is read."""
    seen = Seen(project=root.name)
    files = sorted(_files(root), key=lambda path: (len(path.parts), path.as_posix()))
    _data(root, files, seen)
    _columns(root, seen, label)
    _way(root, files, seen)
    _suite(root, files, seen)
    return seen


def _files(root: Path, depth: int = 0) -> Iterator[Path]:
    """Yield paths relative to `root`, not below hidden folders, environments and outputs."""
    count = 0
    stack = [(root, 0)]
    while stack and count < _MOST_FILES:
        folder, depth = stack.pop()
        for item in sorted(folder.iterdir()):
            if item.name.startswith(".") or item.name in _SKIPPED:
                continue
            if item.is_dir() and depth < _DEEPEST:
                stack.append((item, depth + 1))
            elif item.is_file():
                count += 1
                yield item.relative_to(root)


def _data(root: Path, files: list[Path], seen: Seen) -> None:
    tables = [path for path in files if path.name.lower().endswith(_DATA)]
    evaluate = [path for path in tables if any(word in path.stem.lower() for word in _EVALUATE)]
    train = [path for path in tables if path not in evaluate]
    train.sort(key=lambda path: ("train" not in path.stem.lower(), -(root / path).stat().st_size))
    if train:
        seen.train = train[0].as_posix()
        seen.notes.append(f"training data: {seen.train}")
    if evaluate:
        seen.evaluate = evaluate[0].as_posix()
        seen.notes.append(f"evaluation data: {seen.evaluate}")
    elif seen.train:
        seen.notes.append(
            "no evaluation data was found: put aside rows that training never sees, as data.evaluate"
        )
    if not tables:
        seen.notes.append("no CSV or Parquet file was found: fill in data.train and data.evaluate")


def _columns(root: Path, seen: Seen, label: str | None) -> None:
    columns = read_columns(root / seen.train) if seen.train else []
    lower = {column.lower(): column for column in columns}
    seen.label = label or next((lower[name] for name in _LABELS if name in lower), None)
    seen.key = next((lower[name] for name in _KEYS if name in lower), None)
    if seen.label is None and columns:
        seen.label = columns[-1]
        seen.notes.append(f"label: '{seen.label}' is a guess (the last column); use --label to name it")
    elif seen.label:
        seen.notes.append(f"label: {seen.label}")


def _way(root: Path, files: list[Path], seen: Seen) -> None:
    """Choose the way to train: a DVC pipeline before an MLproject before a script before no code."""
    names = {path.as_posix() for path in files}
    script = next((name for name in _SCRIPTS if name in names), None)
    if "dvc.yaml" in names:
        seen.way = ("pipeline", "dvc.yaml")
        _outputs(_load(root / "dvc.yaml"), seen)
    elif "MLproject" in names and (command := _entry_point(_load(root / "MLproject"))):
        seen.way = ("command", command)
    elif script is not None:
        seen.way = ("command", f"{'sh' if script.endswith('.sh') else 'python'} {script}")
    else:
        seen.way = ("estimator", "sklearn.ensemble.HistGradientBoostingClassifier")
        seen.notes.append("no pipeline or training script was found: an estimator is trained without code")
        return
    seen.notes.append(f"training: {seen.way[1]}")


def _outputs(pipeline: Any, seen: Seen) -> None:
    """Find the model, the metrics and the first inputs of a DVC pipeline."""
    stages = pipeline.get("stages") if isinstance(pipeline, dict) else None
    stages = [stage for stage in (stages or {}).values() if isinstance(stage, dict)]
    outs = [name for stage in stages for name in _names(stage.get("outs"))]
    metrics = [name for stage in stages for name in _names(stage.get("metrics"))]
    deps = [name for stage in stages for name in _names(stage.get("deps"))]
    seen.model = next((name for name in outs if name.endswith(_MODELS) or "model" in name), None)
    seen.metrics = next((name for name in metrics if name.endswith(".json")), None)
    seen.files = [name for name in deps if name.endswith(_DATA) and name not in outs]


def _names(items: Any) -> list[str]:
    return [next(iter(item)) if isinstance(item, dict) else str(item) for item in items or []]


def _entry_point(project: Any) -> str | None:
    """Return the command of an MLproject's main entry point when it needs no parameters filled in."""
    points = project.get("entry_points") if isinstance(project, dict) else None
    command = ((points or {}).get("main") or {}).get("command")
    return (
        str(command)
        if command and "{" not in str(command)
        else ("mlflow run . --env-manager local" if command else None)
    )


def _suite(root: Path, files: list[Path], seen: Seen) -> None:
    for path in files:
        if path.suffix == ".json" and (root / path).stat().st_size < 1 << 20:
            try:
                content = json.loads((root / path).read_text("utf-8"))
            except ValueError:
                continue
            items = content.get("expectations") if isinstance(content, dict) else None
            if isinstance(items, list) and items and isinstance(items[0], dict) and "kwargs" in items[0]:
                seen.suite = path.as_posix()
                seen.notes.append(f"expectations: {seen.suite}")
                return


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError):
        return None
