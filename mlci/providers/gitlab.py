"""GitLab CI: a dotenv report for later jobs, folded log sections."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from mlci.core.files import write_atomic
from mlci.core.results import Report
from mlci.core.review import Review
from mlci.reporters._escape import printable

DOTENV = "mlci.env"
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


class GitlabProvider:
    """Writes what GitLab's `artifacts:reports` take, beside junit.xml."""

    name = "gitlab"
    ci = True

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._section = ""

    def publish(self, report: Report, out: Path) -> None:
        """Write the dotenv report: one line a value, and no free text."""
        values = {
            "MLCI_RESULT_VERDICT": report.status.value,
            "MLCI_RESULT_EXIT_CODE": str(int(report.exit_code)),
        }
        for result in report.stages:
            values[_variable(result.stage, "verdict")] = result.status.value
            values |= {_variable(result.stage, name): value for name, value in result.outputs.items()}
        lines = [
            f"{name}={value}"
            for name, value in values.items()
            if _NAME.fullmatch(name) and len(value.splitlines()) <= 1
        ]
        write_atomic(out / DOTENV, "\n".join(lines) + "\n")

    def group(self, title: str) -> None:
        """Begin a section of the log."""
        self._section = re.sub(r"[^a-z0-9_.-]", "_", title.partition(":")[0].lower())
        _print(f"\x1b[0Ksection_start:{int(time.time())}:{self._section}\r\x1b[0K{printable(title, 200)}")

    def end_group(self) -> None:
        """End the section."""
        _print(f"\x1b[0Ksection_end:{int(time.time())}:{self._section}\r\x1b[0K")

    def provenance(self) -> Mapping[str, str]:
        """Return commit, ref and the job's address as GitLab's variables give them."""
        names = {"commit": "CI_COMMIT_SHA", "ref": "CI_COMMIT_REF_NAME", "run_url": "CI_JOB_URL"}
        return {key: self._variables[name] for key, name in names.items() if self._variables.get(name)}

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


def _variable(stage: str, name: str) -> str:
    return f"MLCI_RESULT_{stage}_{name}".upper().replace("-", "_")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def provider(variables: Mapping[str, str]) -> GitlabProvider | None:
    """Return the provider when the run is a GitLab CI job."""
    return GitlabProvider(variables) if variables.get("GITLAB_CI") else None
