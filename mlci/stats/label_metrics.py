"""Metrics of several labels at once (multi-label): shares of labels, and sums over all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlci.stats.class_metrics import all_rows
from mlci.stats.probability_metrics import mean_of
from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats, Statistic, Sums, ratio

_Combine = Callable[[Floats], Floats]


def hamming_loss(scores: Scores) -> Statistic:
    """Return the share of labels that are predicted wrongly, over all rows and labels."""
    return mean_of(scores, np.mean(scores.label != scores.prediction, axis=1))


def precision_micro(scores: Scores) -> Statistic:
    """Return the share of predicted labels that are right, over all rows and labels; NaN without any."""
    return _pooled(scores, _precision)


def recall_micro(scores: Scores) -> Statistic:
    """Return the share of true labels that were predicted, over all rows and labels; NaN without any."""
    return _pooled(scores, _recall)


def f1_micro(scores: Scores) -> Statistic:
    """Return the harmonic mean of both; NaN when no label is true."""
    return _pooled(scores, _f1)


def _pooled(scores: Scores, combine: _Combine) -> Statistic:
    label, predicted = scores.label, scores.prediction
    counts = [np.sum(part, axis=1) for part in (label & predicted, label, predicted)]
    columns = np.column_stack(counts).astype(np.float64) * scores.weights[:, None]
    return Sums(columns, combine, all_rows(scores) & (counts[1] + counts[2] > 0))


def _precision(sums: Floats) -> Floats:
    return ratio(sums[:, 0], sums[:, 2])


def _recall(sums: Floats) -> Floats:
    return ratio(sums[:, 0], sums[:, 1])


def _f1(sums: Floats) -> Floats:
    right, labelled, predicted = sums.T
    return np.where(labelled > 0, ratio(2 * right, labelled + predicted), np.nan)
