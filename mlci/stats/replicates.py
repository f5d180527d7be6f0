"""The law of bootstrap replicates: bias-corrected and accelerated (BCa)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlci.stats.law import normal_chance, normal_quantile
from mlci.stats.statistic import Floats

_MOST_UNDEFINED = 0.02
"""Share of replicates that may be undefined: dropping more would bias what is left."""


@dataclass(frozen=True, eq=False)
class Resampled:
    """Ordered bootstrap replicates of an estimate; the interval is BCa (Efron 1987).

    `acceleration` is the skewness of what single rows add, over six. With B replicates a bound is the
    k-th smallest or largest, k = ⌊level × (B + 1)⌋ at the corrected level, in step with the p-value
    (1 + #{replicates ≥ threshold}) / (B + 1).
    """

    estimate: float
    ordered: Floats
    acceleration: float
    words: str = field(default="bootstrap")

    @property
    def replicates(self) -> int:
        """How many replicates there are."""
        return len(self.ordered)

    @property
    def method(self) -> str:
        """The kind of bootstrap."""
        return self.words

    @cached_property
    def standard_error(self) -> float:
        """The standard deviation of the replicates."""
        return float(np.std(self.ordered, ddof=1))

    @cached_property
    def bias(self) -> float:
        """How far the median of the replicates lies from the estimate, in standard errors."""
        count = len(self.ordered)
        below = np.searchsorted(self.ordered, self.estimate, side="left")
        up_to = np.searchsorted(self.ordered, self.estimate, side="right")
        return normal_quantile(min(max((below + up_to) / (2 * count), 1 / (count + 1)), count / (count + 1)))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the bounds; raises ValueError when there are too few replicates for the level."""
        low, high = self._rank(alpha, -1.0), self._rank(alpha, 1.0)
        # A bound beyond all replicates lies at least as far out as a normal law would put it.
        reach = normal_quantile(1 - alpha) * self.standard_error
        return (
            float(self.ordered[low - 1]) if low else min(float(self.ordered[0]), self.estimate - reach),
            float(self.ordered[-high]) if high else max(float(self.ordered[-1]), self.estimate + reach),
        )

    def p_below(self, threshold: float) -> float:
        """Return the smallest level at which the upper bound lies below the threshold."""
        beyond = len(self.ordered) - int(np.searchsorted(self.ordered, threshold, side="left"))
        share = (1 + beyond) / (1 + len(self.ordered))
        if share >= 1:
            return 1.0
        distance = normal_quantile(1 - share) - self.bias
        shrunk = 1 + self.acceleration * distance
        if shrunk <= 0:  # so far out that the correction has no meaning: the plain percentile
            return share
        return normal_chance(self.bias - distance / shrunk)

    def monte_carlo_error(self, alpha: float) -> float:
        """Return the standard error of the less certain bound, from the spacing of replicates around it."""
        return max(self._error(self._rank(alpha, -1.0)), self._error(self._rank(alpha, 1.0)))

    def _rank(self, alpha: float, side: float) -> int:
        """Return how many replicates lie at or beyond the bound on one side; 0 for one beyond them all."""
        distance = self.bias + side * normal_quantile(1 - alpha)
        shrunk = 1 - self.acceleration * distance
        share = normal_chance(-side * (self.bias + distance / shrunk)) if shrunk > 0 else alpha
        rank = math.floor(round(share * (len(self.ordered) + 1), 9))
        if round(alpha * (len(self.ordered) + 1), 9) < 1:
            raise ValueError(f"{len(self.ordered)} resamples are too few for {1 - 2 * alpha:.4g} confidence")
        return min(rank, len(self.ordered))

    def _error(self, rank: int) -> float:
        """Return the standard error of the rank-th replicate from an end (Woodruff 1952)."""
        count, rank = len(self.ordered), max(1, rank)
        share = rank / (count + 1)
        reach = math.sqrt(count * share * (1 - share))
        ends = [min(max(round(rank + sign * reach), 1), count) for sign in (-1, 1)]
        widths = [
            abs(self.ordered[ends[1] - 1] - self.ordered[ends[0] - 1]),
            abs(self.ordered[-ends[0]] - self.ordered[-ends[1]]),
        ]
        return float(max(widths)) / 2


def resampled(estimate: float, replicates: Floats, left_out: Floats, words: str) -> Resampled | str | None:
    """Return the law of replicates; a reason when too many are undefined, None when all are equal.

    `left_out` are the values without one block of rows each (the grouped jackknife), from which the
    acceleration is reckoned (Efron & Tibshirani 1993, section 14.3).
    """
    ordered = np.sort(replicates[np.isfinite(replicates)])
    asked = len(replicates)
    if asked - len(ordered) > _MOST_UNDEFINED * asked:
        share = (asked - len(ordered)) / asked
        return f"undefined in {share:.0%} of the resamples: too few rows of one kind"
    if ordered[-1] - ordered[0] <= 1e-12 * max(abs(ordered[0]), abs(ordered[-1])):
        return None
    return Resampled(estimate, ordered, _acceleration(left_out[np.isfinite(left_out)]), words)


def _acceleration(left_out: Floats) -> float:
    if len(left_out) < 2:
        return 0.0
    pulls = left_out.mean() - left_out
    squares = float(pulls @ pulls)
    return float((pulls**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
