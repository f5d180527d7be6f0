"""The metrics that a gate can name, and how each is built from scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mlci.stats import (
    class_metrics,
    group_rates,
    label_metrics,
    outside,
    probability_metrics,
    ranking_metrics,
    regression_metrics,
)
from mlci.stats.names import BETWEEN_GROUPS, RANKING, parameter
from mlci.stats.scores import Scores
from mlci.stats.statistic import Statistic

Direction = Literal["higher", "lower"]
_CLASSES = frozenset({"binary", "multiclass"})
_SETS = frozenset({"multilabel"})
_BINARY = frozenset({"binary"})
_RANKED = frozenset({"ranking"})
_UNIT = (0.0, 1.0)
_NUMBERS = frozenset({"regression"})
_ANY = _CLASSES | _SETS | _NUMBERS


@dataclass(frozen=True)
class MetricKind:
    """What is known about a metric before any data.

    `needs` is what there must be beside labels and predictions: nothing, probabilities, the column that
    it is named with, or queries. `bounds` are the smallest and largest possible value, None when there
    is none. `label_power` says for an unbounded metric how it grows with the range of the label (1:
    mae, 2: mse), None when it does not.
    """

    name: str
    tasks: frozenset[str]
    direction: Direction
    needs: Literal["prediction", "probability", "column", "query"]
    build: Callable[[Scores], Statistic] = field(repr=False)
    bounds: tuple[float, float] | None = None
    label_power: int | None = None

    @property
    def span(self) -> float | None:
        """The largest possible difference of two values; None when there is no bound."""
        return None if self.bounds is None else self.bounds[1] - self.bounds[0]

    def span_on(self, scores: Scores) -> float | None:
        """Return how far one row can move the mean of this metric: its span, or the label's range."""
        if self.label_power is None or scores.rows == 0:
            return self.span
        return float(np.ptp(np.asarray(scores.label, dtype=np.float64))) ** self.label_power


def _of_classes(
    name: str, build: Callable[[Scores], Statistic], low: float = 0.0, also: frozenset[str] = frozenset()
) -> MetricKind:
    return MetricKind(name, _CLASSES | also, "higher", "prediction", build, bounds=(low, 1.0))


def _of_labels(
    name: str, build: Callable[[Scores], Statistic], direction: Direction = "higher"
) -> MetricKind:
    return MetricKind(name, _SETS, direction, "prediction", build, bounds=_UNIT)


def _of_probabilities(
    name: str, build: Callable[[Scores], Statistic], direction: Direction = "higher", *, bounded: bool = True
) -> MetricKind:
    bounds = _UNIT if bounded else None
    return MetricKind(name, _CLASSES | _SETS, direction, "probability", build, bounds)


def _of_numbers(
    name: str, build: Callable[[Scores], Statistic], power: int | None = None, direction: Direction = "lower"
) -> MetricKind:
    return MetricKind(name, _NUMBERS, direction, "prediction", build, label_power=power)


_KINDS = (
    _of_classes("accuracy", class_metrics.accuracy, also=_SETS),
    _of_classes("balanced_accuracy", class_metrics.balanced_accuracy),
    _of_classes("precision", class_metrics.precision, also=_SETS),
    _of_classes("recall", class_metrics.recall, also=_SETS),
    _of_classes("f1", class_metrics.f1, also=_SETS),
    _of_classes("kappa", class_metrics.kappa, low=-1.0),
    _of_classes("mcc", class_metrics.mcc, low=-1.0),
    _of_labels("hamming_loss", label_metrics.hamming_loss, "lower"),
    _of_labels("precision_micro", label_metrics.precision_micro),
    _of_labels("recall_micro", label_metrics.recall_micro),
    _of_labels("f1_micro", label_metrics.f1_micro),
    _of_probabilities("roc_auc", probability_metrics.roc_auc),
    _of_probabilities("average_precision", probability_metrics.average_precision),
    _of_probabilities("pr_auc", probability_metrics.average_precision),
    _of_probabilities("log_loss", probability_metrics.log_loss, "lower", bounded=False),
    _of_probabilities("brier", probability_metrics.brier, "lower"),
    MetricKind(
        "calibration_error", _CLASSES, "lower", "probability", probability_metrics.calibration_error, _UNIT
    ),
    _of_numbers("mae", regression_metrics.mae, power=1),
    _of_numbers("mse", regression_metrics.mse, power=2),
    _of_numbers("rmse", regression_metrics.rmse, power=1),
    _of_numbers("r2", regression_metrics.r2, direction="higher"),
    _of_numbers("mape", regression_metrics.mape),
)

METRICS: dict[str, MetricKind] = {kind.name: kind for kind in _KINDS}
"""Every metric by its name; `pr_auc` is another name for `average_precision`."""


def metric_kind(name: str) -> MetricKind:
    """Return the metric called `name`; raises ValueError with the nearest name when there is none."""
    family, number = parameter(name)
    if family in BETWEEN_GROUPS:
        direction: Direction = "lower" if family.endswith("_difference") else "higher"
        return MetricKind(name, _BINARY, direction, "column", group_rates.disparity(name), _UNIT)
    if ":" in name:
        return _of_others(name)
    if number is None:
        return METRICS[name]
    if family == "f_beta":
        return _of_classes(name, class_metrics.f_beta(number), also=_SETS)
    if family in RANKING:
        measure = ranking_metrics.ranking(family, int(number))
        return MetricKind(name, _RANKED, "higher", "query", measure, _UNIT)
    return _of_numbers(name, regression_metrics.pinball(number), power=1)


def _of_others(name: str) -> MetricKind:
    """Return a metric that is called for every resample; raises ValueError when there is none."""
    if name.startswith(outside.SCORER):
        return MetricKind(name, _ANY, "higher", "prediction", outside.scorer(name))
    build, more_is_better = outside.function(name)
    direction: Direction = "higher" if more_is_better else "lower"
    return MetricKind(name, _ANY, direction, "prediction", build)


def statistic(name: str, scores: Scores) -> Statistic:
    """Return a metric of one model as a function of row counts.

    Raises ValueError for an unknown metric, for one that is not defined for this kind of problem, and
    when it needs probabilities that the scores do not have.
    """
    kind = metric_kind(name)
    check_kind(kind, scores)
    return kind.build(scores)


def check_kind(kind: MetricKind, scores: Scores) -> None:
    """Raise ValueError for a metric that cannot be computed from these scores."""
    if kind.needs == "query" and scores.task == "regression":
        if scores.query is None:
            raise ValueError(
                f"{kind.name} compares the documents of a query; name their column in data.query"
            )
        return
    if scores.task not in kind.tasks:
        tasks = " and ".join(sorted(kind.tasks))
        raise ValueError(f"{kind.name} is defined for {tasks} problems; this one is {scores.task}")
    if kind.needs == "probability" and scores.probability is None:
        raise ValueError(f"{kind.name} needs predicted probabilities and there are none")
