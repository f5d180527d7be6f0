"""Says from a list of changed files which stages of a project a change affects, without reading any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal

from mlci.change import Change
from mlci.config import Config
from mlci.config.source import read_yaml
from mlci.core.errors import MlciError
from mlci.core.inputs import ChangesInputs, DataInputs
from mlci.core.plan import PlannedStage
from mlci.core.stage import Stage
from mlci.policy.compare import is_workflow
from mlci.stages import under_review
from mlci.stages.train import TrainInputs
from mlci.stages.validate_data import ValidateDataInputs
from mlci.stores import git

Kind = Literal["data", "expectations", "code", "configuration"]

_TEXTS = {".md", ".rst", ".adoc"}
_PAPERS = (
    "README", "LICENSE", "LICENCE", "NOTICE", "CHANGELOG", "CODEOWNERS", "CITATION",
    ".git", ".editorconfig", ".pre-commit",
)  # fmt: skip
_BESIDE = {"docs", "doc", "tests", "test", ".github", ".gitlab", ".vscode", ".idea"}
"""Folders that a training does not read; those of tests and pages are no part of a result's fingerprint either."""
_ENVIRONMENT = (
    "requirements*", "constraints*", "pyproject.toml", "setup.py", "setup.cfg", "uv.lock", "poetry.lock", "pdm.lock",
    "Pipfile*", "environment*.y*ml", "conda-lock*.yml", "pixi.*", ".python-version", "Dockerfile",
)  # fmt: skip
_MOST_NAMED = 3

_AFFECTED: Mapping[str, tuple[set[Kind], set[str]]] = {
    "validate-data": ({"data", "expectations"}, {"data", "validate-data"}),
    "train": ({"data", "code"}, {"data", "train", "tracking", "project"}),
    "compare-to-baseline": (
        {"data", "code"},
        {"data", "train", "tracking", "project", "compare-to-baseline"},
    ),
}
"""The kinds of files and the sections of mlci.yaml that each stage depends on."""


@dataclass
class Affected:
    """The changed files that a project depends on, by kind, and the changed sections of its mlci.yaml."""

    files: dict[str, Kind] = field(default_factory=dict)
    sections: set[str] = field(default_factory=set)

    def reasons(self, stage: str) -> list[str]:
        """Return what makes a stage run, in words."""
        kinds, sections = _AFFECTED.get(stage, (set(), {stage}))
        found = [path for path, kind in self.files.items() if kind in kinds]
        return [*found, *(f"{section} in mlci.yaml" for section in sorted(self.sections & sections))]

    def everything(self) -> list[str]:
        """Return all that was changed, in words."""
        return [*self.files, *(f"{section} in mlci.yaml" for section in sorted(self.sections))]


def affected(config: Config, change: Change) -> Affected:
    """Return what of a change a project depends on."""
    found = Affected()
    for path in change.files:
        if path == change.inside(config.file):
            found.sections |= _changed_sections(config, change.text_at_base(path))
        elif kind := _kind(path, config, change):
            found.files[path] = kind
    return found


def runs(stages: Sequence[Stage], config: Config, found: Affected) -> dict[str, str]:
    """Return the stages that a change makes run, as on a machine that holds no results, each with why."""
    wanted = [stage.name for stage in stages if stage.name in config.given]
    chosen = {name: _changed(reasons) for name in wanted if (reasons := found.reasons(name))}
    if set(chosen) <= {"validate-data"}:
        return chosen
    # A machine that holds no results has to make the model again, whatever is asked of it.
    needed = dict.fromkeys((name for name in wanted if name != "validate-data"), "the stages before it run")
    return {
        **needed,
        **({"train": "the stages after it need its model"} if "train" in wanted else {}),
        **chosen,
    }


def rows(
    stages: Sequence[Stage], config: Config, chosen: Mapping[str, str], skipped: str, *, merge: bool
) -> list[PlannedStage]:
    """Return a line for each stage: those in `chosen` run; `merge` ends a run at the verdict."""
    judged = under_review(stages)
    found = []
    for stage in stages:
        if stage.name not in config.given:
            row = ("absent", f"there is no '{stage.name}' section in {config.file.name}")
        elif merge and stage not in judged:
            row = ("skip", "a change under review is judged and not delivered")
        else:
            row = ("run", chosen[stage.name]) if stage.name in chosen else ("skip", skipped)
        found.append(PlannedStage.model_validate({"stage": stage.name, "action": row[0], "why": row[1]}))
    return found


