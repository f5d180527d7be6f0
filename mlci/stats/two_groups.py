"""How much a share differs between two groups of rows that are not the same rows."""

from __future__ import annotations

import math

from mlci.stats.shares import Share


def share_difference(
    one: tuple[int, int], other: tuple[int, int], alpha: float
) -> tuple[float, float, float]:
    """Return the difference of two shares with its bounds: Newcombe's hybrid score interval (1998, method 10).

    Each side is (count, rows). Raises ValueError for a side without rows.
    """
    for count, rows in (one, other):
        if rows < 1 or not 0 <= count <= rows:
            raise ValueError(f"{count} of {rows} rows is no share")
    first, second = (Share(rows, count) for count, rows in (one, other))
    (low_one, high_one), (low_other, high_other) = first.bounds(alpha), second.bounds(alpha)
    difference = first.estimate - second.estimate
    low = difference - math.hypot(first.estimate - low_one, high_other - second.estimate)
    high = difference + math.hypot(high_one - first.estimate, second.estimate - low_other)
    return difference, low, high
