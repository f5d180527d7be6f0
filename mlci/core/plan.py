"""What a run would do: for each project of a repository, which stages run or are skipped, and why."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlci.core.results import SCHEMA_VERSION, Word

Action = Literal["run", "skip", "absent"]


class PlannedStage(Word):
    """What would happen with one stage, and the sentence that says why."""

    stage: str
    action: Action
    why: str


class PlannedProject(Word):
    """What would happen with one project: one mlci.yaml."""

    project: str
    name: str = Field(
        pattern="^[A-Za-z0-9_-]{1,100}$",
        description="Unique in the repository; safe in names of jobs, artifacts and caches.",
    )
    folder: str = Field(description="From the top of the repository; '.' for the top itself.")
    config: str = Field(description="Path of its mlci.yaml from the top of the repository.")
    evaluate: bool = Field(description="Whether any stage has to run.")
    why: str
    stages: list[PlannedStage]

    @property
    def until(self) -> str | None:
        """The last stage that has to run; None without one."""
        return next((stage.stage for stage in reversed(self.stages) if stage.action == "run"), None)


class Plan(Word):
    """What a run would do in a repository. `base` is the commit that it is compared with."""

    schema_version: str = SCHEMA_VERSION
    base: str | None
    evaluate: bool
    why: str
    projects: list[PlannedProject]

    @property
    def chosen(self) -> list[PlannedProject]:
        """The projects of which a stage has to run."""
        return [project for project in self.projects if project.evaluate]
