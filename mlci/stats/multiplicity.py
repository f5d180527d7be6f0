"""Many tests at once: how to judge a family of slices without crying wolf."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mlci.stats.comparison import Comparison
from mlci.stats.decision import MINIMUM_EVENTS, MINIMUM_ROWS, Decision, no_worse_than

Correction = Literal["holm", "benjamini-hochberg", "none"]


@dataclass(frozen=True)
class SliceFamily:
    """The decisions on slices that were judged together.

    `tested` slices had enough rows and entered the correction; `too_few` had not, and `errored` could
    not be computed.
    """

    decisions: dict[str, Decision]
    correction: Correction
    alpha: float
    tested: int
    too_few: int
    errored: int


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that the chance of any false alarm is bounded (Holm 1979).

    In the order of the input, never above 1. Raises ValueError for a number outside 0 to 1.
    """
    values, order = _ascending(p_values)
    factors = np.arange(len(values), 0, -1)
    adjusted = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return _restored(adjusted, order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that the share of false alarms is bounded (Benjamini & Hochberg 1995).

    In the order of the input, never above 1. Raises ValueError for a number outside 0 to 1.
    """
    values, order = _ascending(p_values)
    factors = len(values) / np.arange(1, len(values) + 1)
    adjusted = np.minimum.accumulate((values[order] * factors)[::-1])[::-1]
    return _restored(np.minimum(1.0, adjusted), order)


def replicates_needed(family_size: int, alpha: float = 0.05, *, least: int = 2000, spare: int = 5) -> int:
    """Return how many resamples a family of tests needs so that a regression can be found.

    The smallest bootstrap p-value is 1 / (B + 1); times the size of the family it must stay below
    alpha, with `spare` steps left so that a single resample does not decide.
    Raises ValueError for a family of less than 0 tests or an alpha outside 0 to 1.
    """
    if family_size < 0 or not 0 < alpha < 1:
        raise ValueError(f"no number of resamples fits {family_size} tests at alpha {alpha}")
    return max(least, math.ceil(round(spare * family_size / alpha, 6)) - 1)


def decide_slices(
    comparisons: Mapping[str, Comparison],
    margin: float,
    *,
    relative: bool = False,
    correction: Correction = "holm",
    alpha: float | None = None,
    minimum_rows: int = MINIMUM_ROWS,
    minimum_events: int = MINIMUM_EVENTS,
) -> SliceFamily:
    """Judge slices of one metric against one margin, as a family.

    A slice passes by its own interval, as in `no_worse_than`; it fails only when its p-value, adjusted
    for all tested slices, is at most alpha (by default that of one side of the intervals). Slices that
    are too small or cannot be computed are counted and do not enter the correction.
    Raises ValueError when there are too few resamples for any slice of so large a family to fail.
    """
    decisions = {
        name: no_worse_than(
            comparison, margin, relative=relative, minimum_rows=minimum_rows, minimum_events=minimum_events
        )
        for name, comparison in comparisons.items()
    }
    return judged_together(comparisons, decisions, correction=correction, alpha=alpha)


def judged_together(
    comparisons: Mapping[str, Comparison],
    decisions: Mapping[str, Decision],
    *,
    correction: Correction = "holm",
    alpha: float | None = None,
) -> SliceFamily:
    """Return decisions on slices, made one by one, as those of a family: failures survive a correction.

    `decisions` belong to `comparisons` by name; those with a p-value were tested. A failure whose
    adjusted p-value is above alpha (by default that of one side of the intervals) becomes unclear.
    Raises ValueError when there are too few resamples for any slice of so large a family to fail.
    """
    found = dict(decisions)
    tested = [name for name, decision in found.items() if decision.p_value is not None]
    if alpha is None:
        alpha = max((comparison.alpha for comparison in comparisons.values()), default=0.05)
    adjust = _CORRECTIONS[correction]
    _check_resolution([comparisons[name] for name in tested if comparisons[name].replicates], alpha, adjust)
    adjusted = adjust([found[name].p_value or 0.0 for name in tested])
    for name, p_value in zip(tested, adjusted, strict=True):
        found[name] = _with_family(found[name], p_value, alpha, len(tested))
    return SliceFamily(
        found,
        correction,
        alpha,
        tested=len(tested),
        too_few=sum(decision.word == "too few rows" for decision in found.values()),
        errored=sum(decision.verdict == "errored" for decision in found.values()),
    )


def _with_family(decision: Decision, p_value: float, alpha: float, tested: int) -> Decision:
    decision = replace(decision, p_value=p_value)
    if decision.verdict != "failed" or p_value <= alpha:
        return decision
    reason = f"{decision.reason}; not certain enough among {tested} slices (adjusted p = {p_value:.3g})"
    return replace(decision, verdict="inconclusive", word="unclear", reason=reason)


def _check_resolution(
    comparisons: Sequence[Comparison], alpha: float, adjust: Callable[[Sequence[float]], list[float]]
) -> None:
    """Refuse a family in which even the clearest slice could not fail."""
    if not comparisons:
        return
    fewest = min(comparison.replicates for comparison in comparisons)
    clearest = [1.0 / (fewest + 1)] + [1.0] * (len(comparisons) - 1)
    if adjust(clearest)[0] > alpha:
        needed = replicates_needed(len(comparisons), alpha)
        raise ValueError(
            f"{fewest} resamples cannot show a regression in one of {len(comparisons)} slices: "
            f"at least {needed} are needed"
        )


def _unadjusted(p_values: Sequence[float]) -> list[float]:
    return [float(value) for value in p_values]


_CORRECTIONS: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "none": _unadjusted,
}


def _ascending(p_values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(p_values, dtype=np.float64)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"p-values must lie between 0 and 1: {list(p_values)}")
    return values, np.argsort(values, kind="stable")


def _restored(adjusted: np.ndarray, order: np.ndarray) -> list[float]:
    found = np.empty(len(adjusted))
    found[order] = adjusted
    return [float(value) for value in found]
