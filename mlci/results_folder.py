"""The output folder: one JSON file for each stage, and nothing that is half-written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from mlci.core.errors import MlciError
from mlci.core.files import remove_leftovers, write_atomic
from mlci.core.results import SCHEMA_VERSION, Report, StageResult

OUT_FOLDER = "mlci-out"
STATE_FOLDER = ".mlci"
REPORT_FILE = "report.json"


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


def forget_result(out: Path, stage: str, report_files: Iterable[str]) -> None:
    """Remove a stage's result and the report, so that no old verdict stands while a new one is made."""
    for name in (f"{stage}.json", f"{stage}.log", *report_files):
        (out / name).unlink(missing_ok=True)


def clear_leftovers(folder: Path, stages: Iterable[str], report_files: Iterable[str]) -> None:
    """Remove what a run that was killed left half-written in a folder of mlci's own."""
    names = [name for stage in stages for name in (stage, f"{stage}.json")]
    remove_leftovers(folder, [*names, *report_files, ".gitignore"])


def write_report(out: Path, report: Report) -> Path:
    """Write the report of a run."""
    path = out / REPORT_FILE
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
