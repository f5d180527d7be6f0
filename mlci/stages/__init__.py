"""The stages of a pipeline: one file of this folder for each, in the order that `after` gives."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

from mlci.core.registry import Registry
from mlci.core.stage import Stage

VERDICT_STAGE = "compare-to-baseline"
"""The last stage that a change under review may run: what comes after it publishes."""

STAGES: Registry[Stage] = Registry("mlci.stages", "stage")


def ordered_stages() -> list[Stage]:
    """Return all stages, each after those whose results it uses; ties in the order of names."""
    stages = {stage.name: stage for stage in STAGES}
    graph = {name: [before for before in stages[name].after if before in stages] for name in sorted(stages)}
    return [stages[name] for name in TopologicalSorter(graph).static_order()]


def under_review(stages: Sequence[Stage]) -> list[Stage]:
    """Return those of `stages` that a change under review may run: the ones up to the verdict."""
    reviewed = set()
    for stage in ordered_stages():
        reviewed.add(stage.name)
        if stage.name == VERDICT_STAGE:
            break
    return [stage for stage in stages if stage.name in reviewed]
