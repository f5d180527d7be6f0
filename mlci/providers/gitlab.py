"""GitLab CI: a dotenv report for later jobs, links on the job's page, folded log sections."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from mlci.core.files import write_atomic
from mlci.core.plan import Plan
from mlci.core.results import Report
from mlci.core.review import Review
from mlci.reporters._escape import no_command, printable

DOTENV = "mlci.env"
PLAN_DOTENV = "plan.env"
ANNOTATIONS = "gl-annotations.json"

# GitLab refuses the whole report when one limit is broken. A server of one's own takes 20 variables and
# 5 KiB of a job, where nobody raised that; `mlci plan` writes two of them into a file of its own.
MOST_VARIABLES = 18
MOST_BYTES = 5 * 1024 - 128
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_UNFIT = re.compile(r"\s|[\x00-\x1f\x7f]")
_LATE_FIRST = ("deploy", "package", "compare-to-baseline", "train")


class GitlabProvider:
    """Writes what GitLab's `artifacts:reports` take, beside junit.xml."""

    name = "gitlab"
    ci = True

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._section = ""

    def publish(self, report: Report, out: Path) -> None:
        """Write the dotenv report (one line a value, and no free text) and the links for the job's page."""
        lines, left_out = _fitting(_values(report))
        write_atomic(out / DOTENV, "".join(lines))
        if left_out:
            _print(f"{left_out} values did not fit into {out.name}/{DOTENV}; report.json holds all of them")
        links = [
            {"external_link": {"label": printable(label, 200), "url": url}}
            for label, url in self._links(report, out)
        ]
        if links:
            write_atomic(out / ANNOTATIONS, json.dumps({f"mlci {report.id}": links}, indent=1) + "\n")
        else:
            (out / ANNOTATIONS).unlink(missing_ok=True)

    def warn(self, text: str) -> None:
        """Print a warning to the log."""
        print(f"warning: {no_command(printable(text))}", file=sys.stderr, flush=True)  # noqa: T201 - this is the edge

    def hand_on(self, values: Mapping[str, str]) -> None:
        """Do nothing: a job has one dotenv report, and it is that of the run."""

    def publish_plan(self, plan: Plan, out: Path) -> None:
        """Write a dotenv report that says whether there is anything to evaluate, and in how many projects."""
        values = {"EVALUATE": "true" if plan.evaluate else "false", "MODELS": str(len(plan.chosen))}
        lines = [f"MLCI_PLAN_{name}={value}\n" for name, value in values.items()]
        write_atomic(out / PLAN_DOTENV, "".join(lines))

    def group(self, title: str) -> None:
        """Begin a section of the log."""
        # With a prefix, since the runner names sections of its own in the same log.
        self._section = "mlci_" + re.sub(r"[^a-z0-9_.-]", "_", title.partition(":")[0].lower())[:100]
        _print(f"\x1b[0Ksection_start:{int(time.time())}:{self._section}\r\x1b[0K{printable(title, 200)}")

    def end_group(self) -> None:
        """End the section."""
        _print(f"\x1b[0Ksection_end:{int(time.time())}:{self._section}\r\x1b[0K")

    def provenance(self) -> Mapping[str, str]:
        """Return commit, ref and the job's address as GitLab's variables give them."""
        # In a merged results pipeline CI_COMMIT_SHA is a merge that nobody made.
        names = {
            "commit": ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"),
            "ref": ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"),
            "run_url": ("CI_JOB_URL",),
        }
        found = {key: next(filter(None, map(self._variables.get, of)), None) for key, of in names.items()}
        return {key: value for key, value in found.items() if value}

    def _links(self, report: Report, out: Path) -> Iterator[tuple[str, str]]:
        job, top = self._variables.get("CI_JOB_URL"), Path(self._variables.get("CI_PROJECT_DIR") or ".")
        if job and out.resolve().is_relative_to(top.resolve()):
            inside = quote(out.resolve().relative_to(top.resolve()).as_posix())
            yield f"Report of {report.project}", f"{job}/artifacts/file/{inside}/report.md"
        for result in report.stages:
            page = result.details.get("run_url")
            if isinstance(page, str) and page.startswith(("https://", "http://")):
                yield "Run in MLflow", page

    def review(self) -> Review | None:
        """Return the target's commit in a merge request, else the commit before the push."""
        get = self._variables.get
        if get("CI_PIPELINE_SOURCE") == "merge_request_event":
            names = ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA")
            bases = [get(name, "") for name in names]
            branch = get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
            bases += [f"refs/remotes/origin/{branch}"] if branch else []
            return Review(tuple(filter(None, bases)), get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or None)
        before = get("CI_COMMIT_BEFORE_SHA", "").strip("0")
        return (
            Review((get("CI_COMMIT_BEFORE_SHA", ""),), get("CI_COMMIT_SHA"), merge=False) if before else None
        )


def _values(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what later jobs may want to know, the most important first."""
    yield "MLCI_RESULT_VERDICT", report.status.value
    yield "MLCI_RESULT_EXIT_CODE", str(int(report.exit_code))
    for result in report.stages:
        yield _variable(result.stage, "verdict"), result.status.value
    rank = {stage: place for place, stage in enumerate(_LATE_FIRST)}
    for result in sorted(report.stages, key=lambda result: rank.get(result.stage, len(rank))):
        for name, value in result.outputs.items():
            yield _variable(result.stage, name), value


def _fitting(values: Iterator[tuple[str, str]]) -> tuple[list[str], int]:
    """Return the lines that GitLab takes, and how many values there was no room for."""
    lines: list[str] = []
    room = MOST_BYTES
    left_out = 0
    for name, value in values:
        if not _NAME.fullmatch(name) or _UNFIT.search(value):
            continue  # GitLab takes no blank in a value and knows no way to quote one
        line = f"{name}={value}\n"
        if len(lines) == MOST_VARIABLES or len(line.encode()) > room:
            left_out += 1
            continue
        lines.append(line)
        room -= len(line.encode())
    return lines, left_out


def _variable(stage: str, name: str) -> str:
    return f"MLCI_RESULT_{stage}_{name}".upper().replace("-", "_")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def provider(variables: Mapping[str, str]) -> GitlabProvider | None:
    """Return the provider when the run is a GitLab CI job."""
    return GitlabProvider(variables) if variables.get("GITLAB_CI") else None
