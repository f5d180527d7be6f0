"""Score intervals for shares of rows: one share (Wilson), and two shares on the same rows (Tango)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from mlci.stats.exact import binomial_range
from mlci.stats.law import ClosedForm, normal_chance, normal_quantile

_HALVINGS = 60


@dataclass(frozen=True)
class Share(ClosedForm):
    """The share of `hits` among `rows`: the score interval of Wilson (1927).

    Numbers need not be whole: rows with weights count as fewer (Kish 1965).
    """

    rows: float
    hits: float
    method: str = "Wilson score interval"

    @property
    def estimate(self) -> float:
        """The share itself."""
        return self.hits / self.rows

    @property
    def standard_error(self) -> float:
        """The standard error at the estimate."""
        return math.sqrt(self.estimate * (1 - self.estimate) / self.rows)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the shares at which the score test has level alpha."""
        z = normal_quantile(1 - alpha)
        middle = (self.hits + z * z / 2) / (self.rows + z * z)
        spread = math.sqrt(self.hits * (self.rows - self.hits) / self.rows + z * z / 4)
        reach = z * spread / (self.rows + z * z)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def p_below(self, threshold: float) -> float:
        """Return the p-value of the score test of this share."""
        if not 0 < threshold < 1:
            return 1.0 if threshold <= 0 else 0.0
        spread = math.sqrt(threshold * (1 - threshold) / self.rows)
        return normal_chance((self.estimate - threshold) / spread)


@dataclass(frozen=True)
class PairedShares(ClosedForm):
    """A difference of two shares of the same rows: the score interval of Tango (1998).

    Of `rows`, `gained` are hits of the one model only and `lost` of the other only. The variance is
    the one at the hypothesis and not the one that was seen, which is what keeps the interval honest
    with few rows that differ (Newcombe 1998; Fagerland, Lydersen & Laake 2014).
    """

    rows: int
    gained: int
    lost: int
    method: str = "Tango score interval"

    @property
    def estimate(self) -> float:
        """The difference of the shares."""
        return (self.gained - self.lost) / self.rows

    @property
    def standard_error(self) -> float:
        """The standard error at the estimate."""
        apart = (self.gained + self.lost) / self.rows
        return math.sqrt(max(0.0, apart - self.estimate**2) / self.rows)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the differences at which the score test has level alpha."""
        z = normal_quantile(1 - alpha)
        return self._bound(z, -1.0), self._bound(z, 1.0)

    def p_below(self, threshold: float) -> float:
        """Return the p-value of Tango's score test of this difference."""
        if not -1 < threshold < 1:
            return 1.0 if threshold <= -1 else 0.0
        return normal_chance(self.score(threshold))

    def score(self, difference: float) -> float:
        """Return the score statistic of the claim that the true difference is `difference`."""
        distance = self.gained - self.lost - self.rows * difference
        linear = (2 * self.rows - self.gained + self.lost) * difference - self.gained - self.lost
        constant = -self.lost * difference * (1 - difference)
        root = math.sqrt(max(0.0, linear * linear - 8 * self.rows * constant))
        # The two forms of a quadratic's root; each loses digits where the other does not.
        lost_share = (root - linear) / (4 * self.rows) if linear <= 0 else -2 * constant / (root + linear)
        variance = self.rows * (2 * lost_share + difference * (1 - difference))
        if variance <= 0:
            return 0.0 if distance == 0 else math.copysign(math.inf, distance)
        return distance / math.sqrt(variance)

    @cached_property
    def p_equal(self) -> float:
        """The two-sided mid-p value of McNemar's test that both shares are equal (Fagerland 2013)."""
        apart, fewer = self.gained + self.lost, min(self.gained, self.lost)
        return min(1.0, 2 * binomial_range(0, fewer, apart) - binomial_range(fewer, fewer, apart))

    def _bound(self, z: float, side: float) -> float:
        near, far = self.estimate, side
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            inside = abs(self.score(middle)) <= z
            near, far = (middle, far) if inside else (near, middle)
        return (near + far) / 2


def mcnemar_exact(gained: int, lost: int) -> float:
    """Return the exact two-sided p-value that rows are lost as often as gained (McNemar 1947)."""
    return min(1.0, 2 * binomial_range(0, min(gained, lost), gained + lost))
