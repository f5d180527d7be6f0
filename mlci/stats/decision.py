"""Gates: what a comparison means against a margin or a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from mlci.stats.comparison import Comparison
from mlci.stats.exact import rows_to_exclude
from mlci.stats.law import normal_quantile

Verdict = Literal["passed", "failed", "inconclusive", "errored"]
MINIMUM_ROWS = 30
MINIMUM_EVENTS = 5
_POWER = 0.80
_FARTHEST = 1000
"""Advice to gather more rows than this many times today's is no advice."""


@dataclass(frozen=True)
class Decision:
    """What a gate says about one comparison.

    `word` is the verdict as a person says it. `margin` is in the unit of the metric (a relative margin
    is multiplied out); `p_value` is that of the claim that the gain is below what the gate asks.
    `sees` is the smallest difference that these rows can see with 80 % power, and `rows_needed` how
    many rows (or groups) the margin needs; both None where they have no meaning.
    """

    verdict: Verdict
    word: str
    reason: str
    margin: float | None = None
    p_value: float | None = None
    rows_needed: int | None = None
    sees: float | None = None


def no_worse_than(
    comparison: Comparison,
    margin: float,
    *,
    relative: bool = False,
    minimum_rows: int = MINIMUM_ROWS,
    minimum_events: int = MINIMUM_EVENTS,
) -> Decision:
    """Decide whether the candidate is at most `margin` worse than the baseline (non-inferiority).

    Passed when the whole interval of the gain lies above −margin, failed when it lies below, else
    inconclusive. With `relative` the margin is a share of |baseline|.
    Raises ValueError unless the margin is a number above 0.
    """
    if not (math.isfinite(margin) and margin > 0):
        raise ValueError(f"the margin of no-worse-than must be above 0, not {margin}")
    stopped = undecidable(comparison, minimum_rows, minimum_events)
    if stopped is not None:
        return stopped
    margin = _absolute(comparison, margin) if relative else margin
    if margin == 0:
        return _zero_baseline(comparison)
    return _judge(comparison, -margin, margin, missed="worse")


def better_by(
    comparison: Comparison,
    margin: float,
    *,
    relative: bool = False,
    minimum_rows: int = MINIMUM_ROWS,
    minimum_events: int = MINIMUM_EVENTS,
) -> Decision:
    """Decide whether the candidate is more than `margin` better than the baseline (superiority).

    Passed when the whole interval of the gain lies above the margin, failed when it lies below, else
    inconclusive. With `relative` the margin is a share of |baseline|.
    Raises ValueError unless the margin is a number of at least 0.
    """
    if not (math.isfinite(margin) and margin >= 0):
        raise ValueError(f"the margin of better-by must be at least 0, not {margin}")
    stopped = undecidable(comparison, minimum_rows, minimum_events)
    if stopped is not None:
        return stopped
    if relative and comparison.baseline == 0:
        return _zero_baseline(comparison)
    margin = _absolute(comparison, margin) if relative else margin
    missed = "worse" if comparison.gain_high < 0 else "not better"
    return _judge(comparison, margin, margin, missed=missed)


def at_least(
    comparison: Comparison,
    limit: float,
    *,
    on: Literal["estimate", "bound"] = "estimate",
    minimum_rows: int = MINIMUM_ROWS,
    minimum_events: int = MINIMUM_EVENTS,
) -> Decision:
    """Decide whether the candidate's own value is `limit` or more.

    On the estimate, or on the bounds of its interval: then passed when the whole interval is within
    the limit, failed when it is beyond, else inconclusive. Raises ValueError for a limit that is no number.
    """
    return _within(comparison, limit, 1.0, on, (minimum_rows, minimum_events))


def at_most(
    comparison: Comparison,
    limit: float,
    *,
    on: Literal["estimate", "bound"] = "estimate",
    minimum_rows: int = MINIMUM_ROWS,
    minimum_events: int = MINIMUM_EVENTS,
) -> Decision:
    """Decide whether the candidate's own value is `limit` or less; see `at_least`."""
    return _within(comparison, limit, -1.0, on, (minimum_rows, minimum_events))


def undecidable(comparison: Comparison, minimum_rows: int, minimum_events: int) -> Decision | None:
    """Return the decision on a comparison that cannot be judged; None when it can be."""
    few = _too_few(comparison, minimum_rows, minimum_events)
    if few is not None:
        return few
    if comparison.baseline is None:
        return Decision("errored", "no baseline", "there is no baseline to compare with")
    if comparison.problem is None:
        return None
    known = math.isfinite(comparison.candidate) and math.isfinite(comparison.baseline)
    if comparison.identical and known:
        return Decision("inconclusive", "identical", comparison.problem)
    return Decision("errored", "not computable", comparison.problem)


def sees(comparison: Comparison) -> float:
    """Return the smallest difference that these rows can see with 80 % power, in the metric's unit."""
    if comparison.identical and comparison.above is not None:
        return comparison.above.reach(comparison.alpha)
    return _reach(comparison.alpha) * comparison.standard_error


