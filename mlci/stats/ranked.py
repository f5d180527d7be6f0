"""Metrics of the order of scores: areas under curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.statistic import Floats, Mask, ratio


class RankedArea:
    """Area under the ROC curve: the chance that a positive is scored above a negative, ties half.

    Rows are sorted once; each replicate is then a cumulative sum (Mann & Whitney 1947; the value
    equals the trapezoid under the weighted curve). It rests on the rows of the rarer class.
    NaN when a replicate holds one class only.
    """

    def __init__(self, truth: Mask, score: NDArray[Any], weight: Floats | None) -> None:
        self._score = score
        self._weight = weight
        usable = np.ones(len(truth), dtype=np.bool_) if weight is None else weight > 0
        if 2 * int(truth.sum()) > len(truth):
            # The area is the same with classes and order turned round; loops run over the rarer class.
            truth, score = ~truth, -score
        self.support = truth & usable
        few, many = np.flatnonzero(truth), np.flatnonzero(~truth)
        self._few = few[np.argsort(score[few], kind="stable")]
        self._many = many[np.argsort(score[many], kind="stable")]
        self._below = np.searchsorted(score[self._many], score[self._few], side="left")
        self._up_to = np.searchsorted(score[self._many], score[self._few], side="right")
        self._ties = bool(np.any(self._below != self._up_to))

    @property
    def marks(self) -> NDArray[Any]:
        """The rank of each row."""
        return dense_rank(self._score)

    def values(self, counts: Floats) -> Floats:
        """Return one area for each line of `counts`."""
        few = weighted(counts, self._few, self._weight)
        many = running_total(weighted(counts, self._many, self._weight))
        below = many.take(self._below, axis=1)
        if self._ties:
            below += many.take(self._up_to, axis=1)
            below *= 0.5
        wins = np.einsum("ij,ij->i", few, below)
        return ratio(wins, few.sum(axis=1) * many[:, -1])


class RankedPrecision:
    """Average precision: the precision at each threshold, weighted by the recall that it adds.

    Rows with equal scores pass the threshold together, as in scikit-learn; no interpolation
    (Davis & Goadrich 2006). It rests on the positive rows. NaN when a replicate holds no positive.
    """

    def __init__(self, truth: Mask, score: NDArray[Any], weight: Floats | None) -> None:
        self._score = score
        self._weight = weight
        self.support = truth if weight is None else truth & (weight > 0)
        self._order = np.argsort(-score, kind="stable")
        falling = -score[self._order]
        self._hits = self._order[truth[self._order]]
        thresholds, self._hits_until = _last_of_each(-score[self._hits])
        self._rows_until = np.searchsorted(falling, thresholds, side="right")

    @property
    def marks(self) -> NDArray[Any]:
        """The rank of each row."""
        return dense_rank(self._score)

    def values(self, counts: Floats) -> Floats:
        """Return one average precision for each line of `counts`."""
        hits = running_total(weighted(counts, self._hits, self._weight))
        rows = running_total(weighted(counts, self._order, self._weight)).take(self._rows_until, axis=1)
        hits_until = hits.take(self._hits_until, axis=1)
        gained = np.diff(hits_until, axis=1, prepend=0.0)
        # A prefix without any weight adds no recall either, so its precision does not matter.
        precision = np.divide(hits_until, rows, out=np.zeros_like(rows), where=rows > 0)
        return ratio(np.einsum("ij,ij->i", gained, precision), hits[:, -1])


def weighted(counts: Floats, rows: NDArray[np.intp], weight: Floats | None) -> Floats:
    """Return the counts of some rows, times the rows' own weights."""
    taken = counts.take(rows, axis=1)
    if weight is not None:
        taken *= weight[rows]
    return taken


def running_total(values: Floats) -> Floats:
    """Return cumulative sums along each line, with a zero in front."""
    total = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=total[:, 1:])
    return total


def dense_rank(score: NDArray[Any]) -> NDArray[np.intp]:
    """Return the position of each score among the distinct scores."""
    return np.unique(score, return_inverse=True)[1]


def _last_of_each(ascending: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the distinct values of a sorted array, and how many entries are up to each of them."""
    distinct, first = np.unique(ascending, return_index=True)
    return distinct, np.append(first[1:], len(ascending)) if len(distinct) else first
