"""Areas under curves from rows in the order of their scores: the value, and how it moves with each row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlci.stats.statistic import Floats, Mask

_HALF = 1 << 30
"""Up to so many rows, the sum of two numbers of rows fits into four bytes."""
_BLOCK = 1 << 15
"""So many rows are worked on at a time: what is in between stays in the processor's cache."""
_FEW = 50_000
"""With more positive rows than this no row's effect on its own precision matters."""


class Curve(Protocol):
    """An area under a curve, for rows in ascending order of score; None for scores that all differ.

    The area is NaN, and its effects are zeros, when it is undefined.
    """

    @property
    def value(self) -> float:
        """The area."""

    def handed_over(self) -> tuple[Floats, Floats | None]:
        """Return what one more of each row adds to the area, and the second derivative in that; once.

        The first is the influence function (Hampel 1974), and the second None where it adds up to
        nothing worth a correction. They are not kept, since there are as many as rows.
        """

    def bend(self, more: Floats) -> float:
        """Return the second derivative of the area when `more` of each row is added."""


class _Ties:
    """Where each run of equal scores begins and ends; nothing where all scores differ.

    Found anew for the few areas that ask again, since there may be as many runs as rows.
    """

    def __init__(self, score: NDArray[Any] | None) -> None:
        new = None if score is None else score[1:] != score[:-1]
        self.none = new is None or bool(new.all())
        if new is not None and not self.none:
            starts = np.concatenate([[0], np.flatnonzero(new) + 1, [len(new) + 1]])
            bounds: NDArray[np.signedinteger[Any]] = starts.astype(np.int32 if len(new) < _HALF else np.int64)
            self._starts, self._ends = bounds[:-1], bounds[1:]

    def twice_middle(self, running: NDArray[Any]) -> NDArray[Any]:
        """Return for each row of a run twice the running total in its middle, in numbers of the same kind."""
        both = running[self._ends - 1]
        both[1:] += running[self._starts[1:] - 1]
        return np.repeat(both, self._ends - self._starts)

    def below(self, values: Floats) -> Floats:
        """Return for each row the total of those whose score is lower, and half of those with the same."""
        running = np.cumsum(values)
        if not self.none:
            return 0.5 * self.twice_middle(running)
        running -= 0.5 * values
        return running

    def up_to(self, values: Floats) -> Floats:
        """Return for each row the total of those whose score is not higher."""
        running = np.cumsum(values)
        return running if self.none else np.repeat(running[self._ends - 1], self._ends - self._starts)

    def from_on(self, values: Floats) -> Floats:
        """Return for each row the total of those whose score is not lower."""
        running = np.cumsum(values[::-1])[::-1]
        return running if self.none else np.repeat(running[self._starts], self._ends - self._starts)


