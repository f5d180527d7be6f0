"""The law of a skew estimate: Student's t on a scale on which both sides of the interval are right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from mlci.stats.law import ClosedForm, Law, Student, student_chance, student_quantile
from mlci.stats.tally import Spread

_MOST = 0.15
"""Shapes beyond this are cut: with it the scale is still in order, and few numbers cannot tell more."""
_FLAT = 2.0
"""From here on, in standard errors, the skewness is no longer corrected for where the threshold lies."""
_DOUBT = 2.0
"""What fourth moments of few units come out too small by, over the number of units; found by simulation."""
_HALVINGS = 80


class Shape(NamedTuple):
    """How a standardised estimate departs from Student's t, all of order one over the root of rows.

    `skew` is the skewness of its effects, `bend` how the slope changes along the effects, `bias` its
    bias in standard errors, and `drift` how much more skewness a sample shows for each standard error
    by which its estimate is too high.
    """

    skew: float
    bend: float = 0.0
    bias: float = 0.0
    drift: float = 0.0


@dataclass(frozen=True)
class Skewed(ClosedForm):
    """An estimate whose studentised form is skew, by the cubic transformation of Hall (1992).

    To the order of one over the root of rows, P(T ≤ x) = Φ(x) + φ(x) (skew (2x² + 1) / 6 +
    bend (x² + 1) / 2 − bias) (Hall 1992, section 2.6; for U-statistics Helmers 1991). The monotone
    cubic takes that away. The skewness is the one that is likely at the threshold and not the one that
    was seen: samples whose estimate is too high also look skew to the right.
    """

    estimate: float
    standard_error: float
    freedom: float
    shape: Shape
    method: str

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return where the transformed distance is the quantile of Student's t."""
        reach = student_quantile(1 - alpha, self.freedom)
        low, high = self._distance(reach), self._distance(-reach)
        return self.estimate - low * self.standard_error, self.estimate - high * self.standard_error

    def p_below(self, threshold: float) -> float:
        """Return the chance of an estimate so low when the true number is the threshold."""
        distance = (self.estimate - threshold) / self.standard_error
        return student_chance(self._straight(distance), self.freedom)

    def _straight(self, distance: float) -> float:
        """Return a distance in standard errors on the scale of Student's t: never falling."""
        skew, bend, bias, drift = self.shape
        # A cubic of so large a number is out of all proportion, and its chance is 0 or 1 already.
        distance = max(-1e50, min(1e50, distance))
        likely = skew - drift * max(-_FLAT, min(_FLAT, distance))
        pull = likely / 3 + bend / 2
        return distance + pull * distance**2 + pull**2 * distance**3 / 3 + likely / 6 + bend / 2 - bias

    def _distance(self, straight: float) -> float:
        """Return the distance whose place on the scale of Student's t this is."""
        low, high = -1.0, 1.0
        while self._straight(low) > straight:
            low *= 2
        while self._straight(high) < straight:
            high *= 2
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._straight(middle) < straight else (low, middle)
        return (low + high) / 2


def skewed(
    estimate: float,
    spread: Spread,
    freedom: float,
    method: str,
    *,
    units: int,
    bend: float = 0.0,
    bias: float = 0.0,
) -> Law:
    """Return the law of an estimate by the moments of its effects; Student's t where there are none.

    `bend` and `bias` are in the unit of the estimate: its second derivative along the effects over their
    variance, and its expected excess. `units` are those that the fourth moment rests on.
    """
    error = math.sqrt(spread.variance)
    if not spread.shaped:
        return Student(estimate, error, freedom, method)
    skew = spread.third / spread.variance**1.5
    drift = spread.fourth / spread.variance**2 - 1.5 * skew**2 + _DOUBT / max(1, units)
    skew, curve = _cut(3 * _MOST / 2, skew), _cut(_MOST, bend / error)
    shape = Shape(skew, curve, _cut(_MOST, bias / error), max(0.0, min(_MOST, drift)))
    return Skewed(estimate, error, freedom, shape, method)


def _cut(most: float, value: float) -> float:
    return max(-most, min(most, value)) if math.isfinite(value) else 0.0
