"""Areas under curves from rows in the order of their scores: the value, and how it moves with each row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlci.stats.statistic import Floats, Mask


class Curve(Protocol):
    """An area under a curve, for rows in ascending order of score.

    `effects` is what one more of each row adds to the area (the influence function, Hampel 1974), and
    `doubles` the second derivative in that; NaN and zeros when the area is undefined.
    """

    @property
    def value(self) -> float:
        """The area."""

    @property
    def effects(self) -> Floats:
        """What one more of each row adds to it."""

    @property
    def doubles(self) -> Floats | None:
        """The second derivative in each row; None where these add up to nothing worth a correction."""

    def bend(self, more: Floats) -> float:
        """Return the second derivative of the area when `more` of each row is added."""


@dataclass(frozen=True, eq=False)
class _Ties:
    """Where each run of equal scores begins and ends."""

    starts: NDArray[np.intp]
    ends: NDArray[np.intp]

    @classmethod
    def of(cls, score: NDArray[Any]) -> _Ties:
        starts = np.concatenate([[0], np.flatnonzero(score[1:] != score[:-1]) + 1])
        return cls(starts, np.append(starts[1:], len(score)))

    @property
    def none(self) -> bool:
        return bool(len(self.starts) == self.ends[-1])

    def below(self, values: Floats) -> Floats:
        """Return for each row the total of those whose score is lower, and half of those with the same."""
        running = np.cumsum(values)
        if self.none:
            running -= 0.5 * values
            return running
        before = np.where(self.starts > 0, running[self.starts - 1], 0.0)
        return np.repeat((before + running[self.ends - 1]) / 2, self.ends - self.starts)

    def up_to(self, values: Floats) -> Floats:
        """Return for each row the total of those whose score is not higher."""
        running = np.cumsum(values)
        return running if self.none else np.repeat(running[self.ends - 1], self.ends - self.starts)

    def from_on(self, values: Floats) -> Floats:
        """Return for each row the total of those whose score is not lower."""
        running = np.cumsum(values[::-1])[::-1]
        return running if self.none else np.repeat(running[self.starts], self.ends - self.starts)


class Receiver:
    """The area under the ROC curve: the chance that a positive is scored above a negative, ties half.

    A row's placement is the share of the other class that it is on the right side of (the mid-ranks of
    Sun & Xu 2014): one pass over the sorted rows in place of all pairs.
    """

    doubles = None

    def __init__(self, truth: Mask, score: NDArray[Any], weight: Floats | None) -> None:
        self.value, self.effects = math.nan, np.zeros(len(score))
        self._positive = truth.astype(np.float64) if weight is None else np.where(truth, weight, 0.0)
        self._negative = 1.0 - self._positive if weight is None else weight - self._positive
        self._all = float(self._positive.sum()), float(self._negative.sum())
        if min(self._all) <= 0:
            return
        self._ties = _Ties.of(score)
        positives, negatives = self._ties.below(self._positive), self._ties.below(self._negative)
        placement = np.where(truth, negatives / self._all[1], 1.0 - positives / self._all[0])
        self.value = float(np.einsum("i,i->", self._positive, placement)) / self._all[0]
        placement -= self.value
        if weight is not None:
            placement *= weight
        placement *= np.where(truth, 1 / self._all[0], 1 / self._all[1])
        self.effects = placement

    def bend(self, more: Floats) -> float:
        """Return the second derivative, from the series of wins / (positives × negatives)."""
        up, down = more * self._positive, more * self._negative
        below = self._ties.below(self._negative), self._ties.below(down)
        first = float((up * below[0]).sum() + (self._positive * below[1]).sum())
        second = float((up * below[1]).sum())
        ups, downs = float(up.sum()), float(down.sum())
        pairs, mixed = self._all[0] * self._all[1], self._all[0] * downs + ups * self._all[1]
        slope = (first - self.value * mixed) / pairs
        return 2 * (second - slope * mixed - self.value * ups * downs) / pairs


class Precision:
    """Average precision: the mean over positive rows of the precision at their own score.

    Rows with equal scores pass the threshold together, as in scikit-learn. What a row adds is its own
    precision, if it is positive, and what it does to the precision at all thresholds up to its score:
    the derivative of that mean, in one pass (the delta method; Boyd, Eng & Page 2013 compare intervals
    for a single area).
    """

    def __init__(self, truth: Mask, score: NDArray[Any], weight: Floats | None) -> None:
        self.value, self.effects, self.doubles = math.nan, np.zeros(len(score)), np.zeros(len(score))
        self._rows = np.ones(len(score)) if weight is None else weight
        self._hits = np.where(truth, self._rows, 0.0)
        self._found = float(self._hits.sum())
        if self._found <= 0:
            return
        ties = self._ties = _Ties.of(score)
        self._until = ties.from_on(self._rows)
        self._at = ties.from_on(self._hits) / self._until
        self._gained = float(self._hits @ self._at)
        self.value = self._gained / self._found
        share = self._hits / self._until
        self.effects = truth * (self._at + ties.up_to(share) - self.value) - ties.up_to(share * self._at)
        self.effects *= self._rows / self._found
        share /= self._until
        turns = truth * ((1 - self._at) / self._until - ties.up_to(share)) + ties.up_to(share * self._at)
        turns *= self._rows / self._found
        self.doubles = 2 * self._rows * (turns - truth * self.effects / self._found)

    def bend(self, more: Floats) -> float:
        """Return the second derivative, from the series of hits / rows at each threshold."""
        rows, hits = more * self._rows, more * self._hits
        more_rows = self._ties.from_on(rows)
        first = (self._ties.from_on(hits) - self._at * more_rows) / self._until
        second = -2 * first * more_rows / self._until
        slope = float((hits * self._at + self._hits * first).sum()) - self.value * float(hits.sum())
        turn = float((2 * hits * first + self._hits * second).sum())
        return (turn - 2 * float(hits.sum()) * slope / self._found) / self._found


Build = Callable[[Mask, NDArray[Any], Floats | None], Curve]
