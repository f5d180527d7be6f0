"""Reads what another run left behind as data: nothing is followed, everything has a limit, verdicts are made anew."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from mlci.assemble import headline
from mlci.comments.gather import Found, parse_plan
from mlci.comments.rules import Judged
from mlci.core.errors import MlciError
from mlci.core.plan import Plan
from mlci.core.results import SCHEMA_VERSION, Report, StageResult
from mlci.core.status import Status, worst
from mlci.forges._workflow_run import Reviewed
from mlci.results_folder import REPORT_FILE

MOST_BYTES = 4 << 20
"""Size of one file."""
MOST_TOTAL_BYTES = 32 << 20
MOST_REPORTS = 256
"""A matrix has no more jobs than this."""
MOST_CHECKS = 50_000
"""In all reports together: what is rendered several times must not take minutes."""
MOST_STAGES = 50
MOST_ENTRIES = 20_000
DEEPEST_FOLDER = 8
DEEPEST_JSON = 40


def read_untrusted(places: Iterable[Path]) -> Found:
    """Read reports of a run that is not trusted.

    Raises MlciError `report.unreadable` when there are more than anybody needs; a single file that
    cannot be read is a problem of its model.
    """
    reports: list[Report] = []
    problems: list[tuple[str, MlciError]] = []
    read = checks = 0
    for number, file in enumerate(_files(places)):
        if number >= MOST_REPORTS:
            raise _refused(f"there are more than {MOST_REPORTS} reports")
        try:
            text = _text(file)
            read += len(text)
            report = _report(text, file.name)
        except MlciError as error:
            problems.append((file.parent.name, error))
            continue
        checks += sum(len(stage.checks) for stage in report.stages)
        if read > MOST_TOTAL_BYTES or checks > MOST_CHECKS:
            raise _refused(f"the reports are too large together (at most {MOST_CHECKS:,} checks)")
        reports.append(report)
    return Found(reports, problems)


def read_untrusted_plan(file: Path) -> Plan:
    """Return the plan of a run that is not trusted; raises MlciError `report.unreadable`."""
    text = _text(file)
    _json(text, file.name)
    plan = parse_plan(text, file.name)
    if len(plan.projects) > MOST_REPORTS:
        raise _refused(f"'{file.name}' plans more than {MOST_REPORTS} projects")
    return plan


def judged_anew(report: Report, judged: Judged | None = None, run: Reviewed | None = None) -> Report:
    """Return a report whose verdict follows from its checks, and whose origin is what the event says.

    `judged` is what the forge says of its rules, and `run` of where it is from; without them nothing is said.
    """
    stages = [_stage_anew(stage) for stage in report.stages]
    policy = judged.policy if judged else None
    first = f"{judged.warning[0].upper()}{judged.warning[1:]}. " if judged and judged.warning else ""
    provenance = report.provenance.model_copy(
        update={
            "commit": run.head if run else None,
            "dirty": None,
            "ref": run.branch or None if run else None,
            "run_url": run.run_url or None if run else None,
            "reason": None,
        }
    )
    return report.model_copy(
        update={
            "stages": stages,
            "status": worst(stage.status for stage in stages),
            "headline": first + headline(report.project, stages, policy),
            "provenance": provenance,
            "policy": policy,
        }
    )


def _stage_anew(stage: StageResult) -> StageResult:
    """Return a stage without addresses, and no better than the worst of its checks that block."""
    blocking = [check.status for check in stage.checks if check.status in (Status.FAILED, Status.ERRORED)]
    checks = [check.model_copy(update={"url": None}) for check in stage.checks]
    return stage.model_copy(update={"checks": checks, "status": worst([stage.status, *blocking])})


def _files(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the given files, and those called report.json in the given folders."""
    entries = 0
    for place in places:
        if not place.is_dir():
            yield place
            continue
        open_folders = [(place, 0)]
        while open_folders:
            folder, depth = open_folders.pop()
            with os.scandir(folder) as found:
                inside = sorted(found, key=lambda entry: entry.name)
            entries += len(inside)
            if entries > MOST_ENTRIES:
                raise _refused(f"'{place.name}' holds more than {MOST_ENTRIES:,} files")
            below: list[tuple[Path, int]] = []
            for entry in inside:
                if entry.name == REPORT_FILE:
                    yield Path(entry.path)
                elif entry.is_dir(follow_symlinks=False) and depth < DEEPEST_FOLDER:
                    below.append((Path(entry.path), depth + 1))
            open_folders += reversed(below)  # the last one is looked into next


def _text(file: Path) -> bytes:
    """Return the bytes of a regular file; a link is not followed, and a pipe is not waited for."""
    try:
        number = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise _refused(f"there is no '{file.name}' in '{file.parent.name}'") from error
    except OSError as error:
        raise _refused(f"'{file.name}' is a link, or may not be read") from error
    with os.fdopen(number, "rb") as stream:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise _refused(f"'{file.name}' is not a plain file")
        text = stream.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise _refused(f"'{file.name}' is larger than {MOST_BYTES >> 20} MB")
    return text


def _report(text: bytes, name: str) -> Report:
    version = str(_json(text, name).get("schema_version", "none"))
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise _refused(f"'{name}' has schema version {version[:40]}, this mlci reads {SCHEMA_VERSION}")
    try:
        report = Report.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise _refused(f"'{name}' is no report of schema version {SCHEMA_VERSION}") from error
    if len(report.stages) > MOST_STAGES:
        raise _refused(f"'{name}' has more than {MOST_STAGES} stages")
    return report


def _json(text: bytes, name: str) -> dict[str, Any]:
    """Return the JSON object in a text; raises MlciError `report.unreadable` when it is deep or damaged."""
    try:
        value = from_json(text)  # refuses what is nested more than a few hundred times
    except ValueError as error:
        raise _refused(f"'{name}' is not JSON, or nested too deep") from error
    if not isinstance(value, dict):
        raise _refused(f"'{name}' is not a JSON object")
    if _deeper_than(value, DEEPEST_JSON):
        raise _refused(f"'{name}' is nested more than {DEEPEST_JSON} times")
    return value


def _deeper_than(value: Any, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return most <= 0 or any(_deeper_than(item, most - 1) for item in items)


def _refused(why: str) -> MlciError:
    return MlciError(
        "report.unreadable", why, "the run that made it is not trusted, so nothing of it is used"
    )
