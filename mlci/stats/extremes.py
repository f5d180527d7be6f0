"""The law of the largest of several contrasts of rates, such as the gap between the two groups farthest apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlci.stats.law import ClosedForm, normal_quantile, student_quantile
from mlci.stats.statistic import Floats, Mask

_SPENT = 0.1
"""Share of alpha that is spent on finding which groups may be the extreme ones."""
_STEPS = 50
_LEAST, _MOST = 1e-12, 0.999
"""Levels between which a p-value is looked for."""


class Reach(NamedTuple):
    """Contrasts of rates, and the standard error of each."""

    estimates: Floats
    errors: Floats


@dataclass(frozen=True, eq=False)
class Rates:
    """The rates of groups under one model or two, and how sure they are.

    `rates` is models × groups, the candidate first; `covariance` is that of all rates in this order.
    `relative` compares two groups by their ratio in place of their difference.
    """

    rates: Floats
    covariance: Floats
    relative: bool

    @property
    def models(self) -> int:
        """The number of models."""
        return len(self.rates)

    @property
    def groups(self) -> int:
        """The number of groups."""
        return int(self.rates.shape[1])

    @cached_property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The upper and the lower group of every ordered pair."""
        upper, lower = np.nonzero(~np.eye(self.groups, dtype=np.bool_))
        return upper, lower

    @cached_property
    def gaps(self) -> Floats:
        """How far apart each pair is under each model (models × pairs): a difference, or 1 − ratio."""
        upper, lower = self.pairs
        if not self.relative:
            return np.asarray(self.rates[:, upper] - self.rates[:, lower])
        return np.asarray(1.0 - self.rates[:, lower] / self.rates[:, upper])

    @cached_property
    def spread(self) -> Floats:
        """The covariance of all gaps, those of the candidate first."""
        upper, lower = self.pairs
        count = len(upper)
        slopes = np.zeros((self.models * count, self.models * self.groups))
        for model, rates in enumerate(self.rates):
            lines, start = np.arange(count) + model * count, model * self.groups
            scale = rates[upper] if self.relative else 1.0
            share = rates[lower] / rates[upper] if self.relative else 1.0
            slopes[lines, start + upper] = share / scale
            slopes[lines, start + lower] = -1.0 / scale
        return np.asarray(slopes @ self.covariance @ slopes.T)

    def plausible(self, model: int, error: float) -> Mask:
        """Return the pairs that may be the one farthest apart under a model.

        The true one is among them but with chance `error`: a group is left out when another is
        surely larger (or smaller), by the subset selection of Gupta (1965).
        """
        rates = self.rates[model]
        start = model * self.groups
        own = self.covariance[start : start + self.groups, start : start + self.groups]
        variance = np.diag(own)[:, None] + np.diag(own) - 2 * own
        reach = normal_quantile(1 - error / 2 / (self.groups - 1)) * np.sqrt(np.maximum(variance, 0.0))
        ahead = rates[:, None] - rates > reach
        largest, smallest = ~ahead.any(axis=0), ~ahead.any(axis=1)
        upper, lower = self.pairs
        found = largest[upper] & smallest[lower]
        # One group alone cannot be both ends; then every pair is possible.
        return found if found.any() else np.ones_like(found)


@dataclass(frozen=True, eq=False)
class Extremes(ClosedForm):
    """The largest gap between groups: of one model, or how much less it is than that of another model.

    The largest of several estimates is biased upwards and is not normal where several groups are close,
    so no bootstrap of it is valid there (Andrews 2000). In its place stand two facts. The pair of groups
    that is farthest apart is one of those that `Rates.plausible` keeps. And the largest gap of one model
    less that of another is at most the difference of both models' gaps at the first one's own pair, and
    at least that at the second one's. Each bound is therefore the worst over the plausible pairs: exact
    up to the usual normal approximation where the pair is clear, cautious where it is not.
    """

    estimate: float
    rates: Rates
    freedom: float
    method: str
    sign: float = -1.0
    shift: float = 0.0

    @cached_property
    def standard_error(self) -> float:
        """The standard error at the pairs that were seen to be farthest apart."""
        places = [int(np.argmax(gaps)) for gaps in self.rates.gaps]
        if len(places) == 1:
            return math.sqrt(max(0.0, float(self.rates.spread[places[0], places[0]])))
        return float(self._between.errors[places[0], places[1]])

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the bounds that are each wrong with chance alpha at most."""
        low, high = self._gap(alpha)
        ends = (self.shift + self.sign * low, self.shift + self.sign * high)
        return min(ends), max(ends)

    def p_below(self, threshold: float) -> float:
        """Return the smallest alpha at which the upper bound lies below the threshold."""
        return self._level(lambda alpha: self.bounds(alpha)[1] < threshold)

    @property
    def p_equal(self) -> float:
        """The two-sided p-value that the number is 0."""
        one = min(self.p_below(0.0), self._level(lambda alpha: self.bounds(alpha)[0] > 0.0))
        return min(1.0, 2 * one)

    def _gap(self, alpha: float) -> tuple[float, float]:
        """Return the bounds of the largest gap, or of that of the candidate less that of the baseline."""
        spent = _SPENT * alpha / self.rates.models
        reach = _quantile(1 - (1 - _SPENT) * alpha, self.freedom)
        kept = [self.rates.plausible(model, spent) for model in range(self.rates.models)]
        if len(kept) == 1:
            return self._own_gap(kept[0], reach)
        estimates, errors = self._between
        lowest, highest = estimates - reach * errors, estimates + reach * errors
        high = np.diag(highest).copy()
        alone = kept[0] & ~kept[1]
        high[alone] = np.minimum(high[alone], highest[np.ix_(alone, kept[1])].max(axis=1))
        low = np.diag(lowest).copy()
        alone = kept[1] & ~kept[0]
        low[alone] = np.maximum(low[alone], lowest[np.ix_(kept[0], alone)].min(axis=0))
        return float(low[kept[1]].min()), float(high[kept[0]].max())

    def _own_gap(self, kept: Mask, reach: float) -> tuple[float, float]:
        errors = reach * np.sqrt(np.maximum(np.diag(self.rates.spread), 0.0))[kept]
        gaps = self.rates.gaps[0, kept]
        if not self.rates.relative:
            return max(0.0, float((gaps - errors).min())), float((gaps + errors).max())
        # A ratio is skewed where rates are small; its logarithm is less so (Katz et al. 1978).
        ratios = 1.0 - gaps
        factors = np.exp(errors / ratios)
        return max(0.0, float(1.0 - (ratios * factors).max())), float(1.0 - (ratios / factors).min())

    @cached_property
    def _between(self) -> Reach:
        """The candidate's gap at one pair (lines) less the baseline's at another (columns)."""
        count = self.rates.gaps.shape[1]
        spread = self.rates.spread
        own = np.diag(spread)
        variance = own[:count, None] + own[count:] - 2 * spread[:count, count:]
        estimates = self.rates.gaps[0][:, None] - self.rates.gaps[1]
        return Reach(estimates, np.sqrt(np.maximum(variance, 0.0)))

    def _level(self, beyond: Callable[[float], bool]) -> float:
        """Return the smallest level at which a bound is beyond a number; 1 when it never is."""
        if not beyond(_MOST):
            return 1.0
        low, high = math.log(_LEAST), math.log(_MOST)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if beyond(math.exp(middle)) else (middle, high)
        return math.exp(high)


def _quantile(probability: float, freedom: float) -> float:
    return normal_quantile(probability) if math.isinf(freedom) else student_quantile(probability, freedom)
