"""Checks a change that is not trusted against the rules of its base, asked of the forge and not of its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from mlci.config.load import FILE_NAME
from mlci.config.source import read_yaml
from mlci.core.errors import MlciError, NotPostedError
from mlci.core.results import Policy, PolicyChange, Report
from mlci.forges._workflow_run import MOST_FILES, ChangedFile, Reviewed
from mlci.policy import compare, digest
from mlci.policy.compare import is_workflow, weakest_first
from mlci.policy.rules import rules_of

OTHER_RULES = "judged by other rules than those of the base"
NEW_RULES = "judged by rules that the base does not have"
MOST_CONFIGS = 50
_CONTENTS = "add `permissions: {contents: read}` to the job"


class Asked(Protocol):
    """Who knows what a change does: the forge."""

    def changed_files(self, number: int) -> list[ChangedFile]:
        """Return the files that a pull request changes."""

    def text_at(self, path: str, commit: str) -> str | None:
        """Return a file's text at a commit; None when it is not there."""


@dataclass(frozen=True)
class Judged:
    """What is to be said of the rules that one report was made by. `warning` goes before its headline."""

    policy: Policy
    warning: str


class Rules:
    """The rules of one pull request, before and after it."""

    def __init__(self, asked: Asked, run: Reviewed) -> None:
        self._asked = asked
        self._run = run
        self._texts: dict[tuple[str, str], str | None] = {}
        self._files = asked.changed_files(run.number)
        self._all_compared = len(self._files) < MOST_FILES
        self._changes = self._changed_configs()

    def judge(self, report: Report, *, alone: bool) -> Judged:
        """Return what is to be said of a report; of all changes when it is the only one."""
        path = report.provenance.config or FILE_NAME
        base = self._text(path, self._run.base)
        changes = [
            change for config, found in self._changes.items() if alone or config == path for change in found
        ]
        if path not in self._changes:  # a link to another file changes without being listed itself
            changes += compare(base, self._text(path, self._run.head), _folder(path))
        changes += self._named_files(base, path) + self._workflows()
        own = report.policy.digest if report.policy else ""
        same = self._is_of_base(report, own, path)
        other = "" if same else NEW_RULES if base is None else OTHER_RULES
        policy = Policy(
            source="base" if same else "checkout",
            commit=self._run.base,
            digest=own,
            changes=weakest_first(changes),
            note=other,
        )
        return Judged(policy, ". ".join(filter(None, [self._too_many(), other])))

    def notice(self, reports: Sequence[Report], judged: Sequence[Judged]) -> str:
        """Return what is to be said before the decision over several models; "" for nothing."""
        other: dict[str, list[str]] = {}
        for report, found in zip(reports, judged, strict=True):
            if found.policy.note:
                other.setdefault(found.policy.note, []).append(report.project)
        said = [self._too_many(), self._elsewhere(reports)]
        said += [f"{_named(names)}: {note}" for note, names in other.items()]
        return ". ".join(filter(None, said))

    def _elsewhere(self, reports: Sequence[Report]) -> str:
        """Return what weakens the rules of a model that has no report here."""
        paths = {report.provenance.config or FILE_NAME for report in reports}
        weaker = [
            change
            for config, found in self._changes.items()
            if config not in paths
            for change in found
            if change.effect == "weaker"
        ]
        if not weaker:
            return ""
        more = f" and {len(weaker) - 1} more" if len(weaker) > 1 else ""
        return f"Weakens the policy ({weaker[0].key}: {weaker[0].message}{more})"

    def _changed_configs(self) -> Mapping[str, list[PolicyChange]]:
        """Return the changes of each configuration file that differs, by its path at the base."""
        found: dict[str, list[PolicyChange]] = {}
        for file in self._files:
            before, after = (path if _is_config(path) else None for path in (file.before, file.after))
            if before is None:
                continue
            if len(found) >= MOST_CONFIGS:
                self._all_compared = False
                break
            old = self._sure(before, self._run.base)
            new = None if after is None else self._sure(after, self._run.head)
            found[before] = compare(old, new, _folder(before))
        return found

    def _named_files(self, base: str | None, path: str) -> list[PolicyChange]:
        """Return the changed files that the rules of the base name: data, expectations, predictions."""
        try:
            rules = rules_of(base)
        except MlciError:
            return []
        if rules is None:
            return []
        named = {
            getattr(rules["data"], "evaluate", None): "the evaluation data are changed",
            getattr(rules["validate-data"], "suite", None): "the expectations are changed",
            getattr(rules["compare-to-baseline"], "baseline", None): "the baseline's predictions are changed",
        }
        changed = {name for file in self._files for name in (file.before, file.after) if name}
        folder = _folder(path)
        return [
            PolicyChange(key=place, effect="changed", message=message)
            for name, message in named.items()
            if name and ":" not in name
            for place in [f"{folder}/{name}" if folder else str(name)]
            if any(item in (place, f"{place}.dvc") or item.startswith(f"{place}/") for item in changed)
        ]

    def _workflows(self) -> list[PolicyChange]:
        paths = {name for file in self._files for name in (file.before, file.after) if name}
        return [
            PolicyChange(key=path, effect="changed", message="the workflow that runs the gates is changed")
            for path in sorted(paths)
            if is_workflow(path)
        ]

    def _is_of_base(self, report: Report, own: str, path: str) -> bool:
        """Return whether a report names the rules that the base has for its project.

        They may also be those of the branch, which can be ahead of the commit that GitHub calls the base.
        """
        if not own:
            return False
        for commit in (self._run.base, self._run.base_branch):
            text = self._text(path, commit)
            if text is not None and digest(text) == own and _project(text) == report.project:
                return True
        return False

    def _text(self, path: str, commit: str) -> str | None:
        if (path, commit) not in self._texts:
            self._texts[path, commit] = self._asked.text_at(path, commit)
        return self._texts[path, commit]

    def _sure(self, path: str, commit: str) -> str:
        """Return the text of a file that is there; a token that may not read it gets a 404 as well."""
        text = self._text(path, commit)
        if text is None:
            raise NotPostedError(
                f"{path} at {commit[:7]} cannot be read, so its rules are not known", _CONTENTS
            )
        return text

    def _too_many(self) -> str:
        if self._all_compared:
            return ""
        return "More files are changed than can be compared, so a change of the policy may be missed"


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _is_config(path: str | None) -> bool:
    return path is not None and PurePosixPath(path).name == FILE_NAME


def _project(text: str) -> str:
    """Return the name of the project in a configuration text; "" for none that can be read."""
    try:
        values, _ = read_yaml(text, FILE_NAME)
    except MlciError:
        return ""
    return str(values.get("project", "")) if isinstance(values, dict) else ""


def _folder(path: str) -> str:
    folder = PurePosixPath(path).parent.as_posix()
    return "" if folder == "." else folder
