"""Areas under curves: the interval of an area and of its gain, from one sort of each model's scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.finding import Finding, Place, unseen
from mlci.stats.law import Guarded, Law
from mlci.stats.order import Build, Curve, Precision, Receiver
from mlci.stats.probability_metrics import probabilities
from mlci.stats.scores import Scores
from mlci.stats.skewed import skewed
from mlci.stats.slices import Division
from mlci.stats.sorting import ascending
from mlci.stats.statistic import Floats, Mask
from mlci.stats.tally import GroupTally, Positions, Spread, never_shaped

_NOTHING = 1e-12
"""Effects smaller than this share of the largest are rounding."""

_MANY = 2_000_000
"""From so many rows on memory matters more than the time to look up places that are kept in four bytes."""

CURVES: dict[str, tuple[Build, str]] = {
    "roc_auc": (Receiver, "DeLong interval"),
    "average_precision": (Precision, "delta method"),
    "pr_auc": (Precision, "delta method"),
}
"""The areas by the names of their metrics, and how their intervals are called."""


@dataclass(frozen=True, eq=False)
class Area:
    """One model's area on some rows (a mean over classes): what each row adds to it, once and twice.

    `effects` and `doubles` are in the order of the rows; `curves` hold the rows in the order of scores,
    with a way to find their positions. There are none on so many rows that nobody asks how an area bends.
    """

    value: float
    effects: Floats
    doubles: Floats | None
    curves: Sequence[tuple[Curve, Callable[[], Positions]]]

    def bend(self, more: Floats) -> float:
        """Return the second derivative of the area when `more` of each row is added."""
        return float(np.mean([curve.bend(more.take(order())) for curve, order in self.curves]))


def areas(
    build: Build, scores: Scores, divisions: Sequence[Division], *, grouped: bool = False
) -> Iterator[list[Area]]:
    """Yield for each division one model's areas on its parts; `grouped` says that rows are not independent.

    For many classes that is the macro average of one-vs-rest areas.
    """
    probability = probabilities(scores)
    binary = scores.task == "binary"
    columns = [scores.positive_index] if binary else range(probability.shape[1])
    of_classes = [_OfClass(build, scores, index, bends=grouped) for index in columns]
    for division in divisions:
        found = [one.on(division) for one in of_classes]
        yield found[0] if binary else [_averaged(same) for same in zip(*found, strict=True)]


def _averaged(of_classes: Sequence[Area]) -> Area:
    doubles = [area.doubles for area in of_classes if area.doubles is not None]
    return Area(
        float(np.mean([area.value for area in of_classes])),
        np.asarray(np.mean([area.effects for area in of_classes], axis=0)),
        np.asarray(np.mean(doubles, axis=0)) if len(doubles) == len(of_classes) else None,
        [curve for area in of_classes for curve in area.curves],
    )


def area_finding(
    place: Place, candidate: Area, baseline: Area | None, strata: Mask | None, support: int
) -> Finding:
    """Return what is known of an area and of its gain, by the effects of rows on it.

    For ROC areas that is the variance of DeLong et al. (1988), with groups that of Obuchowski (1997).
    `strata` marks the rows of one of two classes where their numbers are taken as given.
    """
    own: Law | str = ""
    if math.isfinite(candidate.value):
        own = _law(place, [candidate], math.inf, strata, support)
    if baseline is None:
        return Finding(candidate.value, None, None, own, support, identical=False)
    size = _NOTHING * (_largest(candidate.effects) + _largest(baseline.effects))
    telling = place.tally.units(_beyond(candidate.effects - baseline.effects, size))
    gain: Law | str = ""
    if math.isfinite(candidate.value) and math.isfinite(baseline.value):
        gain = _law(place, [candidate, baseline] if telling else [], telling - 1, strata, support)
    return Finding(candidate.value, baseline.value, gain, own, support, identical=telling == 0)


def _law(place: Place, models: list[Area], freedom: float, strata: Mask | None, support: int) -> Law | str:
    """Return the law of one area, or of the first less the second; of models that are equal when there are none."""
    paired = len(models) != 1
    limits = (-1.0, 1.0) if paired else (0.0, 1.0)
    estimate = _difference([model.value for model in models])
    spread, doubles = Spread(0.0, 1.0), None
    if models:
        effects = _difference([model.effects for model in models])
        if all(model.doubles is not None for model in models):
            # What leaving a row out does: effects that the row has on its own precision are not counted on.
            doubles = _difference([model.doubles for model in models])
            effects = effects - doubles / 2
        spread = place.tally.spread(effects, strata)
    if spread.variance <= 0:
        law = unseen(estimate, place, support)
        return law if isinstance(law, str) else Guarded(law, limits=limits)
    words = f"{'paired ' if paired else ''}{CURVES[place.kind.name][1]}"
    if isinstance(place.tally, GroupTally):
        words = f"clustered {words}, {place.tally.units()} groups"
    least = max(1.0, min(spread.freedom, freedom, support - 1 if doubles is not None else math.inf))
    bend = 0.0
    if spread.shaped:
        along = place.tally.of_units(effects)
        bend = _difference([model.bend(along) for model in models]) / spread.variance
    bias = 0.0 if doubles is None else float(doubles.sum()) / 2
    units = min(support, place.tally.units())
    law = skewed(estimate, spread, least, words, units=units, bend=bend, bias=bias)
    return Guarded(law, limits=limits)


def _largest(effects: Floats) -> float:
    """Return the size of the largest effect, without an array of sizes."""
    return max(float(np.max(effects, initial=0.0)), -float(np.min(effects, initial=0.0)))


def _beyond(effects: Floats, size: float) -> Mask:
    return np.asarray((effects > size) | (effects < -size))


def _difference(values: list[Any]) -> Any:
    """Return the first, less the second when there are two; 0 of nothing."""
    if not values:
        return 0.0
    return values[0] - values[1] if len(values) > 1 else values[0]


class _OfClass:
    """One model's rows in the order of its scores for one class: sorted once, for all divisions."""

    def __init__(self, build: Build, scores: Scores, index: int, *, bends: bool) -> None:
        """With `bends` every area can be asked how it bends, else those that may have a shape."""
        self._build, self._bends = build, bends
        self._stratified = build is Receiver and scores.task == "binary"
        score = probabilities(scores)[:, index]
        order = ascending(score)
        self._truth = scores.truth_of(index).take(order)
        self._runs = _runs(score.take(order))
        self._weight = None if scores.weight is None else scores.weights.take(order)
        # Kept until the end, of many rows in half the memory.
        self._order = order.astype(np.int32) if _MANY < len(order) < np.iinfo(np.int32).max else order

    def on(self, division: Division) -> list[Area]:
        """Return the area on each part, from one pass over the sorted rows."""
        places = division.ordered(self._order)
        sorted_rows = division.apart(_taken(self._order, places))
        cut = [
            _cut(division, None if values is None else _taken(values, places))
            for values in (self._truth, self._runs, self._weight)
        ]
        del places
        curves = [self._build(*one) for one in zip(*cut, strict=True)]
        of_sorted, twice = map(list, zip(*(curve.handed_over() for curve in curves), strict=True))
        effects, none = _back(of_sorted, sorted_rows, division), [double is None for double in twice]
        doubles: list[Floats | None] = [None] * len(curves)
        if not all(none):
            turned = _back(twice, sorted_rows, division)
            doubles = [None if none[part] else turned[part] for part in range(len(curves))]
        rows = _cut(division, division.places)
        return [
            Area(
                curve.value,
                effects[part],
                doubles[part],
                [(curve, partial(_positions, sorted_rows[part], rows[part]))]
                if self._may_bend(cut[0][part])
                else [],
            )
            for part, curve in enumerate(curves)
        ]

    def _may_bend(self, truth: Mask) -> bool:
        """Return whether the interval of an area may ask how it bends."""
        positive = int(np.count_nonzero(truth))
        rarer = min(positive, len(truth) - positive) if self._stratified else None
        return self._bends or not never_shaped(len(truth), rarer)