class Receiver:
    """The area under the ROC curve: the chance that a positive is scored above a negative, ties half.

    A row's placement is the share of the other class that it is on the right side of (the mid-ranks of
    Sun & Xu 2014): one pass over the sorted rows in place of all pairs.
    """

    def __init__(self, truth: Mask, score: NDArray[Any] | None, weight: Floats | None) -> None:
        self._truth, self._score, self._weight = truth, score, weight
        positives: NDArray[Any]
        if weight is None:
            # Rows are counted in whole numbers, in half the memory where that will do.
            whole = np.int32 if len(truth) < _HALF else np.int64
            positives = np.cumsum(truth, dtype=whole)
            everything: NDArray[Any] = np.arange(1, len(truth) + 1, dtype=whole)
        else:
            positives, everything = np.cumsum(np.where(truth, weight, 0.0)), np.cumsum(weight)
        everything -= positives
        self._all = (float(positives[-1]), float(everything[-1])) if len(truth) else (0.0, 0.0)
        self.value, self._effects = math.nan, np.zeros(len(truth))
        if min(self._all) <= 0:
            return
        ties = _Ties(score)
        if ties.none:
            self._place(positives, everything, 1.0)
        else:
            self._place(ties.twice_middle(positives), ties.twice_middle(everything), 0.5)

    def _place(self, positives: NDArray[Any], negatives: NDArray[Any], scale: float) -> None:
        """Set value and effects from the positives and negatives that lie below each row, times `scale`."""
        pairs = self._all[0] * self._all[1] / scale
        # Of its own class a row needs no number: without ties that would count the row itself.
        if self._weight is None:
            wins = float(negatives.compress(self._truth).sum())
        else:
            wins = float((negatives * self._weight).compress(self._truth).sum())
        self.value = wins / pairs
        self._effects = np.empty(len(self._truth))
        for start in range(0, len(self._truth), _BLOCK):
            rows = slice(start, start + _BLOCK)
            # By products with 0 and 1, which is faster than a choice row by row that no processor foresees.
            chosen = self._truth[rows].astype(np.float64)
            up = negatives[rows] * (1 / pairs) - self.value / self._all[0]
            down = positives[rows] * (-1 / pairs) + (1 - self.value) / self._all[1]
            self._effects[rows] = up * chosen + down * (1.0 - chosen)
        if self._weight is not None:
            self._effects *= self._weight

    def handed_over(self) -> tuple[Floats, Floats | None]:
        """Return the effects of rows; a row has none on its own placement."""
        effects, self._effects = self._effects, np.empty(0)
        return effects, None

    def bend(self, more: Floats) -> float:
        """Return the second derivative, from the series of wins / (positives × negatives)."""
        weight = np.ones(len(more)) if self._weight is None else self._weight
        positive, negative = np.where(self._truth, weight, 0.0), np.where(self._truth, 0.0, weight)
        up, down = more * positive, more * negative
        ties = _Ties(self._score)
        below = ties.below(negative), ties.below(down)
        first = float((up * below[0]).sum() + (positive * below[1]).sum())
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

    def __init__(self, truth: Mask, score: NDArray[Any] | None, weight: Floats | None) -> None:
        self._truth, self._score, self._weight = truth, score, weight
        self.value, self._effects = math.nan, np.zeros(len(truth))
        self._doubles: Floats | None = self._effects
        self._found = float(np.count_nonzero(truth) if weight is None else weight[truth].sum())
        if self._found <= 0:
            return
        ties = _Ties(score)
        share, until, at = self._running(ties)
        self.value = float(share @ at) / self._found
        share /= until
        rows = 1.0 if weight is None else weight
        if int(np.count_nonzero(truth)) > _FEW:
            del until  # so many rows need no more of it, and it is as large as they are
            self._effects, self._doubles = self._first(ties, share, at), None
            self._effects *= rows / self._found
            return
        self._effects = self._first(ties, share.copy(), at) * (rows / self._found)
        share /= until
        turns = truth * ((1 - at) / until - ties.up_to(share)) + ties.up_to(share * at)
        turns *= rows / self._found
        self._doubles = 2 * rows * (turns - truth * self._effects / self._found)

    def _first(self, ties: _Ties, share: Floats, at: Floats) -> Floats:
        """Return what rows add to the sum of precisions; uses up `share`."""
        effects = ties.up_to(share)
        effects += at
        effects -= self.value
        effects *= self._truth
        share *= at
        effects -= ties.up_to(share)
        return effects

    def handed_over(self) -> tuple[Floats, Floats | None]:
        """Return the effects of rows, and of rows on their own effects."""
        effects, doubles = self._effects, self._doubles
        self._effects, self._doubles = np.empty(0), None
        return effects, doubles

    def bend(self, more: Floats) -> float:
        """Return the second derivative, from the series of hits / rows at each threshold."""
        ties = _Ties(self._score)
        hits_here, until, at = self._running(ties)
        rows, hits = more if self._weight is None else more * self._weight, more * hits_here
        more_rows = ties.from_on(rows)
        first = (ties.from_on(hits) - at * more_rows) / until
        second = -2 * first * more_rows / until
        slope = float((hits * at + hits_here * first).sum()) - self.value * float(hits.sum())
        turn = float((2 * hits * first + hits_here * second).sum())
        return (turn - 2 * float(hits.sum()) * slope / self._found) / self._found

    def _running(self, ties: _Ties) -> tuple[Floats, Floats, Floats]:
        """Return the positives of each row, all that are not scored lower, and the precision among these.

        Reckoned anew for the few that ask again, as are ties.
        """
        if self._weight is None:
            hits, rows = self._truth.astype(np.float64), np.ones(len(self._truth))
        else:
            hits, rows = np.where(self._truth, self._weight, 0.0), self._weight
        until = ties.from_on(rows)
        del rows
        at = ties.from_on(hits)
        at /= until
        return hits, until, at


Build = Callable[[Mask, NDArray[Any] | None, Floats | None], Curve]
