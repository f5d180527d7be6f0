"""Metrics of predicted probabilities: ranks (areas) and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.class_metrics import all_rows
from mlci.stats.ranked import RankedArea, RankedPrecision
from mlci.stats.scores import Scores, binary_view
from mlci.stats.statistic import Average, Floats, Mask, Statistic, Sums, ratio

_BINS = 10
_BLOCK = 1 << 16
_Ranked = Callable[[Mask, NDArray[Any], Floats | None], Statistic]


def roc_auc(scores: Scores) -> Statistic:
    """Return the area under the ROC curve; macro average over classes (one-vs-rest) or labels.

    NaN unless every class (each of the two, or each in `classes`) has a row.
    """
    return _one_or_each(RankedArea, scores)


def average_precision(scores: Scores) -> Statistic:
    """Return the average precision (area under the precision–recall steps) of the positive class.

    Macro average over classes (one-vs-rest) or labels; NaN unless each has a row.
    """
    return _one_or_each(RankedPrecision, scores)


def log_loss(scores: Scores) -> Statistic:
    """Return the mean of −log(probability of the true class), in nats.

    Probabilities are cut at the smallest step of their own type away from 0 and 1, as scikit-learn
    does, so that a certain mistake is dear but not infinite. Several labels: the mean over them.
    """
    probability = probabilities(scores)
    kind = probability.dtype if np.issubdtype(probability.dtype, np.floating) else np.dtype(np.float64)
    smallest = float(np.finfo(kind).eps)
    if scores.labels is not None:
        likely = np.where(scores.label, probability, 1.0 - probability).astype(np.float64)
        return mean_of(scores, -np.log(np.clip(likely, smallest, 1 - smallest)).mean(axis=1))
    codes = scores.label_codes

    def loss(rows: slice) -> Floats:
        shares = probability[rows]
        of_truth = shares[np.arange(len(shares)), codes[rows]].astype(np.float64)
        return np.asarray(-np.log(np.clip(of_truth, smallest, 1 - smallest)), dtype=np.float64)

    return mean_of(scores, _by_blocks(scores.rows, loss))


def brier(scores: Scores) -> Statistic:
    """Return the mean squared distance of probabilities from the truth, halved so that it is 0 to 1.

    Two classes: the squared error of the positive class's probability (Brier 1950, the usual half).
    Several labels: the mean over them.
    """
    probability = probabilities(scores)
    if scores.labels is not None:
        return mean_of(scores, ((probability.astype(np.float64) - scores.label) ** 2).mean(axis=1))
    codes, binary = scores.label_codes, scores.task == "binary"
    kinds = np.array([scores.positive_index] if binary else range(probability.shape[1]))

    def loss(rows: slice) -> Floats:
        apart = probability[rows, kinds] - (codes[rows, None] == kinds)
        squares: Floats = np.square(apart, dtype=np.float64)
        return squares[:, 0] if binary else 0.5 * squares.sum(axis=1)

    return mean_of(scores, _by_blocks(scores.rows, loss))


def calibration_error(scores: Scores) -> Statistic:
    """Return the expected calibration error: how far probabilities are from shares, in ten equal bins.

    Two classes: of the positive class's probability; more: of the predicted class's (Guo et al. 2017).
    """
    sure, right = confidences(scores)
    bins = np.minimum((sure * _BINS).astype(np.intp), _BINS - 1)
    columns = np.zeros((scores.rows, _BINS + 1))
    columns[np.arange(scores.rows), bins] = scores.weights * (right - sure)
    columns[:, _BINS] = scores.weights
    # The size of a sum has a corner at 0, where no slope says how it moves.
    return Sums(columns, _distance, all_rows(scores), smooth=False)


def confidences(scores: Scores) -> tuple[Floats, Mask]:
    """Return the probabilities that calibration is about, and whether each came true.

    Two classes: of the positive class; more: of the class with the largest one.
    """
    probability = probabilities(scores)
    if scores.task == "binary":
        sure = np.asarray(probability[:, scores.positive_index], dtype=np.float64)
        return sure, binary_view(scores).truth
    probability = probability.astype(np.float64, copy=False)
    return probability.max(axis=1), probability.argmax(axis=1) == scores.label_codes


def mean_of(scores: Scores, loss: Floats) -> Statistic:
    """Return the weighted mean of a number a row, resting on all rows."""
    columns = np.ones((2, scores.rows)).T  # column by column: parts fetch one of them
    columns[:, 0] = loss
    if scores.weight is not None:
        columns *= scores.weights[:, None]
    return Sums(columns, _mean, all_rows(scores), mean=True)


def probabilities(scores: Scores) -> NDArray[Any]:
    """Return the probabilities; raises ValueError when there are none, or one is no probability."""
    if scores.probability is None:
        raise ValueError("this metric needs predicted probabilities and there are none")
    if scores.improper:
        raise ValueError(f"{scores.improper} predicted probabilities lie outside 0 to 1")
    return scores.probability


def _by_blocks(rows: int, numbers: Callable[[slice], Floats]) -> Floats:
    """Return a number for each row, made so few at a time that what is in between stays in the cache."""
    found = np.empty(rows)
    for start in range(0, rows, _BLOCK):
        block = slice(start, min(rows, start + _BLOCK))
        found[block] = numbers(block)
    return found


def _one_or_each(ranked: _Ranked, scores: Scores) -> Statistic:
    probability = probabilities(scores)
    weight = None if scores.weight is None else scores.weights
    if scores.task == "binary":
        return ranked(binary_view(scores).truth, probability[:, scores.positive_index], weight)
    columns = range(probability.shape[1])
    parts = [ranked(scores.truth_of(index), probability[:, index], weight) for index in columns]
    return Average(parts, all_rows(scores))


def _distance(sums: Floats) -> Floats:
    return ratio(np.abs(sums[:, :-1]).sum(axis=1), sums[:, -1])


def _mean(sums: Floats) -> Floats:
    return ratio(sums[:, 0], sums[:, 1])
