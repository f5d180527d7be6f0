"""GitHub Actions: step summary, outputs, annotations, folded log."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlci.core.plan import Plan
from mlci.core.results import Check, Report
from mlci.core.review import Review
from mlci.core.status import Status
from mlci.reporters import REPORTERS
from mlci.reporters._plan import PLAN_FILE, plan_markdown
from mlci.reporters._words import troubles

SUMMARY_BYTES = 1 << 20
MOST_ANNOTATIONS = 5
_CUT = b"\n\n(cut: see report.md)\n"
_OUTPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class GithubProvider:
    """Speaks the runner's workflow commands and files."""

    name = "github"
    ci = True

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def publish(self, report: Report, out: Path) -> None:
        """Append the summary, write the outputs, print at most five annotations."""
        self._summarise(REPORTERS.get("markdown").render(report))
        self._write_outputs(_outputs(report, out))
        for check, stage in _headline_checks(report)[:MOST_ANNOTATIONS]:
            _print(_annotation(check, stage, self._folder(out)))

    def group(self, title: str) -> None:
        """Begin a fold of the log."""
        _print(f"::group::{_data(title)}")

    def end_group(self) -> None:
        """End the fold."""
        _print("::endgroup::")

    def provenance(self) -> Mapping[str, str]:
        """Return commit, ref and the run's address as the runner's variables give them."""
        get = self._variables.get
        found = {
            "commit": self._head_commit() or get("GITHUB_SHA", ""),
            "ref": get("GITHUB_HEAD_REF") or get("GITHUB_REF_NAME", ""),
        }
        if get("GITHUB_SERVER_URL") and get("GITHUB_REPOSITORY") and get("GITHUB_RUN_ID"):
            found["run_url"] = (
                f"{get('GITHUB_SERVER_URL')}/{get('GITHUB_REPOSITORY')}/actions/runs/{get('GITHUB_RUN_ID')}"
            )
        return {name: value for name, value in found.items() if value}

    def review(self) -> Review | None:
        """Return the base of the pull request or of the queued merge, else the commit before the push."""
        event = self._event()
        if pull := event.get("pull_request"):
            return Review(tuple(filter(None, [_at(pull, "base", "sha")])), _at(pull, "head", "sha"))
        if group := event.get("merge_group"):
            return Review(tuple(filter(None, [_at(group, "base_sha")])), _at(group, "head_sha"))
        before = event.get("before")
        if isinstance(before, str) and before.strip("0"):
            return Review((before,), self._variables.get("GITHUB_SHA"), merge=False)
        return None

    def _event(self) -> dict[str, Any]:
        """Return what the runner says of the event; nothing where it says nothing that can be read."""
        try:
            event = json.loads(Path(self._variables.get("GITHUB_EVENT_PATH", "")).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return event if isinstance(event, dict) else {}

    def _folder(self, out: Path) -> str:
        """Return the project's folder in the checkout: annotations are placed by paths from its top."""
        top = self._variables.get("GITHUB_WORKSPACE")
        if not top or not out.parent.is_relative_to(top):
            return ""
        inside = out.parent.relative_to(top).as_posix()
        return "" if inside == "." else f"{inside}/"

    def _head_commit(self) -> str | None:
        """Return the pull request's own commit: GITHUB_SHA there is a merge that nobody made."""
        return _at(self._event(), "pull_request", "head", "sha")

    def publish_plan(self, plan: Plan, out: Path) -> None:
        """Append the plan to the summary, and write the outputs that the jobs after it are made from."""
        legs = [{"name": item.name, "folder": item.folder, "until": item.until or ""} for item in plan.chosen]
        self._summarise(plan_markdown(plan))
        self._write_outputs(
            {
                "evaluate": "true" if plan.evaluate else "false",
                "matrix": json.dumps({"include": legs}, separators=(",", ":")),
                "models": str(len(legs)),
                "plan": str(out / PLAN_FILE),
            }
        )

    def _summarise(self, markdown: str) -> None:
        path = self._variables.get("GITHUB_STEP_SUMMARY")
        if not path:
            return
        file = Path(path)
        # The limit is on the file, and a step may call mlci more than once.
        room = SUMMARY_BYTES - (file.stat().st_size if file.exists() else 0)
        text = markdown.encode()
        if len(text) > room:
            text = text[: max(room - len(_CUT), 0)].decode(errors="ignore").encode() + _CUT
        with file.open("ab") as stream:
            stream.write(text[: max(room, 0)])

    def _write_outputs(self, values: Mapping[str, str]) -> None:
        path = self._variables.get("GITHUB_OUTPUT")
        if not path:
            return
        mark = f"mlci_{secrets.token_hex(8)}"  # random, so that no value can end the block early
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.writelines(
                f"{name}<<{mark}\n{value}\n{mark}\n"
                for name, value in values.items()
                if _OUTPUT_NAME.fullmatch(name)
            )


def _outputs(report: Report, out: Path) -> dict[str, str]:
    values = {
        "verdict": report.status.value,
        "exit-code": str(int(report.exit_code)),
        "report": str(out / "report.json"),
        **{f"{result.stage}-verdict": result.status.value for result in report.stages},
    }
    for result in report.stages:
        values |= result.outputs
    return values


def _at(value: Any, *path: str) -> str | None:
    """Return the text at a path of keys; None where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


def _headline_checks(report: Report) -> list[tuple[Check, str]]:
    found = [(check, result.stage) for result in report.stages for check in troubles(result)]
    found += [
        (Check(name=result.stage, status=Status.ERRORED, message=result.error.message), result.stage)
        for result in report.stages
        if result.error is not None
    ]
    rank = [Status.ERRORED, Status.FAILED, Status.INCONCLUSIVE, Status.WARNED]
    return sorted(found, key=lambda item: rank.index(item[0].status))


def _annotation(check: Check, stage: str, folder: str) -> str:
    level = "error" if check.status in (Status.FAILED, Status.ERRORED) else "warning"
    file, _, line = (check.where or "").partition(":")
    properties = {"file": file and folder + file, "line": line, "title": f"mlci {stage}"}
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{level} {shown}::{_data(check.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")  # plain, never through rich: a wrapped command is no command
    sys.stdout.flush()


def provider(variables: Mapping[str, str]) -> GithubProvider | None:
    """Return the provider when the run is a GitHub Actions job."""
    return GithubProvider(variables) if variables.get("GITHUB_ACTIONS") == "true" else None