def why(found: Affected, change: Change) -> str:
    """Return the sentence that says why a project is evaluated or not."""
    everything = found.everything()
    if everything:
        return _changed(everything)
    count = len(change.files)
    files = f"{count} file{'s' if count != 1 else ''} changed, none of them one that it depends on"
    return f"nothing it depends on has changed since {change.base[:7]} ({files})"


def _changed(reasons: Sequence[str]) -> str:
    more = f" and {len(reasons) - _MOST_NAMED} more" if len(reasons) > _MOST_NAMED else ""
    return f"changed: {', '.join(reasons[:_MOST_NAMED])}{more}"


def _kind(path: str, config: Config, change: Change) -> Kind | None:
    """Return what a changed file is to a project; None when its results do not depend on it."""
    changes = config.section("changes", ChangesInputs)
    inside = _relative(path, change.inside(config.root))
    if _is_named(path, _data(config), config, change):
        return "data"
    suite = config.section("validate-data", ValidateDataInputs).suite
    if suite and _is_named(path, [suite], config, change):
        return "expectations"
    if _matches(path, changes.watch) or (inside is not None and _matches(inside, changes.watch)):
        return "code"
    if _matches(path, changes.ignore) or (inside is not None and _matches(inside, changes.ignore)):
        return None
    if is_workflow(path) or ("/" not in path and _matches(path, _ENVIRONMENT)):
        return "code"
    if inside is None or _is_beside(inside):
        return None
    return _inside_kind(inside, config, change)


def _inside_kind(inside: str, config: Config, change: Change) -> Kind | None:
    name = PurePosixPath(inside).name
    if name in ("dvc.lock", "dvc.yaml") or name.endswith(".dvc"):
        # What DVC holds is known to git by these files only.
        return "data" if _data_of_dvc(config, change) else "code"
    patterns = config.section("train", TrainInputs).code
    if patterns and not _matches(inside, (*patterns, *_ENVIRONMENT)):
        return None
    return "code"


def _data(config: Config) -> list[str]:
    data = config.section("data", DataInputs)
    files = config.section("validate-data", ValidateDataInputs).files
    return [name for name in (data.train, data.evaluate, *files) if name]


def _data_of_dvc(config: Config, change: Change) -> bool:
    places = [change.inside(config.root / name) for name in _data(config) if not Path(name).is_absolute()]
    return any(not git.is_tracked(change.top, place) for place in places)


def _is_named(path: str, names: Sequence[str], config: Config, change: Change) -> bool:
    for name in names:
        try:
            place = change.inside(config.root / name)
        except ValueError:  # outside the repository
            continue
        if path in (place, f"{place}.dvc") or path.startswith(f"{place}/"):
            return True
    return False


def _is_beside(inside: str) -> bool:
    path = PurePosixPath(inside)
    return (
        path.suffix.lower() in _TEXTS
        or path.name.startswith(_PAPERS)
        or any(part in _BESIDE for part in path.parts[:-1])
    )


def _relative(path: str, folder: str) -> str | None:
    if folder in ("", "."):
        return path
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None


def _matches(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a pattern names the file, or a folder above it; `*` stands for any characters."""
    return any(
        fnmatchcase(path, pattern)
        or path.startswith(f"{pattern.rstrip('/')}/")
        or fnmatchcase(path, f"{pattern}/*")
        for pattern in patterns
    )


def _changed_sections(config: Config, before: str | None) -> set[str]:
    """Return the sections that differ from the file's text at the base; all when that cannot be read."""
    everything = {"project", *config.sections}
    if before is None:
        return everything
    try:
        old = read_yaml(before, config.file.name)[0] or {}
        new = read_yaml(config.file.read_text("utf-8"), config.file.name)[0] or {}
    except MlciError:
        return everything
    if not isinstance(old, dict):
        return everything
    return {name for name in everything if old.get(name) != new.get(name)} - {"changes"}
