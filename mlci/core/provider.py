"""The port to a CI system: where text, outputs and annotations of a run go, and what it knows of the change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from mlci.core.plan import Plan
from mlci.core.results import Report
from mlci.core.review import Review


class Provider(Protocol):
    """The CI system that a run is part of: where text, outputs and annotations go."""

    name: str
    ci: bool

    def publish(self, report: Report, out: Path) -> None:
        """Publish the report by this system's own means."""

    def warn(self, text: str) -> None:
        """Say what went wrong beside the verdict, where people look for it."""

    def hand_on(self, values: Mapping[str, str]) -> None:
        """Hand short values on to later steps."""

    def publish_plan(self, plan: Plan, out: Path) -> None:
        """Hand on what a run would do: to later jobs, and to people."""

    def group(self, title: str) -> None:
        """Begin a part of the log that can be folded."""

    def end_group(self) -> None:
        """End the part of the log that `group` began."""

    def provenance(self) -> Mapping[str, str]:
        """Return commit, ref and run_url as this system knows them."""

    def review(self) -> Review | None:
        """Return what the change is based on that this job runs for; None when that is not known."""
