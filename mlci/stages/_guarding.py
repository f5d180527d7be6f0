"""What must be true of the evaluation rows before a verdict on them is believed, and how often they were used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.core.ports import Baseline
from mlci.core.results import Check
from mlci.core.stage import Context
from mlci.core.status import Status

if TYPE_CHECKING:
    from mlci.stages.compare_to_baseline import CompareInputs


def leakage(inputs: CompareInputs, context: Context, rows: int) -> list[Check]:
    """Return what the guards say about the evaluation rows."""
    from mlci.guards import LeakageLimits, leakage_checks, look_for_leaks

    if inputs.leakage == "off":
        return []
    with context.step("look for training rows among the evaluation rows"):
        found = look_for_leaks(context.data, context.root, context.digests, context.cache)
    return leakage_checks(found, context.data, rows, LeakageLimits(inputs.leakage, inputs.allow_shared))


def evaluation_use(context: Context, baseline: Baseline | None, candidate: Path) -> dict[str, Any]:
    """Return the evaluation set's digest and how many candidates it has decided on, this one included."""
    from mlci.guards import count_use

    digest = context.digests.of(context.existing(context.data.evaluate or "", "data.evaluate"))
    told = 0
    if baseline is not None and baseline.evaluation_digest == digest:
        text = str(baseline.details.get("evaluation_uses"))
        told = int(text) if text.isdecimal() else 0
    uses = count_use(context.cache, digest, context.digests.of(candidate), at_least=told)
    return {"sha256": digest, "uses": uses}


def with_guards(checks: list[Check], guards: list[Check]) -> list[Check]:
    """Return all checks; a guard that failed comes first, since no number below it can be believed."""
    failed = [check for check in guards if check.status is Status.FAILED]
    return [*failed, *checks, *(check for check in guards if check.status is not Status.FAILED)]