def rows_needed(comparison: Comparison, distance: float) -> int | None:
    """Return about how many rows (or groups) see a difference of `distance` with 80 % power.

    Where no row tells the models apart: how many such rows exclude it. None when that is more than
    1000 times what there is, or there is nothing to reckon with.
    """
    if distance <= 0:
        return None
    if comparison.identical and comparison.above is not None:
        if comparison.above.slope == 0:
            return None
        supporting = rows_to_exclude(distance / comparison.above.slope, comparison.alpha)
        needed = comparison.units * supporting / max(1, comparison.above.rows)
    else:
        needed = comparison.units * (sees(comparison) / distance) ** 2
    return math.ceil(needed) if needed <= _FARTHEST * comparison.units else None


def _judge(comparison: Comparison, threshold: float, margin: float, *, missed: str) -> Decision:
    """Compare the interval of the gain with the threshold that it has to lie above."""
    decision = Decision(
        "inconclusive",
        "unclear",
        "",
        margin=margin,
        p_value=comparison.p_gain_below(threshold),
        sees=sees(comparison),
    )
    asked = f"the limit is {_signed(threshold)}"
    found = f"gain {_signed(comparison.gain)}, between {_signed(comparison.gain_low)} and "
    found += f"{_signed(comparison.gain_high)} with {comparison.confidence:.4g} confidence"
    if comparison.gain_low > threshold:
        word = "better" if comparison.gain_low > 0 else "identical" if comparison.identical else "not worse"
        return replace(decision, verdict="passed", word=word, reason=f"{found}; {asked}")
    if comparison.gain_high < threshold:
        return replace(decision, verdict="failed", word=missed, reason=f"{found}; {asked}")
    needed = _more_rows(comparison, threshold, margin)
    reason = (
        f"{found}; {asked}; {comparison.units} {comparison.unit} can only see {decision.sees:.3g} or more"
    )
    if needed is not None:
        reason += f"; about {needed} {comparison.unit} are needed"
    return replace(decision, reason=reason, rows_needed=needed)


def _more_rows(comparison: Comparison, threshold: float, margin: float) -> int | None:
    """Return how many rows a verdict needs; None when the value lies so near the limit that none would do.

    Reckoned for two equally good models (a distance of the margin); where that many rows are there
    already, for the distance that was measured.
    """
    needed = rows_needed(comparison, margin)
    if needed is not None and needed <= comparison.units:
        needed = rows_needed(comparison, abs(comparison.gain - threshold))
    return needed if needed is not None and needed > comparison.units else None


def _within(
    comparison: Comparison,
    limit: float,
    sign: float,
    on: Literal["estimate", "bound"],
    minimum: tuple[int, int],
) -> Decision:
    if not math.isfinite(limit):
        raise ValueError(f"the limit must be a number, not {limit}")
    few = _too_few(comparison, *minimum)
    if few is not None:
        return few
    problem = None if math.isfinite(comparison.candidate) else f"{comparison.metric} is undefined"
    problem = comparison.own_problem or problem if on == "bound" else problem
    if problem is not None:
        return Decision("errored", "not computable", comparison.own_problem or problem)
    low = high = comparison.candidate
    if on == "bound":
        low, high = comparison.own_low, comparison.own_high
    worst, best = (low, high) if sign > 0 else (high, low)
    what = f"{comparison.candidate:.6g}" + (
        "" if on == "estimate" else f" (between {low:.6g} and {high:.6g})"
    )
    reason = f"{what}; the limit is {limit:.6g}"
    if sign * worst >= sign * limit:
        return Decision("passed", "within limit", reason)
    if sign * best < sign * limit:
        return Decision("failed", "beyond limit", reason)
    return Decision("inconclusive", "unclear", reason)


def _too_few(comparison: Comparison, minimum_rows: int, minimum_events: int) -> Decision | None:
    if comparison.units < minimum_rows:
        reason = f"{comparison.units} {comparison.unit}, at least {minimum_rows} are asked for"
    elif comparison.support < minimum_events:
        reason = (
            f"{comparison.metric} rests on {comparison.support} of {comparison.units} {comparison.unit}, "
        )
        reason += f"at least {minimum_events} are asked for"
    else:
        return None
    return Decision("inconclusive", "too few rows", reason)


def _absolute(comparison: Comparison, share: float) -> float:
    return share * abs(comparison.baseline or 0.0)


def _zero_baseline(comparison: Comparison) -> Decision:
    reason = f"the baseline's {comparison.metric} is 0, so a margin relative to it has no meaning"
    return Decision("errored", "not computable", reason)


def _reach(alpha: float) -> float:
    return normal_quantile(1.0 - alpha) + normal_quantile(_POWER)


def _signed(value: float) -> str:
    return f"{value:+.4g}".replace("-", "−")
