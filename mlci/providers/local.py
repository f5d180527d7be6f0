"""A machine of your own, or a CI system that mlci does not know: plain lines, no publishing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from mlci.core.plan import Plan
from mlci.core.results import Report
from mlci.core.review import Review
from mlci.reporters._escape import printable


class LocalProvider:
    """Publishes nothing: the console and the output folder are all there is."""

    def __init__(self, *, ci: bool) -> None:
        self.name = "local"
        self.ci = ci

    def publish(self, report: Report, out: Path) -> None:
        """Do nothing."""

    def publish_plan(self, plan: Plan, out: Path) -> None:
        """Do nothing."""

    def group(self, title: str) -> None:
        """Print a line that begins a stage."""
        print(f"• {printable(title, 200)}", file=sys.stderr, flush=True)  # noqa: T201 - this is the edge

    def end_group(self) -> None:
        """Do nothing: lines are not folded here."""

    def provenance(self) -> Mapping[str, str]:
        """Return nothing: git knows commit and branch."""
        return {}

    def review(self) -> Review | None:
        """Return nothing: `--base` names what a change is based on."""
        return None


def provider(variables: Mapping[str, str]) -> LocalProvider | None:  # noqa: ARG001 - the common signature
    """Return None: this one is chosen when no other claims the run."""
    return None
