"""The output folder: one JSON file for each stage, and nothing that is half-written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from mlci.core.errors import MlciError
from mlci.core.files import write_atomic
from mlci.core.results import SCHEMA_VERSION, Report, StageResult

OUT_FOLDER = "mlci-out"
STATE_FOLDER = ".mlci"


def read_results(out: Path, stages: Iterable[str]) -> dict[str, StageResult]:
    """Return the results of those stages that have a readable one; a damaged file counts as none."""
    found: dict[str, StageResult] = {}
    for stage in stages:
        path = out / f"{stage}.json"
        try:
            found[stage] = StageResult.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
    return found


def write_result(out: Path, result: StageResult) -> Path:
    """Write a stage's result."""
    path = out / f"{result.stage}.json"
    write_atomic(path, result.model_dump_json(indent=2) + "\n")
    return path


def forget_result(out: Path, stage: str) -> None:
    """Remove a stage's result, so that an old verdict never stands while a new one is made."""
    (out / f"{stage}.json").unlink(missing_ok=True)


def write_report(out: Path, report: Report) -> Path:
    """Write the report of a run."""
    path = out / "report.json"
    write_atomic(path, report.model_dump_json(indent=2) + "\n")
    return path


def read_report(path: Path) -> Report:
    """Return the report in a JSON file; raises MlciError `report.unreadable`."""
    try:
        text = path.read_bytes()
        version = str(json.loads(text).get("schema_version", "none"))
        if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
            raise MlciError(
                "report.unreadable",
                f"'{path.name}' has schema version {version}, this mlci reads {SCHEMA_VERSION}",
            )
        return Report.model_validate_json(text)
    except FileNotFoundError as error:
        raise MlciError(
            "report.unreadable", f"there is no '{path.name}' in '{path.parent.name}'", "run `mlci run` first"
        ) from error
    except (OSError, ValueError, AttributeError) as error:
        raise MlciError(
            "report.unreadable", f"'{path.name}' is damaged: {type(error).__name__}", "run `mlci run` again"
        ) from error


def prepare_folder(folder: Path) -> None:
    """Make a folder of mlci's own; git ignores what is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_atomic(ignore, "# Made by mlci; never part of a commit.\n*\n")
