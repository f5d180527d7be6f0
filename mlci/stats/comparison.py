"""What a comparison of two models on one metric and one slice found, in plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from mlci.stats.exact import Tail
from mlci.stats.extremes import Extremes
from mlci.stats.law import Guarded, Law, Shifted, level
from mlci.stats.shares import PairedShares


@dataclass(frozen=True)
class Comparison:
    """Candidate against baseline on the same rows, or the candidate alone when there is no baseline.

    `delta`, `low` and `high` are candidate − baseline in the metric's own unit and sign; without a
    baseline, low and high surround the candidate's value. `own_low` and `own_high` always surround the
    candidate's value. `n` counts rows; `units` counts what is independent (rows or groups) and `support`
    those of them that the metric rests on. `identical` says that no row tells the models apart.
    `problem` (`own_problem`) says why an interval is unusable; its numbers are then NaN.
    `standard_error` is that of the gain. `replicates` are the resamples behind the interval, 0 for a
    closed form, and `monte_carlo_error` is what their chance leaves in a bound. `law` is the
    distribution of the gain, `own_law` that of the candidate's value, and `above` the exact bound that
    the gain's upper end respects.
    """

    metric: str
    slice: str | None
    direction: Literal["higher", "lower"]
    n: int
    units: int
    support: int
    unit: str
    candidate: float
    baseline: float | None
    delta: float | None
    low: float
    high: float
    own_low: float
    own_high: float
    confidence: float
    method: str
    standard_error: float
    replicates: int
    identical: bool = False
    problem: str | None = None
    own_problem: str | None = None
    above: Tail | None = field(default=None, repr=False)
    monte_carlo_error: float | None = None
    law: Law | None = field(default=None, repr=False, compare=False)
    own_law: Law | None = field(default=None, repr=False, compare=False)

    @property
    def alpha(self) -> float:
        """The error of one side of the interval."""
        return level(self.confidence)

    @property
    def sign(self) -> float:
        """1 when higher is better, −1 when lower is."""
        return 1.0 if self.direction == "higher" else -1.0

    @property
    def gain(self) -> float:
        """The improvement, positive when the candidate is better; its signed value without a baseline."""
        return self.sign * (self.candidate if self.delta is None else self.delta)

    @property
    def gain_low(self) -> float:
        """The lower bound of the gain."""
        return self.low if self.direction == "higher" else -self.high

    @property
    def gain_high(self) -> float:
        """The upper bound of the gain."""
        return self.high if self.direction == "higher" else -self.low

    def p_gain_below(self, threshold: float) -> float:
        """Return the p-value of the claim that the true gain is below `threshold`.

        It is at most alpha exactly when the interval of the gain ends below the threshold.
        NaN when the comparison has a problem.
        """
        if self.problem is not None or self.law is None:
            return math.nan
        return self.law.p_below(threshold)

    @property
    def p_equal(self) -> float:
        """The two-sided p-value that both models are equal; McNemar's mid-p value for shares of rows."""
        inner = self.law.law if isinstance(self.law, Guarded) else self.law
        if isinstance(inner, PairedShares | Extremes | Shifted):
            return inner.p_equal
        below = self.p_gain_below(0.0)
        return min(1.0, 2 * min(below, 1 - below))

    @property
    def equality_test(self) -> str:
        """The name of the test that `p_equal` belongs to."""
        inner = self.law.law if isinstance(self.law, Guarded) else self.law
        return "McNemar, mid-p" if isinstance(inner, PairedShares) else "the interval's own"
