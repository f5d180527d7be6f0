"""Confidence bounds from bootstrap replicates, with a guard against certainty from too few rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mlci.stats.statistic import Floats

_MOST_UNDEFINED = 0.02
"""Share of replicates that may be undefined: dropping more would bias what is left."""


@dataclass(frozen=True)
class Tail:
    """How far a number may lie beyond an estimate, judged by the rows that speak for that side.

    Of `rows` independent units, `seen` pull the estimate to this side; a share of such units that is
    larger by s moves the number by s × `slope`. The largest share that is consistent with what was
    seen is the exact binomial bound (Clopper & Pearson 1934); without any such row that is the exact
    rule of three, 1 − alpha^(1/rows) (Hanley & Lippman-Hand 1983).
    """

    rows: int
    seen: int
    slope: float

    def reach(self, alpha: float) -> float:
        """Return how far beyond the estimate the number may lie at level alpha."""
        return self.slope * (largest_share(self.seen, self.rows, alpha) - self.seen / max(1, self.rows))

    def p_beyond(self, distance: float) -> float:
        """Return how likely so few rows would be seen if the number lay `distance` beyond the estimate."""
        if distance <= 0 or self.rows == 0:
            return 1.0
        if self.slope == 0:
            return 0.0
        return _binomial_at_most(self.seen, self.rows, self.seen / self.rows + distance / self.slope)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known about one number: all that an interval method may look at.

    `estimate` is the number itself and `replicates` its bootstrap values. `rows` is the number of
    independent units it rests on, `span` how far the number could move if all of them were different,
    and `limits` the values that it cannot leave. `below` and `above` say what is known of the rows that
    pull the estimate down and up; None where they cannot be told or are many.
    """

    estimate: float
    replicates: Floats
    rows: int
    span: float | None = None
    limits: tuple[float, float] | None = None
    below: Tail | None = None
    above: Tail | None = None


@dataclass(frozen=True)
class Bounds:
    """A two-sided interval, its standard error, and what was done to it.

    `below` and `above` are the exact bounds that the interval respects on either side, `widened` says
    that one of them was needed. `problem` says why there is no usable interval; low and high are
    then NaN.
    """

    low: float
    high: float
    standard_error: float
    finite: int
    below: Tail | None = None
    above: Tail | None = None
    widened: bool = False
    problem: str | None = None


IntervalMethod = Callable[[Evidence, float], Bounds]
"""Every way to make an interval: from evidence and the confidence (0 to 1) to bounds."""


def percentile(evidence: Evidence, confidence: float) -> Bounds:
    """Return the percentile interval of bootstrap replicates (Efron & Tibshirani 1993, section 13.3).

    With B finite replicates and α = (1 − confidence) / 2 the bounds are the k-th smallest and the k-th
    largest replicate, k = ⌊α(B + 1)⌋: symmetric under a change of sign, and in step with the p-value
    (1 + #{replicates ≥ threshold}) / (B + 1). Undefined replicates are left out; with more than 2 % of
    them the interval is unusable.

    A resample can only repeat what was seen, so the bootstrap is too certain when few rows speak for
    one side, and quite certain when none does. Where those rows can be told, each bound lies at least
    as far out as the exact binomial bound of `Tail`; and when all replicates are equal, both sides are
    bounded as if no row had been seen to differ.
    Raises ValueError when there are too few replicates for the confidence.
    """
    alpha = level(confidence)
    finite = evidence.replicates[np.isfinite(evidence.replicates)]
    asked = len(evidence.replicates)
    if asked - len(finite) > _MOST_UNDEFINED * asked:
        share = (asked - len(finite)) / asked
        return _unusable(f"undefined in {share:.0%} of the resamples: too few rows of one kind", len(finite))
    ordered = np.sort(finite)
    rank = math.floor(round(alpha * (len(ordered) + 1), 9))
    if rank < 1:
        raise ValueError(f"{asked} resamples are too few for {confidence:.4g} confidence")
    low, high = float(ordered[rank - 1]), float(ordered[-rank])
    error = float(np.std(ordered, ddof=1))
    below, above = evidence.below, evidence.above
    if ordered[-1] - ordered[0] <= 1e-12 * max(abs(ordered[0]), abs(ordered[-1])):
        if evidence.span is None:
            problem = "no row makes a difference, and the metric has no bound to reason with"
            return _unusable(problem, len(finite))
        below = above = Tail(evidence.rows, 0, evidence.span)
        error = below.reach(alpha) / quantile(1 - alpha)
    farther = min(low, evidence.estimate - below.reach(alpha)) if below else low
    further = max(high, evidence.estimate + above.reach(alpha)) if above else high
    widened = farther < low or further > high
    if evidence.limits is not None:
        farther, further = max(farther, evidence.limits[0]), min(further, evidence.limits[1])
    return Bounds(farther, further, error, len(finite), below, above, widened)


def largest_share(seen: int, rows: int, alpha: float) -> float:
    """Return the largest share of a kind of which `seen` among `rows` were found, at level alpha.

    The upper bound of Clopper & Pearson (1934): the share at which so few are found with chance alpha.
    """
    if seen >= rows:
        return 1.0
    if seen == 0:
        return float(1.0 - alpha ** (1.0 / rows))
    low, high = seen / rows, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _binomial_at_most(seen, rows, middle) > alpha else (low, middle)
    return high


def rows_to_exclude(share: float, alpha: float) -> int:
    """Return how many rows must all agree before a share this large is excluded at level alpha."""
    return 1 if share >= 1 else math.ceil(math.log(alpha) / math.log1p(-share))


def level(confidence: float) -> float:
    """Return the error of one side of a two-sided interval; raises ValueError unless 0 < confidence < 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return round((1.0 - confidence) / 2.0, 12)


def quantile(probability: float) -> float:
    """Return the quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def _binomial_at_most(seen: int, rows: int, share: float) -> float:
    """Return the chance of at most `seen` among `rows` when each is of the kind with chance `share`."""
    if share <= 0 or seen >= rows:
        return 1.0
    if share >= 1:
        return 0.0
    drawn = np.arange(seen + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((rows - drawn[:-1]) / (drawn[:-1] + 1)))])
    chances = ways + drawn * math.log(share) + (rows - drawn) * math.log1p(-share)
    return min(1.0, float(np.exp(chances).sum()))


def _unusable(problem: str, finite: int) -> Bounds:
    return Bounds(math.nan, math.nan, math.nan, finite, problem=problem)
