"""Brings reports and plan together: which models the comment is about, and what goes before its decision."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from mlci.core.errors import MlciError
from mlci.core.plan import Plan, PlannedProject
from mlci.core.results import SCHEMA_VERSION, Report
from mlci.core.status import Status
from mlci.policy import headline
from mlci.reporters._combined import Combined, Model
from mlci.results_folder import REPORT_FILE, read_report

SEVERAL = "models"
"""Names the comment of several models."""


@dataclass(frozen=True)
class Found:
    """Reports that were read, and the files that could not be, each with the error."""

    reports: Sequence[Report]
    problems: Sequence[tuple[str, MlciError]] = ()


def find_reports(places: Iterable[Path]) -> list[Path]:
    """Return the report files at these places: a file as it is, in a folder those called report.json."""
    found: list[Path] = []
    for place in places:
        found += sorted(place.rglob(REPORT_FILE)) if place.is_dir() else [place]
    return found


def read_reports(files: Iterable[Path]) -> Found:
    """Read reports of this repository's own jobs."""
    reports: list[Report] = []
    problems: list[tuple[str, MlciError]] = []
    for file in files:
        try:
            reports.append(read_report(file))
        except MlciError as error:
            problems.append((file.parent.name, error))
    return Found(reports, problems)


def read_plan(file: Path) -> Plan:
    """Return the plan in a JSON file; raises MlciError `report.unreadable`."""
    try:
        return parse_plan(file.read_bytes(), file.name)
    except OSError as error:
        raise _unreadable(file.name, "it is not there") from error


def parse_plan(text: bytes, name: str) -> Plan:
    """Return the plan in JSON text; raises MlciError `report.unreadable`."""
    try:
        version = str(json.loads(text).get("schema_version", "none"))
        if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
            raise _unreadable(name, f"it has schema version {version}, this mlci reads {SCHEMA_VERSION}")
        return Plan.model_validate_json(text)
    except (ValidationError, ValueError, AttributeError, RecursionError) as error:
        raise _unreadable(name, f"it is no plan ({type(error).__name__})") from error


def _unreadable(name: str, why: str) -> MlciError:
    return MlciError(
        "report.unreadable", f"the plan '{name}' cannot be read: {why}", "make it by `mlci plan --json`"
    )


def combine(
    found: Found, plan: Plan | None, run_url: str | None = None, notice: str = ""
) -> tuple[Combined, str]:
    """Return the comment, and the name of the report or of the several that it is about."""
    open_reports = list(found.reports)
    projects = plan.projects if plan else []
    repeated = {name for name, count in Counter(p.project for p in projects).items() if count > 1}
    models: list[Model] = []
    for project in plan.chosen if plan else []:
        name = project.name if project.project in repeated else project.project
        report = _report_of(project, open_reports)
        if report is not None:
            open_reports.remove(report)
        models.append(Model(name, report))
    models += _unplanned(open_reports)
    models += [Model(name or REPORT_FILE, None, str(error.message)) for name, error in found.problems]
    combined = Combined(
        models,
        notice=". ".join(filter(None, [notice, _policy_notice(models)])),
        why=plan.why if plan else "",
        untouched=[project.project for project in projects if not project.evaluate],
        run_url=run_url,
    )
    only = models[0].report if len(models) == 1 and len(projects) <= 1 else None
    return combined, only.id if only else SEVERAL


def _report_of(project: PlannedProject, reports: Sequence[Report]) -> Report | None:
    for report in reports:
        if report.provenance.config == project.config and report.project == project.project:
            return report
    return next((r for r in reports if r.provenance.config is None and r.project == project.project), None)


def _unplanned(reports: Sequence[Report]) -> list[Model]:
    count = Counter(report.project for report in reports)
    return [
        Model(_with_folder(report) if count[report.project] > 1 else report.project, report)
        for report in reports
    ]


def _with_folder(report: Report) -> str:
    folder = PurePosixPath(report.provenance.config or "").parent.as_posix()
    return report.project if folder == "." else f"{report.project} ({folder})"


def _policy_notice(models: Sequence[Model]) -> str:
    """Return what the models' own headlines say of the policy, for a first line that is none of theirs."""
    said = [
        (model.name, words)
        for model in models
        if model.report is not None and (words := headline(model.report.policy))
    ]
    if not said:
        return ""
    said.sort(key=lambda item: not item[1].startswith("Weakens"))
    more = f" (and of {len(said) - 1} more models)" if len(said) > 1 else ""
    return f"{said[0][0]}: {said[0][1]}{more}"


def is_quiet(combined: Combined) -> bool:
    """Return whether nothing calls for a person: all is well, and the policy stays as it is."""
    return combined.status is Status.PASSED and not combined.notice
