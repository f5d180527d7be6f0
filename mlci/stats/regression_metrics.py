"""Metrics of predicted numbers, each as sums over rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlci.stats.class_metrics import all_rows
from mlci.stats.probability_metrics import mean_of
from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats, Statistic, Sums, ratio


def mae(scores: Scores) -> Statistic:
    """Return the mean absolute error, in the unit of the label."""
    return mean_of(scores, np.abs(_error(scores)))


def mse(scores: Scores) -> Statistic:
    """Return the mean squared error, in the squared unit of the label."""
    return mean_of(scores, _error(scores) ** 2)


def rmse(scores: Scores) -> Statistic:
    """Return the root of the mean squared error, in the unit of the label."""
    weights = scores.weights
    columns = np.column_stack([weights * _error(scores) ** 2, weights])
    return Sums(columns, _root_mean, all_rows(scores))


def pinball(quantile: float) -> Callable[[Scores], Statistic]:
    """Return the mean pinball loss of predicted quantiles, in the unit of the label (Koenker & Bassett 1978)."""

    def built(scores: Scores) -> Statistic:
        short = -_error(scores)
        return mean_of(scores, np.maximum(quantile * short, (quantile - 1) * short))

    return built


def mape(scores: Scores) -> Statistic:
    """Return the mean of |error| / |label|; raises ValueError when a label is 0."""
    label = np.asarray(scores.label, dtype=np.float64)
    zeros = int(np.sum(label == 0))
    if zeros:
        raise ValueError(f"mape is undefined: {zeros} of {scores.rows} labels are 0 (use mae)")
    return mean_of(scores, np.abs(_error(scores) / label))


def r2(scores: Scores) -> Statistic:
    """Return the share of the label's variance that is explained; NaN when the label does not vary."""
    label = np.asarray(scores.label, dtype=np.float64)
    # The value does not depend on the label's origin, and sums of squares are exact near zero.
    centred = label - (label.mean() if len(label) else 0.0)
    weights = scores.weights
    parts = [weights, weights * centred, weights * centred**2, weights * _error(scores) ** 2]
    return Sums(np.column_stack(parts), _explained, all_rows(scores), signed=True)


def _error(scores: Scores) -> Floats:
    return np.asarray(scores.prediction, dtype=np.float64) - np.asarray(scores.label, dtype=np.float64)


def _root_mean(sums: Floats) -> Floats:
    return np.sqrt(ratio(sums[:, 0], sums[:, 1]))


def _explained(sums: Floats) -> Floats:
    total, first, second, error = sums.T
    spread = second - ratio(first**2, total)
    varies = spread > 1e-12 * second
    return np.where(varies, 1.0 - ratio(error, np.where(varies, spread, 0.0)), np.nan)
