"""Metrics of predicted classes, each as sums over rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlci.stats.scores import Scores, binary_view
from mlci.stats.statistic import Floats, Mask, Statistic, Sums, ratio

_ByClass = Callable[[Floats, Floats, Floats], Floats]
"""Maps the sums right, labelled so and predicted so (each replicates × classes) to a value a replicate."""


def accuracy(scores: Scores) -> Statistic:
    """Return the share of rows whose class, or all of whose labels, were predicted; it rests on all rows."""
    if scores.labels is None:
        right = scores.label_codes == scores.prediction_codes
    else:
        right = np.all(scores.label == scores.prediction, axis=1)
    columns = _columns(scores, right, np.ones_like(right))
    return Sums(columns, _share, all_rows(scores), share=(0, 1), mean=True)


def precision(scores: Scores) -> Statistic:
    """Return the share of positive calls that are right; macro average over classes or labels.

    Two classes: it rests on the rows called positive and is NaN without any.
    Several classes or labels: those that occur as label or prediction; one that is never predicted counts as 0, so
    that a model cannot gain by giving a class up (as scikit-learn does, with a warning).
    """
    if scores.task != "binary":
        return _macro(scores, _macro_precision)
    view = binary_view(scores)
    columns = _columns(scores, view.truth & view.called, view.called)
    return Sums(columns, _share, view.called & all_rows(scores), share=(0, 1))


def recall(scores: Scores) -> Statistic:
    """Return the share of positive rows that were found; macro average over classes or labels.

    Two classes: it rests on the positive rows and is NaN without any. Else the mean over the
    classes (or labels) that occur as label (scikit-learn adds a 0 for a class that is predicted but never true).
    """
    if scores.task != "binary":
        return _macro(scores, _macro_recall)
    view = binary_view(scores)
    columns = _columns(scores, view.truth & view.called, view.truth)
    return Sums(columns, _share, view.truth & all_rows(scores), share=(0, 1))


def f1(scores: Scores) -> Statistic:
    """Return the harmonic mean of precision and recall; macro average over classes or labels.

    Two classes: it rests on rows that are positive or called so; NaN without positive rows, and 0 when
    there are some but none was called (scikit-learn's value). Else the mean over the classes
    (or labels) that occur as label or prediction.
    """
    if scores.task != "binary":
        return _macro(scores, _macro_f1)
    view = binary_view(scores)
    columns = _columns(scores, view.truth & view.called, view.truth, view.called)
    return Sums(columns, _binary_f1, (view.truth | view.called) & all_rows(scores))


def f_beta(beta: float) -> Callable[[Scores], Statistic]:
    """Return F-beta, in which recall counts beta times as much as precision; see `f1`."""

    def built(scores: Scores) -> Statistic:
        more = beta * beta
        if scores.task != "binary":

            def macro(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
                return _mean_of_defined(ratio((1 + more) * right, more * labelled + predicted))

            return _macro(scores, macro)

        def combined(sums: Floats) -> Floats:
            right, labelled, called = sums.T
            return np.where(labelled > 0, ratio((1 + more) * right, more * labelled + called), np.nan)

        view = binary_view(scores)
        columns = _columns(scores, view.truth & view.called, view.truth, view.called)
        return Sums(columns, combined, (view.truth | view.called) & all_rows(scores))

    return built


def kappa(scores: Scores) -> Statistic:
    """Return Cohen's kappa: the agreement beyond that of chance, over the most that there could be.

    Cohen 1960. NaN when labels and predictions are all of one class. Two classes: it rests on the rows
    of the rarer class.
    """
    return _macro(scores, _kappa, rarer_class(scores))


def balanced_accuracy(scores: Scores) -> Statistic:
    """Return the mean recall of the classes that occur as label; NaN when fewer than two occur.

    Two classes: it rests on the rows of the rarer class.
    """
    return _macro(scores, _balanced, rarer_class(scores))


def mcc(scores: Scores) -> Statistic:
    """Return the Matthews correlation of label and prediction, for any number of classes.

    Gorodkin 2004. NaN when the labels are of one class; 0 when the predictions are (scikit-learn's
    value). Two classes: it rests on the rows of the rarer class.
    """
    return _macro(scores, _matthews, rarer_class(scores))


def all_rows(scores: Scores) -> Mask:
    """Return the rows that have a weight."""
    if scores.weight is None:
        return np.ones(scores.rows, dtype=np.bool_)
    return np.asarray(scores.weights > 0)


def rarer_class(scores: Scores) -> Mask:
    """Return the rows of the rarer of two classes; all rows when there are more classes."""
    rows = all_rows(scores)
    if scores.task != "binary":
        return rows
    positive = scores.label_codes == scores.positive_index
    rarer = positive if 2 * int(positive.sum()) <= scores.rows else ~positive
    return np.asarray(rows & rarer)


def _columns(scores: Scores, *masks: Mask) -> Floats:
    columns = np.column_stack(masks).astype(np.float64)
    return columns if scores.weight is None else columns * scores.weights[:, None]


def _macro(scores: Scores, combine: _ByClass, support: Mask | None = None) -> Statistic:
    """Build a metric from three sums a class (or label): right, labelled so, predicted so."""
    if scores.labels is None:
        classes = np.arange(len(scores.classes or ()))
        label = scores.label_codes[:, None] == classes
        predicted = scores.prediction_codes[:, None] == classes
    else:
        label, predicted = scores.label, scores.prediction
    columns = _columns(scores, label & predicted, label, predicted)
    return Sums(columns, _by_class(combine), all_rows(scores) if support is None else support)


def _by_class(combine: _ByClass) -> Callable[[Floats], Floats]:
    def combined(sums: Floats) -> Floats:
        size = sums.shape[1] // 3
        return combine(sums[:, :size], sums[:, size : 2 * size], sums[:, 2 * size :])

    return combined


def _share(sums: Floats) -> Floats:
    return ratio(sums[:, 0], sums[:, 1])


def _binary_f1(sums: Floats) -> Floats:
    right, labelled, called = sums.T
    return np.where(labelled > 0, ratio(2 * right, labelled + called), np.nan)


def _macro_precision(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    never_predicted = np.where((labelled > 0) & (predicted <= 0), 0.0, np.nan)
    return _mean_of_defined(np.where(predicted > 0, ratio(right, predicted), never_predicted))


def _macro_recall(right: Floats, labelled: Floats, predicted: Floats) -> Floats:  # noqa: ARG001 one signature
    return _mean_of_defined(ratio(right, labelled))


def _macro_f1(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    return _mean_of_defined(ratio(2 * right, labelled + predicted))


def _balanced(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    enough = np.sum(labelled > 0, axis=1) >= 2
    return np.where(enough, _macro_recall(right, labelled, predicted), np.nan)


def _matthews(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    total = labelled.sum(axis=1)
    covariance = right.sum(axis=1) * total - (labelled * predicted).sum(axis=1)
    # A sum of squares that should equal the square of the total can miss it by rounding.
    spread_labelled = _or_zero(total**2 - (labelled**2).sum(axis=1), total**2)
    spread_predicted = _or_zero(total**2 - (predicted**2).sum(axis=1), total**2)
    found = ratio(covariance, np.sqrt(spread_labelled * spread_predicted))
    one_prediction = (spread_labelled > 0) & (spread_predicted <= 0)
    return np.where(one_prediction, 0.0, found)


def _kappa(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    total = labelled.sum(axis=1)
    by_chance = (labelled * predicted).sum(axis=1)
    return ratio(right.sum(axis=1) * total - by_chance, _or_zero(total**2 - by_chance, total**2))


def _or_zero(difference: Floats, size: Floats) -> Floats:
    return np.where(difference > 1e-12 * size, difference, 0.0)


def _mean_of_defined(values: Floats) -> Floats:
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))
