"""Areas under the ROC curve: DeLong's interval of a difference, from one sort of each model's scores."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.finding import Finding, Place, unseen
from mlci.stats.law import Guarded, Law, Student
from mlci.stats.probability_metrics import probabilities
from mlci.stats.scores import Scores
from mlci.stats.slices import Parts
from mlci.stats.statistic import Floats, Mask
from mlci.stats.tally import GroupTally, Positions, Spread

_NOTHING = 1e-12
"""Effects smaller than this share of the largest are rounding."""


@dataclass(frozen=True, eq=False)
class Area:
    """One model's area on some rows, and what each row adds to it when it counts a little more."""

    value: float
    effects: Floats


def areas(scores: Scores, parts: Parts) -> Iterator[tuple[str | None, Area]]:
    """Yield one model's area on each part; the macro average of one-vs-rest areas for many classes."""
    probability = probabilities(scores)
    binary = scores.task == "binary"
    columns = [scores.positive_index] if binary else range(probability.shape[1])
    of_classes = [_of_class(scores, probability[:, index], index, parts) for index in columns]
    for found in zip(*of_classes, strict=True):
        name = found[0][0]
        if len(found) == 1:
            yield name, found[0][1]
            continue
        value = float(np.mean([area.value for _, area in found]))
        yield name, Area(value, np.asarray(np.mean([area.effects for _, area in found], axis=0)))


def area_finding(
    place: Place, candidate: Area, baseline: Area | None, strata: Mask | None, support: int
) -> Finding:
    """Return what is known of an area and of its gain, by the variance of DeLong et al. (1988).

    With groups the variance is that of Obuchowski (1997). `strata` marks the positive rows of two
    classes; with more classes the variance is that of the averaged influences.
    """
    own: Law | str = ""
    if math.isfinite(candidate.value):
        spread = place.tally.spread(candidate.effects, strata)
        own = _law(candidate.value, spread, math.inf, place, support, paired=False)
    if baseline is None:
        return Finding(candidate.value, None, None, own, support, identical=False)
    difference = candidate.effects - baseline.effects
    size = np.max(np.abs(candidate.effects), initial=0.0) + np.max(np.abs(baseline.effects), initial=0.0)
    apart = np.abs(difference) > _NOTHING * size
    telling = place.tally.units(apart)
    gain: Law | str = ""
    if math.isfinite(candidate.value) and math.isfinite(baseline.value):
        spread = place.tally.spread(difference, strata) if telling else Spread(0.0, 1.0)
        gain = _law(candidate.value - baseline.value, spread, telling - 1, place, support, paired=True)
    return Finding(candidate.value, baseline.value, gain, own, support, identical=telling == 0)


def _law(
    estimate: float, spread: Spread, freedom: float, place: Place, support: int, *, paired: bool
) -> Law | str:
    if spread.variance <= 0:
        law = unseen(estimate, place, support)
        return law if isinstance(law, str) else Guarded(law, limits=(-1.0, 1.0) if paired else (0.0, 1.0))
    words = "paired DeLong interval" if paired else "DeLong interval"
    if isinstance(place.tally, GroupTally):
        words = f"clustered {words}, {place.tally.units()} groups"
    least = max(1.0, min(spread.freedom, freedom))
    law = Student(estimate, math.sqrt(spread.variance), least, words)
    return Guarded(law, limits=(-1.0, 1.0) if paired else (0.0, 1.0))


def _of_class(
    scores: Scores, score: NDArray[Any], index: int, parts: Parts
) -> Iterator[tuple[str | None, Area]]:
    truth, score = scores.truth_of(index), np.ascontiguousarray(score)
    weight = None if scores.weight is None else scores.weights
    of_rows = np.empty(len(score))
    order = np.argsort(score, kind="stable")
    truth, score = truth.take(order), score.take(order)
    weight = None if weight is None else weight.take(order)
    for name, places in parts.sorted(order):
        rows = parts.rows(name)
        if places is None:
            value, of_rows[order] = placed(truth, score, weight)
        else:
            taken = None if weight is None else weight.take(places)
            value, of_rows[order.take(places)] = placed(truth.take(places), score.take(places), taken)
        yield name, Area(value, of_rows.copy() if rows is None else of_rows.take(rows))


def placed(truth: Mask, score: NDArray[Any], weight: Floats | None) -> tuple[float, Floats]:
    """Return the area and each row's effect on it, for rows in ascending order of score.

    A row's placement is the share of the other class that it is on the right side of, ties half
    (the mid-ranks of Sun & Xu 2014): one pass over the sorted rows in place of all pairs. NaN and
    zeros when a class is missing.
    """
    positive = truth.astype(np.float64) if weight is None else np.where(truth, weight, 0.0)
    negative = 1.0 - positive if weight is None else weight - positive
    positives, negatives = np.cumsum(positive), np.cumsum(negative)
    if not len(score) or positives[-1] <= 0 or negatives[-1] <= 0:
        return math.nan, np.zeros(len(score))
    all_positive, all_negative = float(positives[-1]), float(negatives[-1])
    tied = score[1:] == score[:-1]
    if tied.any():
        positives, negatives = _middles(tied, positives), _middles(tied, negatives)
    placement = np.where(truth, negatives / all_negative, 1.0 - positives / all_positive)
    value = float(np.einsum("i,i->", positive, placement)) / all_positive
    placement -= value
    if weight is not None:
        placement *= weight
    placement *= np.where(truth, 1 / all_positive, 1 / all_negative)
    return value, placement


def _middles(tied: Mask, running: Floats) -> Floats:
    """Return for each row the running total half way through the rows that are tied with it."""
    starts = np.concatenate([[0], np.flatnonzero(~tied) + 1])
    ends = np.append(starts[1:], len(running))
    before = np.where(starts > 0, running[starts - 1], 0.0)
    return np.repeat((before + running[ends - 1]) / 2, ends - starts)


def rarer(scores: Scores, rows: Positions | None) -> Mask:
    """Return which of some rows are of the rarer of two classes; all rows when there are more classes."""
    if scores.task != "binary":
        return np.ones(scores.rows if rows is None else len(rows), dtype=np.bool_)
    codes = scores.label_codes if rows is None else scores.label_codes[rows]
    positive = codes == scores.positive_index
    return np.asarray(positive if 2 * int(positive.sum()) <= len(codes) else ~positive)