def _taken(values: NDArray[Any], places: Positions | None) -> NDArray[Any]:
    return values if places is None else values.take(places)


def _cut(division: Division, values: NDArray[Any] | None) -> list[Any]:
    return [None] * len(division.names) if values is None else division.apart(values)


def _runs(score: NDArray[Any]) -> NDArray[np.int32] | None:
    """Return a number for each run of equal scores; None where there is no such run.

    That is all an area needs to know of them, and is fetched for each part in half the time.
    """
    new = score[1:] != score[:-1]
    return None if new.all() else np.concatenate([[0], np.cumsum(new, dtype=np.int32)]).astype(np.int32)


def _back(of_sorted: list[Any], order: list[Positions], division: Division) -> list[Floats]:
    """Return numbers of each part's sorted rows in the order of the part's rows; None counts as zeros.

    They are used up on the way, so that they are not held twice.
    """
    of_rows = np.empty(division.rows)
    for part, here in enumerate(order):
        of_rows[here] = 0.0 if of_sorted[part] is None else of_sorted[part]
        of_sorted[part] = None
    return division.apart(division.taken(of_rows))


def _positions(order: Positions, rows: Positions | None) -> Positions:
    """Return where each sorted row stands among the rows of its part, which ascend."""
    return order if rows is None else np.searchsorted(rows, order)


def resting(metric: str, scores: Scores, division: Division) -> list[tuple[Mask, Mask | None]]:
    """Return which rows of each part an area rests on, and the rows of one class where that is a stratum.

    A ROC area of two classes rests on the rarer one, and does not depend on how many there are of
    each; average precision rests on the positive rows, and does depend on that. With more classes all
    rows count.
    """
    if scores.task != "binary":
        return [(mask, None) for mask in division.apart(np.ones(division.rows, dtype=np.bool_))]
    positives = division.apart(division.taken(scores.positives))
    if CURVES[metric][0] is Precision:
        return [(positive, None) for positive in positives]
    rarer = [
        positive if 2 * int(np.count_nonzero(positive)) <= len(positive) else ~positive
        for positive in positives
    ]
    return [(mask, mask) for mask in rarer]
