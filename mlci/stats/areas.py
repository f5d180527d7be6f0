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
from mlci.stats.slices import Parts
from mlci.stats.statistic import Floats, Mask
from mlci.stats.tally import GroupTally, Positions, Spread

_NOTHING = 1e-12
"""Effects smaller than this share of the largest are rounding."""

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
    with a way to find their positions, which few rows need.
    """

    value: float
    effects: Floats
    doubles: Floats | None
    curves: Sequence[tuple[Curve, Callable[[], Positions]]]

    def bend(self, more: Floats) -> float:
        """Return the second derivative of the area when `more` of each row is added."""
        return float(np.mean([curve.bend(more.take(order())) for curve, order in self.curves]))


def areas(build: Build, scores: Scores, parts: Parts) -> Iterator[tuple[str | None, Area]]:
    """Yield one model's area on each part; the macro average of one-vs-rest areas for many classes."""
    probability = probabilities(scores)
    binary = scores.task == "binary"
    columns = [scores.positive_index] if binary else range(probability.shape[1])
    of_classes = [_of_class(build, scores, probability[:, index], index, parts) for index in columns]
    for found in zip(*of_classes, strict=True):
        areas_of_part = [area for _, area in found]
        if len(found) == 1:
            yield found[0]
            continue
        effects = np.mean([area.effects for area in areas_of_part], axis=0)
        doubles = [area.doubles for area in areas_of_part if area.doubles is not None]
        yield (
            found[0][0],
            Area(
                float(np.mean([area.value for area in areas_of_part])),
                np.asarray(effects),
                np.asarray(np.mean(doubles, axis=0)) if len(doubles) == len(found) else None,
                [area.curves[0] for area in areas_of_part],
            ),
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
    size = np.max(np.abs(candidate.effects), initial=0.0) + np.max(np.abs(baseline.effects), initial=0.0)
    telling = place.tally.units(np.abs(candidate.effects - baseline.effects) > _NOTHING * size)
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


def _difference(values: list[Any]) -> Any:
    """Return the first, less the second when there are two; 0 of nothing."""
    if not values:
        return 0.0
    return values[0] - values[1] if len(values) > 1 else values[0]


def _of_class(
    build: Build, scores: Scores, score: NDArray[Any], index: int, parts: Parts
) -> Iterator[tuple[str | None, Area]]:
    truth, score = scores.truth_of(index), np.ascontiguousarray(score)
    weight = None if scores.weight is None else scores.weights
    order = np.argsort(score, kind="stable")
    truth, score = truth.take(order), score.take(order)
    runs = _runs(score)
    weight = None if weight is None else weight.take(order)
    of_rows: Floats | None = None
    for name, places in parts.sorted(order):
        rows = parts.rows(name)
        if places is None or rows is None:
            curve, here = build(truth, runs, weight), order
        else:
            of_rows = np.empty(len(truth)) if of_rows is None else of_rows
            taken = None if weight is None else weight.take(places)
            tied = None if runs is None else runs.take(places)
            curve, here = build(truth.take(places), tied, taken), order.take(places)
        effects, doubles = (
            None if numbers is None else _back(numbers, here, rows, of_rows)
            for numbers in (curve.effects, curve.doubles)
        )
        if effects is not None:
            yield name, Area(curve.value, effects, doubles, [(curve, partial(_positions, here, rows))])


def _runs(score: NDArray[Any]) -> NDArray[np.int32] | None:
    """Return a number for each run of equal scores; None where there is no such run.

    That is all an area needs to know of them, and is fetched for each part in half the time.
    """
    new = score[1:] != score[:-1]
    return None if new.all() else np.concatenate([[0], np.cumsum(new, dtype=np.int32)]).astype(np.int32)


def _back(of_sorted: Floats, order: Positions, rows: Positions | None, room: Floats | None) -> Floats:
    """Return numbers of sorted rows in the order of the rows; `room` is for those of a part."""
    of_rows = np.empty(len(order)) if room is None or rows is None else room
    of_rows[order] = of_sorted
    return of_rows if rows is None else of_rows.take(rows)


def _positions(order: Positions, rows: Positions | None) -> Positions:
    """Return where each sorted row stands among the rows of its part, which ascend."""
    return order if rows is None else np.searchsorted(rows, order)


def resting(metric: str, scores: Scores, rows: Positions | None) -> tuple[Mask, Mask | None]:
    """Return which of some rows an area rests on, and the rows of one class where that is a stratum.

    A ROC area of two classes rests on the rarer one, and does not depend on how many there are of
    each; average precision rests on the positive rows, and does depend on that. With more classes all
    rows count.
    """
    if scores.task != "binary":
        return np.ones(scores.rows if rows is None else len(rows), dtype=np.bool_), None
    positive = scores.positives if rows is None else scores.positives.take(rows)
    if CURVES[metric][0] is Precision:
        return positive, None
    rarer = positive if 2 * int(np.count_nonzero(positive)) <= len(positive) else ~positive
    return rarer, rarer
