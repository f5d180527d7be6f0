"""Plans for a whole repository: every project in it, only what a change touches, with names that never clash."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlci import affected
from mlci.change import Change
from mlci.config import Config
from mlci.core.errors import MlciError
from mlci.core.plan import Plan, PlannedProject, PlannedStage
from mlci.core.stage import Stage
from mlci.stores import git

FILE = "mlci.yaml"
_LONGEST_NAME = 60

Load = Callable[[Path], Config]


def files_of(root: Path) -> list[Path]:
    """Return every mlci.yaml that git knows in the repository around `root`; raises MlciError `git.failed`."""
    top = git.top(root)
    if top is None:
        raise MlciError(
            "git.failed", f"'{root.name}' is not in a git repository", "run `git init`, or name a file"
        )
    return [top / path for path in git.files_named(top, FILE)]


@dataclass(frozen=True)
class Planner:
    """Plans projects for one change.

    `load` reads a configuration. Without a `change` everything runs, and `unknown` says why it is not
    known. `merge` ends a plan at the verdict, as a change under review does.
    """

    load: Load
    stages: Sequence[Stage]
    change: Change | None
    merge: bool
    unknown: str = ""

    def plan(self, files: Sequence[Path]) -> Plan:
        """Return the plan for the projects in `files`; raises MlciError `config.missing` for none."""
        if not files:
            raise MlciError("config.missing", f"git knows no {FILE} in this repository", "run `mlci init`")
        top = self.change.top if self.change else git.top(files[0].parent) or files[0].parent
        names = _names(top, self.load)
        projects = [self._project(file, top, names) for file in files]
        chosen = [project.name for project in projects if project.evaluate]
        why = f"{len(chosen)} of {len(projects)} to evaluate: {', '.join(chosen[:5])}"
        if len(projects) == 1:
            why = projects[0].why
        elif not chosen:
            why = "no project depends on anything that has changed"
        base = self.change.base if self.change else None
        return Plan(base=base, evaluate=bool(chosen), why=why, projects=projects)

    def _project(self, file: Path, top: Path, names: dict[Path, str]) -> PlannedProject:
        inside = file.resolve().relative_to(top.resolve())
        place = {"folder": inside.parent.as_posix(), "config": inside.as_posix()}
        name = names.get(file.resolve()) or slug(inside.parent.name)
        try:
            config = self.load(file)
        except MlciError as error:
            why = f"its {FILE} cannot be used: {error.message}"
            # Not only when the file itself was changed: a wrong option or variable is no reason to be green.
            below = "" if place["folder"] == "." else f"{place['folder']}/"
            touched = self.change is None or any(path.startswith(below) for path in self.change.files)
            return PlannedProject(project=name, name=name, evaluate=touched, why=why, stages=[], **place)
        rows, why = self._rows(config)
        evaluate = any(row.action == "run" for row in rows)
        return PlannedProject(
            project=config.project, name=name, evaluate=evaluate, why=why, stages=rows, **place
        )

    def _rows(self, config: Config) -> tuple[list[PlannedStage], str]:
        if self.change is None:
            everything = {stage.name: self.unknown for stage in self.stages}
            return affected.rows(self.stages, config, everything, "", merge=self.merge), self.unknown
        found = affected.affected(config, self.change)
        runs = affected.runs(self.stages, config, found)
        skipped = f"nothing it depends on has changed since {self.change.base[:7]}"
        return affected.rows(self.stages, config, runs, skipped, merge=self.merge), affected.why(
            found, self.change
        )


def _names(top: Path, load: Load) -> dict[Path, str]:
    """Return a name for each project of the repository: its own, with its folder's where two are equal.

    All projects count, also those that a plan leaves out, so that a name does not depend on the change.
    """
    files = [top / path for path in git.files_named(top, FILE)]
    own: dict[Path, str] = {}
    for file in files:
        try:
            own[file.resolve()] = slug(load(file).project)
        except MlciError:
            own[file.resolve()] = slug(file.parent.name)
    counts = Counter(own.values())
    found: dict[Path, str] = {}
    for file, name in own.items():
        folder = slug(file.parent.relative_to(top.resolve()).as_posix().replace("/", "-"))
        unique = name if counts[name] == 1 else folder
        found[file] = unique if unique not in found.values() else f"{unique}-{len(found)}"
    return found


def slug(text: str) -> str:
    """Return text as a name that is safe in jobs, artifacts and caches."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:_LONGEST_NAME] or "model"
