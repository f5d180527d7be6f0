"""The worst of many slices: which one it is, and what may be said of a slice that was picked for being worst."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mlci.stats.comparison import Comparison
from mlci.stats.decision import Decision

Bounds = tuple[float, float]


@dataclass(frozen=True)
class WorstSlice:
    """The verdict on a family of slices, and the slice that it rests on.

    `interval` is in the unit and sign of what is judged: candidate − baseline, or the candidate's value.
    It is one of as many intervals as slices were `tested`, which all hold at once with the confidence
    that one alone would have, so that it may be read for a slice that was picked after looking
    (Bonferroni; Dunn 1961). `decision.p_value` is adjusted for the number of slices; for the smallest
    of them, Holm's adjustment and Bonferroni's are the same.
    """

    name: str
    decision: Decision
    interval: Bounds | None
    method: str
    tested: int
    passed: int
    left_out: int


def worst_gain(
    comparisons: Mapping[str, Comparison], decisions: Mapping[str, Decision], alpha: float
) -> WorstSlice | None:
    """Return the verdict on the slice with the most evidence against it; None when none could be judged.

    `decisions` are those of each slice by itself, at alpha on each side. All of them passing is a pass
    without any correction: every slice had to (intersection–union; Berger 1982). It fails when the
    smallest p-value, times the number of slices tested, is at most alpha, which is where the interval
    of that slice lies beyond the limit as a whole.
    """
    tested = [name for name, decision in decisions.items() if decision.p_value is not None]
    if not tested:
        return None
    share = alpha / len(tested)

    def badness(name: str) -> tuple[float, float]:
        return (decisions[name].p_value or 0.0, comparisons[name].gain_low)

    name = min(tested, key=badness)
    comparison, decision = comparisons[name], decisions[name]
    low, high = comparison.law.bounds(share) if comparison.law else (math.nan, math.nan)
    p_value = min(1.0, (decision.p_value or 0.0) * len(tested))
    passed = sum(decisions[each].verdict == "passed" for each in tested)
    decision = replace(decision, p_value=p_value)
    if passed < len(tested) and not (decision.verdict == "failed" and p_value <= alpha):
        decision = replace(decision, verdict="inconclusive", word="unclear")
    return WorstSlice(
        name,
        decision,
        (low, high) if comparison.sign > 0 else (-high, -low),
        _method(comparison.method, len(tested), alpha),
        len(tested),
        passed,
        len(decisions) - len(tested),
    )


def worst_value(
    comparisons: Mapping[str, Comparison],
    decisions: Mapping[str, Decision],
    limit: float,
    alpha: float,
    *,
    side: Literal["at_least", "at_most"],
    on: Literal["estimate", "bound"],
) -> WorstSlice | None:
    """Return the verdict on the slice whose own value is worst; None when none could be judged.

    On the bound, a slice counts as beyond the limit when its simultaneous interval is, and the worst is
    the one whose better end is worst.
    """
    tested = [name for name, found in decisions.items() if _is_tested(found)]
    if not tested:
        return None
    sign = 1.0 if side == "at_least" else -1.0
    share = alpha / len(tested)
    bounds = {name: _own_bounds(comparisons[name], share) for name in tested}

    def badness(name: str) -> float:
        if on == "estimate" or bounds[name] is None:
            return sign * comparisons[name].candidate
        low, high = bounds[name] or (math.nan, math.nan)
        return sign * (high if sign > 0 else low)

    name = min(tested, key=badness)
    decision = decisions[name]
    passed = sum(decisions[each].verdict == "passed" for each in tested)
    if on == "bound" and passed < len(tested):
        beyond = badness(name) < sign * limit
        decision = replace(
            decision,
            verdict="failed" if beyond else "inconclusive",
            word="beyond limit" if beyond else "unclear",
        )
    own = comparisons[name]
    method = _method(own.own_law.method if own.own_law else "none", len(tested), alpha)
    return WorstSlice(name, decision, bounds[name], method, len(tested), passed, len(decisions) - len(tested))


def beyond_together(
    comparisons: Mapping[str, Comparison],
    decisions: Mapping[str, Decision],
    limit: float,
    alpha: float,
    *,
    side: Literal["at_least", "at_most"],
) -> dict[str, Decision]:
    """Return decisions on slices' own bounds, in which a failure holds for all slices tested at once.

    A slice whose interval is beyond the limit by itself, but not as one of so many (Bonferroni), is unclear.
    """
    sign = 1.0 if side == "at_least" else -1.0
    tested = [name for name in decisions if _is_tested(decisions[name])]
    found = dict(decisions)
    for name in tested:
        bounds = _own_bounds(comparisons[name], alpha / len(tested))
        if decisions[name].verdict != "failed" or bounds is None:
            continue
        if sign * (bounds[1] if sign > 0 else bounds[0]) >= sign * limit:
            found[name] = replace(decisions[name], verdict="inconclusive", word="unclear")
    return found


def _is_tested(decision: Decision) -> bool:
    return decision.verdict != "errored" and decision.word != "too few rows"


def _own_bounds(comparison: Comparison, share: float) -> Bounds | None:
    return None if comparison.own_law is None else comparison.own_law.bounds(share)


def _method(method: str, tested: int, alpha: float) -> str:
    if tested == 1:
        return method
    return f"{method}; valid at once for all {tested} slices tested (Bonferroni, {alpha / tested:.2g} a side)"
