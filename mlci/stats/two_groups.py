"""How much a share differs between two groups of rows that are not the same rows."""

from __future__ import annotations

import math

from mlci.stats.law import normal_quantile


def share_interval(count: int, rows: int, alpha: float) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927), each side wrong with chance alpha.

    Raises ValueError without rows.
    """
    if rows < 1 or not 0 <= count <= rows:
        raise ValueError(f"{count} of {rows} rows is no share")
    z = normal_quantile(1 - alpha)
    share, spread = count / rows, z * z / rows
    middle = (share + spread / 2) / (1 + spread)
    reach = z * math.sqrt(share * (1 - share) / rows + spread / (4 * rows)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def share_difference(
    one: tuple[int, int], other: tuple[int, int], alpha: float
) -> tuple[float, float, float]:
    """Return the difference of two shares with its bounds: Newcombe's hybrid score interval (1998, method 10).

    Each side is (count, rows). Raises ValueError for a side without rows.
    """
    low_one, high_one = share_interval(*one, alpha)
    low_other, high_other = share_interval(*other, alpha)
    share_one, share_other = one[0] / one[1], other[0] / other[1]
    difference = share_one - share_other
    low = difference - math.hypot(share_one - low_one, high_other - share_other)
    high = difference + math.hypot(high_one - share_one, share_other - low_other)
    return difference, low, high
