"""What a gate found as a check: its name, its limit, its status and the sentence that a person reads."""

from __future__ import annotations

import math
from typing import Literal

from mlci.core.gates import Gate
from mlci.core.names import kebab
from mlci.core.results import Check, Interval, Metric
from mlci.core.status import Status
from mlci.stats.comparison import Comparison
from mlci.stats.decision import Decision


def check_of(
    gate: Gate,
    comparison: Comparison,
    decision: Decision,
    policy: Literal["pass", "warn", "fail"],
    where: str | None,
) -> Check:
    """Return the check of one gate on one comparison; `policy` says what an unclear verdict does."""
    metric = metric_of(gate, comparison)
    return Check(
        name=name_of(gate, comparison.slice),
        status=status_of_decision(gate, decision, policy),
        word=decision.word,
        message=_sentence(gate, comparison, decision),
        limit=limit_of(gate, comparison.direction),
        slice=comparison.slice,
        metric=metric,
        p_value=decision.p_value,
        observed={
            "rows_needed": decision.rows_needed,
            "sees": decision.sees,
            "method": comparison.method,
            **_equality(gate, comparison, decision),
        },
        expected={kebab(gate.kind): gate.limit},
        where=where,
    )


def _equality(gate: Gate, comparison: Comparison, decision: Decision) -> dict[str, float | str]:
    """Return the p-value that both models are equal, and of which test; nothing where none is judged."""
    if not gate.needs_baseline or comparison.delta is None or decision.p_value is None:
        return {}
    value = finite(comparison.p_equal)
    return {} if value is None else {"p_equal": value, "equality_test": comparison.equality_test}


def status_of_decision(gate: Gate, decision: Decision, policy: Literal["pass", "warn", "fail"]) -> Status:
    """Return what a decision means for the run; `policy` says what an unclear one does."""
    match decision.verdict:
        case "passed":
            return Status.PASSED
        case "failed":
            status = Status.FAILED
        case "errored":
            # A slice of one class has no such metric: that is a fact about the slice, not a failure.
            status = Status.ERRORED
        case _ if decision.word == "too few rows" and policy == "pass":
            return Status.SKIPPED
        case _:
            status = {"pass": Status.PASSED, "warn": Status.INCONCLUSIVE, "fail": Status.FAILED}[policy]
    return Status.WARNED if gate.advisory and status in (Status.FAILED, Status.ERRORED) else status


def metric_of(gate: Gate, comparison: Comparison) -> Metric:
    """Return the numbers of a comparison as a gate asks about them: the change, or the candidate's own value."""
    paired = comparison.delta is not None
    low, high = (
        (comparison.low, comparison.high)
        if paired and gate.needs_baseline
        else (comparison.own_low, comparison.own_high)
    )
    usable = math.isfinite(low) and math.isfinite(high)
    return Metric(
        name=comparison.metric,
        value=finite(comparison.candidate),
        direction=comparison.direction,
        n=comparison.n,
        slice=comparison.slice,
        baseline=finite(comparison.baseline),
        delta=finite(comparison.delta) if gate.needs_baseline else None,
        interval=Interval(
            low=low,
            high=high,
            confidence=comparison.confidence,
            method=comparison.method,
            monte_carlo_error=finite(comparison.monte_carlo_error),
        )
        if usable
        else None,
    )


def finite(value: float | None) -> float | None:
    """Return a number, or None for one that is not finite."""
    return value if value is not None and math.isfinite(value) else None


def name_of(gate: Gate, slice_: str | None) -> str:
    """Return the name of a check: stable, without measured values."""
    worst = "Worst-slice " if gate.worst_slice else ""
    share = " relative" if gate.relative else ""
    place = f" [{slice_}]" if slice_ else ""
    return f"{worst}{gate.metric} {kebab(gate.kind)} {gate.limit_text}{share}{place}"


def limit_of(gate: Gate, direction: str) -> str:
    """Return the limit of a gate as a person reads it."""
    share = " of the baseline" if gate.relative else ""
    match gate.kind:
        case "no_worse_than":
            return (f"≥ −{gate.limit:g}" if direction == "higher" else f"≤ +{gate.limit:g}") + share
        case "better_by":
            return (f"> +{gate.limit:g}" if direction == "higher" else f"< −{gate.limit:g}") + share
        case "at_least":
            return f"value ≥ {gate.limit:g}"
        case _:
            return f"value ≤ {gate.limit:g}"


def _sentence(gate: Gate, comparison: Comparison, decision: Decision) -> str:
    place = f" on {comparison.slice}" if comparison.slice else ""
    subject = f"{comparison.metric}{place} is {decision.word}"
    if not gate.needs_baseline or comparison.delta is None:
        return f"{subject}: {comparison.candidate:.4g} ({limit_of(gate, comparison.direction)}, {comparison.n:,} rows)"
    if decision.word == "too few rows" or decision.verdict == "errored":
        return f"{comparison.metric}{place} could not be judged: {decision.reason}"
    adjusted = (
        f", adjusted p = {decision.p_value:.3g}" if comparison.slice and decision.p_value is not None else ""
    )
    adjusted += rests_on(comparison)
    text = (
        f"{subject}: {comparison.baseline:.4g} → {comparison.candidate:.4g}, change {signed(comparison.delta)}"
        f" [{signed(comparison.low)}, {signed(comparison.high)}], limit {limit_of(gate, comparison.direction)}"
        f" ({comparison.n:,} rows{adjusted})"
    )
    if decision.word == "unclear" and decision.sees is not None:
        text += f"; these rows can only see {decision.sees:.3g} or more"
        text += f", about {decision.rows_needed:,} are needed" if decision.rows_needed else ""
    return text


def rests_on(comparison: Comparison) -> str:
    """Return how many rows (or groups) of a slice its metric rests on, where that is not all of them."""
    if comparison.slice is None or comparison.support >= comparison.units:
        return ""
    positives = comparison.metric == "recall" and comparison.unit == "rows"
    what = "positives" if positives else f"{comparison.unit} that it rests on"
    return f", {comparison.support:,} {what}"


def signed(value: float) -> str:
    """Return a change with its sign and four decimals."""
    return f"{value:+.4f}".replace("-", "−")


def waiting(gate: Gate, comparison: Comparison, where: str | None) -> Check:
    """Return the check of a gate that needs a baseline while there is none."""
    return Check(
        name=name_of(gate, None),
        status=Status.SKIPPED,
        word="no baseline yet",
        message=f"{gate.metric} is {comparison.candidate:.4g}; there is no baseline to compare with yet",
        limit=limit_of(gate, comparison.direction),
        metric=metric_of(gate, comparison),
        where=where,
    )


def identical_decision(gate: Gate) -> Decision:
    """Return the decision on one and the same model."""
    if gate.kind == "better_by" and gate.limit > 0:
        return Decision("failed", "identical", "candidate and baseline are the same model")
    return Decision("passed", "identical", "candidate and baseline are the same model")
