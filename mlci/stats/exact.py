"""Exact binomial bounds: what few differing rows, or none at all, allow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_MANY = 1000
"""From so many terms on a sum is left to scipy, which has it as one function."""


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
        if self.slope == 0 or self.seen >= self.rows:
            return 0.0
        from scipy.special import bdtr

        return float(bdtr(self.seen, self.rows, min(1.0, self.seen / self.rows + distance / self.slope)))


def largest_share(seen: int, rows: int, alpha: float) -> float:
    """Return the largest share of a kind of which `seen` among `rows` were found, at level alpha.

    The upper bound of Clopper & Pearson (1934): the share at which so few are found with chance alpha.
    """
    from scipy.special import betainccinv

    return 1.0 if seen >= rows else float(betainccinv(seen + 1, rows - seen, alpha))


def smallest_share(seen: int, rows: int, alpha: float) -> float:
    """Return the smallest share of a kind of which `seen` among `rows` were found, at level alpha.

    The lower bound of Clopper & Pearson (1934).
    """
    from scipy.special import betaincinv

    return float(betaincinv(seen, rows - seen + 1, alpha)) if seen else 0.0


def rows_to_exclude(share: float, alpha: float) -> int:
    """Return how many rows must all agree before a share this large is excluded at level alpha."""
    return 1 if share >= 1 else math.ceil(math.log(alpha) / math.log1p(-share))


def binomial_range(first: int, last: int, trials: int) -> float:
    """Return the chance of `first` to `last` heads in `trials` throws of a fair coin."""
    if first == 0 and last > _MANY:
        from scipy.special import bdtr

        return float(bdtr(last, trials, 0.5))
    heads = np.arange(first, last + 1)
    if not len(heads):
        return 0.0
    ways = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in heads.tolist()
    ]
    return min(1.0, float(np.exp(np.array(ways) - trials * math.log(2)).sum()))
