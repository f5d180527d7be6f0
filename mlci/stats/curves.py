"""Curves that show a model as a whole: ROC, precision and recall, calibration, residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.shares import Share
from mlci.stats.statistic import Floats, Mask

MOST_POINTS = 200
"""A curve is thinned to at most so many points; no eye sees more."""
_BINS = 10
_MANY = 200_000
_THRESHOLDS = 4_000
"""With more rows than _MANY a curve is reckoned at about so many thresholds, which is twenty times what is shown."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve; `low`, `high` and `rows` where each point rests on rows of its own."""

    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None
    rows: NDArray[np.int64] | None = None


def rank_curves(
    truth: Mask, score: NDArray[Any], weight: Floats | None = None, most: int = MOST_POINTS
) -> tuple[Curve, Curve]:
    """Return the ROC curve and the curve of precision and recall, from one sort, of at most `most` points.

    `truth` marks the positive rows and `score` is higher for likelier ones, one entry a row. The first is
    false positive rate (x) against true positive rate (y), from (0, 0) to (1, 1), and empty when there is
    only one class. The second is recall (x) against precision (y), from the highest threshold down, and
    empty when there is no positive row; its points are not to be joined by straight lines (Davis &
    Goadrich 2006). All points are on the curves of all rows; with very many rows they are those of some
    thousand thresholds, which needs no sort.
    """
    hits, alarms = _cumulated(truth, score, weight)
    nothing = Curve(np.empty(0), np.empty(0))
    if len(hits) == 0 or hits[-1] == 0:
        return nothing, nothing
    called = hits + alarms
    some = called > 0  # rows of weight 0 call nobody
    precision = _thinned(hits[some] / hits[-1], hits[some] / called[some], most)
    if alarms[-1] == 0:
        return nothing, precision
    x = np.concatenate([[0.0], alarms / alarms[-1]])
    return _thinned(x, np.concatenate([[0.0], hits / hits[-1]]), most), precision


def calibration_curve(right: Mask, sure: Floats, weight: Floats | None = None) -> Curve:
    """Return the mean probability (x) against the share that came true (y), in ten bins of equal width.

    `low` and `high` are the 90 % score interval of the share (Wilson 1927), reckoned with the effective
    number of rows when they have weights (Kish 1965). Bins without rows are left out.
    """
    weights = np.ones(len(sure)) if weight is None else weight
    bins = np.minimum((sure * _BINS).astype(np.intp), _BINS - 1)
    mass = np.bincount(bins, weights, _BINS)
    kept = mass > 0
    mass = mass[kept]
    x = np.bincount(bins, weights * sure, _BINS)[kept] / mass
    y = np.bincount(bins, weights * right, _BINS)[kept] / mass
    effective = mass**2 / np.bincount(bins, weights**2, _BINS)[kept]
    bounds = [Share(rows, share * rows).bounds(0.05) for share, rows in zip(y, effective, strict=True)]
    low, high = np.array(bounds).reshape(-1, 2).T
    return Curve(x, y, low, high, np.bincount(bins, minlength=_BINS)[kept].astype(np.int64))


def residual_density(residual: Floats, edges: Floats, weight: Floats | None = None) -> Curve:
    """Return the middle of each bin (x) and the share of rows in it (y); rows outside count in the outer bins."""
    places = np.clip(np.searchsorted(edges, residual, side="right") - 1, 0, len(edges) - 2)
    weights = np.ones(len(residual)) if weight is None else weight
    total = weights.sum()
    share = np.bincount(places, weights, len(edges) - 1) / (total if total > 0 else 1.0)
    counts = np.bincount(places, minlength=len(edges) - 1)
    return Curve((edges[:-1] + edges[1:]) / 2, share, rows=counts.astype(np.int64))


def residual_edges(residuals: list[Floats], bins: int = 30) -> Floats:
    """Return edges of bins of equal width that hold the middle 99 % of all residuals.

    A few rows that are far off would otherwise put all others into one bin.
    """
    low, high = np.quantile(np.concatenate(residuals), [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _cumulated(truth: Mask, score: NDArray[Any], weight: Floats | None) -> tuple[Floats, Floats]:
    """Return how many positives and negatives have each score or more, at each distinct score downwards."""
    if len(truth) > _MANY:
        return _at_thresholds(truth, score, weight)
    order = np.argsort(-score, kind="stable")
    weights = np.ones(len(truth)) if weight is None else weight[order]
    positive = truth[order]
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True)) if len(order) else order
    return np.cumsum(weights * positive)[ends], np.cumsum(weights * ~positive)[ends]


def _at_thresholds(truth: Mask, score: NDArray[Any], weight: Floats | None) -> tuple[Floats, Floats]:
    """Return the same at some thousand scores that rows have, and at the end for all rows."""
    thresholds = np.unique(score[:: -(-len(score) // _THRESHOLDS)])
    places = np.searchsorted(thresholds, score, side="right")
    weights = np.ones(len(truth)) if weight is None else weight
    size = len(thresholds) + 1
    found = [np.bincount(places, weights * kind, size)[::-1].cumsum() for kind in (truth, ~truth)]
    return found[0], found[1]


def _thinned(x: Floats, y: Floats, most: int) -> Curve:
    """Return a curve of at most so many points, spread evenly along it."""
    if len(x) <= most:
        return Curve(x, y)
    walked = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    wanted = np.linspace(0.0, walked[-1], most)  # both ends are among them
    kept = np.unique(np.searchsorted(walked, wanted).clip(max=len(x) - 1))
    return Curve(x[kept], y[kept])
