"""How sure an estimate is: one face for every kind of interval, so that gates need not know which it was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

from mlci.stats.exact import Tail

_NORMAL = NormalDist()


class Law(Protocol):
    """An estimate and the distribution around it.

    `bounds` and `p_below` agree: the p-value is at most alpha exactly where the upper bound at that
    alpha lies below the threshold.
    """

    @property
    def estimate(self) -> float:
        """The number itself."""

    @property
    def standard_error(self) -> float:
        """Its standard error."""

    @property
    def method(self) -> str:
        """How the interval is made, in words."""

    @property
    def replicates(self) -> int:
        """How many resamples it rests on; 0 for a closed form."""

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the bounds that are each wrong with chance alpha."""

    def p_below(self, threshold: float) -> float:
        """Return the one-sided p-value of the claim that the true number is below `threshold`."""

    def monte_carlo_error(self, alpha: float) -> float | None:
        """Return the standard error that chance in resampling leaves in a bound; None for a closed form."""


class ClosedForm:
    """What all laws without resampling have in common."""

    replicates = 0

    def monte_carlo_error(self, alpha: float) -> float | None:  # noqa: ARG002 one signature
        """Return None: nothing is drawn."""
        return None


@dataclass(frozen=True)
class Student(ClosedForm):
    """An estimate that is normal up to its estimated standard error: Student's t (Student 1908)."""

    estimate: float
    standard_error: float
    freedom: float
    method: str

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the estimate less and plus so many standard errors."""
        reach = self.standard_error * student_quantile(1 - alpha, self.freedom)
        return self.estimate - reach, self.estimate + reach

    def p_below(self, threshold: float) -> float:
        """Return the chance of an estimate so low when the true number is the threshold."""
        return student_chance((self.estimate - threshold) / self.standard_error, self.freedom)


@dataclass(frozen=True)
class Shifted(ClosedForm):
    """An estimate whose bias is known within limits: Student's t from the farther end of them on each side."""

    estimate: float
    standard_error: float
    freedom: float
    below: float
    above: float
    method: str

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the lower end less, and the upper end plus so many standard errors."""
        reach = self.standard_error * student_quantile(1 - alpha, self.freedom)
        return self.below - reach, self.above + reach

    def p_below(self, threshold: float) -> float:
        """Return the chance of an estimate so low when the true number is the threshold."""
        return student_chance((self.above - threshold) / self.standard_error, self.freedom)

    @property
    def p_equal(self) -> float:
        """The two-sided p-value that the true number is 0."""
        sides = self.above / self.standard_error, -self.below / self.standard_error
        return min(1.0, 2 * min(student_chance(side, self.freedom) for side in sides))


@dataclass(frozen=True)
class Guarded:
    """A law that is never surer than an exact bound allows, and never leaves its limits.

    A method that rests on the spread between rows is too sure when few rows speak for one side, and
    quite sure when none does. Where those rows can be told, each bound lies at least as far out as
    the exact bound of `Tail`.
    """

    law: Law
    below: Tail | None = None
    above: Tail | None = None
    limits: tuple[float, float] | None = None

    @property
    def estimate(self) -> float:
        """The number itself."""
        return self.law.estimate

    @property
    def standard_error(self) -> float:
        """The standard error of the law inside."""
        return self.law.standard_error

    @property
    def method(self) -> str:
        """The method of the law inside."""
        return self.law.method

    @property
    def replicates(self) -> int:
        """The resamples of the law inside."""
        return self.law.replicates

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the bounds of the law, moved outwards where an exact bound asks for it."""
        low, high = self.law.bounds(alpha)
        if self.below is not None:
            low = min(low, self.estimate - self.below.reach(alpha))
        if self.above is not None:
            high = max(high, self.estimate + self.above.reach(alpha))
        if self.limits is not None:
            low, high = max(low, self.limits[0]), min(high, self.limits[1])
        return low, high

    def p_below(self, threshold: float) -> float:
        """Return the larger of the two p-values."""
        if self.above is None:
            return self.law.p_below(threshold)
        return max(self.law.p_below(threshold), self.above.p_beyond(threshold - self.estimate))

    def monte_carlo_error(self, alpha: float) -> float | None:
        """Return that of the law inside."""
        return self.law.monte_carlo_error(alpha)

    def widened(self, alpha: float) -> bool:
        """Return whether an exact bound moved one of the bounds."""
        if self.below is None and self.above is None:
            return False
        return Guarded(self.law, limits=self.limits).bounds(alpha) != self.bounds(alpha)


@dataclass(frozen=True)
class Unseen(ClosedForm):
    """No row makes a difference: either side is bounded as if one kind of row had never been seen."""

    estimate: float
    tail: Tail
    method: str

    @property
    def standard_error(self) -> float:
        """The standard error that a normal law with the same 90 % interval would have."""
        return self.tail.reach(0.05) / normal_quantile(0.95)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the estimate less and plus what the rule of three allows."""
        reach = self.tail.reach(alpha)
        return self.estimate - reach, self.estimate + reach

    def p_below(self, threshold: float) -> float:
        """Return how likely no row would be seen if the number were the threshold."""
        return self.tail.p_beyond(threshold - self.estimate)


def level(confidence: float) -> float:
    """Return the error of one side of a two-sided interval; raises ValueError unless 0 < confidence < 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return round((1.0 - confidence) / 2.0, 12)


def normal_quantile(probability: float) -> float:
    """Return the quantile of the standard normal distribution."""
    return _NORMAL.inv_cdf(probability)


def normal_chance(value: float) -> float:
    """Return the chance that a standard normal number is at most `value`, exact in both tails."""
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def student_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def student_chance(value: float, freedom: float) -> float:
    """Return the chance that a number with Student's t is at most `value`."""
    from scipy.special import stdtr

    return float(stdtr(freedom, value))
