"""What was found on slices as checks: the count of a gate's slices, the worst of them, and those that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from mlci.core.gates import Gate
from mlci.core.names import kebab
from mlci.core.results import Check, Interval, Metric
from mlci.core.status import Status, severity
from mlci.stages._gate_checks import (
    finite,
    limit_of,
    metric_of,
    name_of,
    rests_on,
    signed,
    status_of_decision,
)
from mlci.stats.comparison import Comparison
from mlci.stats.decision import Decision
from mlci.stats.worst import WorstSlice

_MOST_NAMED = 10


def summary_of(gate: Gate, decisions: Mapping[str, Decision], correction: str, where: str | None) -> Check:
    """Return the check that counts the slices of a gate by verdict."""
    words: dict[str, int] = {}
    for decision in decisions.values():
        words[decision.word] = words.get(decision.word, 0) + 1
    counted = ", ".join(f"{count} {word}" for word, count in sorted(words.items(), key=lambda item: -item[1]))
    return Check(
        name=f"{name_of(gate, None)} per slice",
        status=Status.PASSED,
        message=f"{gate.metric} on {len(decisions)} slices{correction}: {counted}",
        observed=words,
        where=where,
    )


def no_slices(gate: Gate, where: str | None) -> Check:
    """Return the check of a gate that asks for slices where there are none."""
    return Check(
        name=f"{name_of(gate, None)} per slice",
        status=Status.WARNED,
        message=f"{gate.metric} asks for slices, but data.slices names no column",
        where=where,
    )


def worst_first(checks: Sequence[Check]) -> list[Check]:
    """Return the checks of slices with the worst first: those that block, by how sure that is."""

    def order(check: Check) -> tuple[int, float]:
        troubled = severity(check.status) > severity(Status.PASSED)
        return (-severity(check.status) if troubled else 0, (check.p_value or 0.0) if troubled else 0.0)

    return sorted(checks, key=order)


def worst_check(
    gate: Gate,
    family: Mapping[str, Comparison],
    worst: WorstSlice | None,
    policy: Literal["pass", "warn", "fail"],
    where: str | None,
) -> Check:
    """Return the one check of a worst-slice gate; `policy` says what an unclear verdict does."""
    if worst is None:
        unclear = Decision("inconclusive", "too few rows", "")
        return Check(
            name=name_of(gate, None),
            status=status_of_decision(gate, unclear, policy),
            word=unclear.word,
            message=f"Worst-slice {gate.metric} could not be judged: none of {len(family)} slices has enough rows",
            limit=limit_of(gate, next(iter(family.values())).direction),
            where=where,
        )
    comparison, decision = family[worst.name], worst.decision
    return Check(
        name=name_of(gate, None),
        status=status_of_decision(gate, decision, policy),
        word=decision.word,
        message=_sentence(gate, comparison, worst),
        limit=limit_of(gate, comparison.direction),
        metric=_metric(gate, comparison, worst),
        p_value=decision.p_value,
        observed={
            "slice": worst.name,
            "tested": worst.tested,
            "passed": worst.passed,
            "left_out": worst.left_out,
            "own_interval": [comparison.low, comparison.high],
            "rows_needed": decision.rows_needed,
            "sees": decision.sees,
            "support": comparison.support,
            "method": worst.method,
        },
        expected={kebab(gate.kind): gate.limit},
        where=where,
    )


def _metric(gate: Gate, comparison: Comparison, worst: WorstSlice) -> Metric:
    interval = None
    if worst.interval is not None and None not in map(finite, worst.interval):
        interval = Interval(
            low=worst.interval[0],
            high=worst.interval[1],
            confidence=1 - 2 * comparison.alpha / worst.tested,
            method=worst.method,
        )
    found = metric_of(gate, comparison)
    return found.model_copy(update={"name": f"worst-slice {comparison.metric}", "interval": interval})


def _sentence(gate: Gate, comparison: Comparison, worst: WorstSlice) -> str:
    decision, limit = worst.decision, limit_of(gate, comparison.direction)
    text = f"{comparison.metric} on {worst.name}, the worst of {worst.tested} slices, is {decision.word}: "
    if gate.needs_baseline and comparison.delta is not None:
        low, high = worst.interval or (comparison.low, comparison.high)
        text += f"{comparison.baseline:.4g} → {comparison.candidate:.4g}, change {signed(comparison.delta)}"
        text += f" [{signed(low)}, {signed(high)}], limit {limit} ({comparison.n:,} rows"
        text += f", adjusted p = {decision.p_value:.3g}" if decision.p_value is not None else ""
        text += f"{rests_on(comparison)})"
    else:
        text += f"{comparison.candidate:.4g} ({limit}, {comparison.n:,} rows)"
    if decision.verdict == "passed":
        text += "; each of them passes by itself"
    elif decision.verdict == "inconclusive":
        text += f"; {worst.passed} of {worst.tested} pass by themselves"
        text += f", about {decision.rows_needed:,} rows are needed there" if decision.rows_needed else ""
    return text + (f"; {worst.left_out} too small or not computable" if worst.left_out else "")


def presence(
    gone: Mapping[str, int], missing: Sequence[str], known: int, *, blocking: bool, where: str | None
) -> Check:
    """Return the check that no slice is gone.

    `gone` are slices that the baseline was judged on, with their rows then; `missing` are those that
    data.slices declares; `known` is how many were looked for.
    """
    if not gone and not missing:
        return Check(
            name="slices have rows",
            status=Status.PASSED,
            message=f"each of {known} slices that were judged before or are declared has rows",
            where=where,
        )
    before = [f"{name} ({rows:,} rows before)" for name, rows in gone.items()]
    named = [*before, *(f"{name} (declared)" for name in missing)]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return Check(
        name="slices have rows",
        status=Status.FAILED if blocking else Status.WARNED,
        word="gone",
        message=f"{len(named)} slice{'s have' if len(named) > 1 else ' has'} no rows in the evaluation data any more: "
        f"{', '.join(named[:_MOST_NAMED])}{more}; bring such rows back, or list the values that count "
        "under values of the entry in data.slices",
        observed={"gone": dict(list(gone.items())[:100]), "declared": list(missing)[:100]},
        where=where,
    )
