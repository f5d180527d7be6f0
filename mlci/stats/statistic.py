"""A metric as a function of how often each row counts: the one abstraction behind every interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Statistic(Protocol):
    """A metric of one model on fixed rows.

    `support` marks the rows that the metric rests on. `marks` (rows × any) is all that the metric
    sees of a row: two models with equal marks have the same value under any weights.
    """

    @property
    def support(self) -> Mask:
        """The rows that the metric rests on."""

    @property
    def marks(self) -> NDArray[Any]:
        """What the metric sees of each row."""

    def values(self, counts: Floats) -> Floats:
        """Return one value for each line of `counts` (replicates × rows); NaN where it is undefined.

        A count says how often a row was drawn; it multiplies the row's own weight.
        """


@dataclass(frozen=True, eq=False)
class Sums:
    """A metric that is a smooth function of sums over rows.

    `columns` is rows × k and already holds the rows' own weights; `combine` maps replicates × k sums
    to one value a replicate. `share` names the columns of hits and of rows asked, where the value is
    the share of the ones among the others; `mean` says that it is a weighted mean over rows, and `smooth` that
    small changes of the sums are in proportion to changes of the value; where not, the value is the sum of
    the sizes of all columns but the last, over the last. `signed` warns of columns
    with numbers below 0.
    """

    columns: Floats
    combine: Callable[[Floats], Floats]
    support: Mask
    share: tuple[int, int] | None = None
    mean: bool = False
    smooth: bool = True
    signed: bool = False

    @property
    def marks(self) -> NDArray[Any]:
        """The summands of each row."""
        return self.columns

    def values(self, counts: Floats) -> Floats:
        """Return one value for each line of `counts`, by one matrix product."""
        return self.combine(counts @ self.columns)


def telling(one: Sums, other: Sums) -> Mask:
    """Return which rows tell two models apart."""
    found = np.zeros(len(one.columns), dtype=np.bool_)
    for mine, theirs in zip(one.columns.T, other.columns.T, strict=True):
        found |= mine != theirs
    return found


class Average:
    """The plain mean of several statistics of the same rows; NaN when one of them is."""

    def __init__(self, parts: Sequence[Statistic], support: Mask) -> None:
        self._parts = parts
        self.support = support

    @property
    def marks(self) -> NDArray[Any]:
        """The marks of all parts, side by side."""
        return np.column_stack([part.marks for part in self._parts])

    def values(self, counts: Floats) -> Floats:
        """Return the mean of the parts' values for each line of `counts`."""
        return np.asarray(np.mean([part.values(counts) for part in self._parts], axis=0))


class Battery:
    """Several statistics of one model on the same rows; all their sums come from one matrix product."""

    def __init__(self, statistics: Sequence[Statistic]) -> None:
        self.statistics = list(statistics)
        sums = [statistic for statistic in self.statistics if isinstance(statistic, Sums)]
        self._columns = np.hstack([statistic.columns for statistic in sums]) if sums else None

    def values(self, counts: Floats) -> Floats:
        """Return statistics × replicates values for `counts` (replicates × rows)."""
        totals = None if self._columns is None else counts @ self._columns
        found = np.empty((len(self.statistics), len(counts)))
        start = 0
        for index, statistic in enumerate(self.statistics):
            if totals is not None and isinstance(statistic, Sums):
                end = start + statistic.columns.shape[1]
                found[index] = statistic.combine(totals[:, start:end])
                start = end
            else:
                found[index] = statistic.values(counts)
        return found


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return numerator / denominator, NaN where the denominator is not positive."""
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out
