"""A stage: one step of a pipeline, as a function from inputs and context to a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.files import Digests, files_below
from mlci.core.inputs import DataInputs, Inputs, TrackingInputs
from mlci.core.results import Artifact, StageResult, Step


def _silent(text: str) -> None:
    """Say nothing: the default when nobody listens."""


def _nowhere(key: str) -> str | None:  # noqa: ARG001 - the signature of a look-up
    return None


@dataclass
class Context:
    """What a stage knows about the run it is part of. Paths are absolute.

    `work` is an empty folder that becomes `out/<stage>` when the stage ends well.
    `results` holds the results of the stages before this one, from this run or an earlier one.
    `where` maps a dotted key of mlci.yaml to the file and line that set it.
    """

    root: Path
    out: Path
    cache: Path
    project: str
    data: DataInputs
    tracking: TrackingInputs
    digests: Digests
    results: Mapping[str, StageResult]
    configured: frozenset[str] = frozenset()
    work: Path = Path()
    variables: Mapping[str, str] = field(default_factory=dict)
    where: Callable[[str], str | None] = _nowhere
    say: Callable[[str], None] = _silent
    ci: bool = False
    dry_run: bool = False
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Say and time a part of the stage."""
        self.say(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps.append(Step(name=name, seconds=round(time.perf_counter() - start, 3)))

    def path(self, name: str) -> Path:
        """Return a path that the configuration gives relative to the project's root."""
        return self.root / name

    def existing(self, name: str, key: str) -> Path:
        """Return the path of a file that must exist; raises MlciError `data.missing`."""
        path = self.path(name)
        if not path.exists():
            raise MlciError(
                "data.missing",
                f"'{name}' ({key}) does not exist",
                f"check {key} in mlci.yaml, or make the file first (is it under DVC? run `dvc pull`)",
            )
        return path

    def result(self, stage: str) -> StageResult:
        """Return the result of an earlier stage; raises MlciError `stage.not-run` without one."""
        found = self.results.get(stage)
        if found is None or found.error is not None:
            raise MlciError(
                "stage.not-run",
                f"there is no usable result of '{stage}' in {self.out.name}",
                f"run `mlci {stage}` first, or `mlci run` for all stages",
            )
        return found

    def artifact(self, stage: str, role: str) -> Path | None:
        """Return the path of an earlier stage's artifact of this role; None without one."""
        for artifact in self.result(stage).artifacts:
            if artifact.role == role:
                return self.out / artifact.path
        return None

    def keep(self, stage: str, path: Path, role: Any) -> Artifact:
        """Return the record of a file or folder in `work`, as it will stand in `out/<stage>`."""
        members = files_below(path) if path.is_dir() else [path]
        return Artifact(
            path=f"{stage}/{path.relative_to(self.work).as_posix()}",
            sha256=self.digests.of(path),
            size=sum(member.stat().st_size for member in members),
            role=role,
        )


def _accept(inputs: Any) -> None:
    """Accept any inputs."""


@dataclass(frozen=True)
class Stage:
    """One step of a pipeline = one command = one action = one GitLab template.

    `parts` returns what the result depends on: a digest (or version) for each named part. It is
    cheap and imports no machine-learning library; equal parts mean that the stage need not run.
    `check` raises MlciError for inputs that can never work; it is asked before any stage runs.
    `sections` are the shared sections of mlci.yaml that it reads. `run` does the work.
    """

    name: str
    summary: str
    inputs: type[Inputs]
    parts: Callable[[Any, Context], dict[str, str]]
    run: Callable[[Any, Context], StageResult]
    after: tuple[str, ...] = ()
    sections: tuple[str, ...] = ("data",)
    can_dry_run: bool = False
    check: Callable[[Any], None] = _accept
