"""Every metric equals scikit-learn's value, for weights, repeated rows and ties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from mlci.stats.metrics import METRICS, metric_kind, statistic
from mlci.stats.scores import Scores
from mlci.stats.statistic import Battery


def binned(sure, right, weight):
    """Expected calibration error, bin by bin."""
    weight = np.ones(len(sure)) if weight is None else weight
    error = 0.0
    for low in np.arange(10):
        inside = (sure * 10 >= low) & ((sure * 10 < low + 1) | (low == 9))
        error += abs(np.sum(weight[inside] * (right[inside] - sure[inside])))
    return error / weight.sum()


BINARY = {
    "accuracy": lambda s, w: sk.accuracy_score(s.label, s.prediction, sample_weight=w),
    "balanced_accuracy": lambda s, w: sk.balanced_accuracy_score(s.label, s.prediction, sample_weight=w),
    "precision": lambda s, w: sk.precision_score(s.label, s.prediction, sample_weight=w),
    "recall": lambda s, w: sk.recall_score(s.label, s.prediction, sample_weight=w),
    "f1": lambda s, w: sk.f1_score(s.label, s.prediction, sample_weight=w),
    "mcc": lambda s, w: sk.matthews_corrcoef(s.label, s.prediction, sample_weight=w),
    "roc_auc": lambda s, w: sk.roc_auc_score(s.label, s.probability[:, 1], sample_weight=w),
    "average_precision": lambda s, w: sk.average_precision_score(
        s.label, s.probability[:, 1], sample_weight=w
    ),
    "pr_auc": lambda s, w: sk.average_precision_score(s.label, s.probability[:, 1], sample_weight=w),
    "log_loss": lambda s, w: sk.log_loss(s.label, s.probability, sample_weight=w),
    "brier": lambda s, w: sk.brier_score_loss(s.label, s.probability[:, 1], sample_weight=w),
    "kappa": lambda s, w: sk.cohen_kappa_score(s.label, s.prediction, sample_weight=w),
    "calibration_error": lambda s, w: binned(s.probability[:, 1], s.label == 1, w),
    "f_beta@2": lambda s, w: sk.fbeta_score(s.label, s.prediction, beta=2, sample_weight=w),
}
MULTICLASS = {
    "accuracy": BINARY["accuracy"],
    "balanced_accuracy": BINARY["balanced_accuracy"],
    "mcc": BINARY["mcc"],
    "precision": lambda s, w: sk.precision_score(s.label, s.prediction, sample_weight=w, average="macro"),
    "recall": lambda s, w: sk.recall_score(s.label, s.prediction, sample_weight=w, average="macro"),
    "f1": lambda s, w: sk.f1_score(s.label, s.prediction, sample_weight=w, average="macro"),
    "roc_auc": lambda s, w: sk.roc_auc_score(s.label, s.probability, sample_weight=w, multi_class="ovr"),
    "log_loss": BINARY["log_loss"],
    "brier": lambda s, w: sk.brier_score_loss(s.label, s.probability, sample_weight=w, scale_by_half=True),
    "kappa": BINARY["kappa"],
    "calibration_error": lambda s, w: binned(s.probability.max(axis=1), s.prediction == s.label, w),
    "f_beta@2": lambda s, w: sk.fbeta_score(s.label, s.prediction, beta=2, sample_weight=w, average="macro"),
}


def each(score):
    """Return the mean of a score over labels, or over classes one against the rest."""

    def mean(s, w):
        if s.labels is not None:
            return np.mean([score(*columns, w) for columns in zip(s.label.T, s.probability.T, strict=True)])
        return np.mean([score(s.label == c, s.probability[:, i], w) for i, c in enumerate(s.classes)])

    return mean


def averaged(score, average, **more):
    return lambda s, w: score(
        s.label, s.prediction, sample_weight=w, average=average, zero_division=0, **more
    )


PRECISIONS = each(lambda label, score, w: sk.average_precision_score(label, score, sample_weight=w))
MULTICLASS |= {"average_precision": PRECISIONS, "pr_auc": PRECISIONS}
MULTILABEL = {
    "accuracy": BINARY["accuracy"],
    "hamming_loss": lambda s, w: sk.hamming_loss(s.label, s.prediction, sample_weight=w),
    "precision": averaged(sk.precision_score, "macro"),
    "recall": averaged(sk.recall_score, "macro"),
    "f1": averaged(sk.f1_score, "macro"),
    "f_beta@2": averaged(sk.fbeta_score, "macro", beta=2),
    "precision_micro": averaged(sk.precision_score, "micro"),
    "recall_micro": averaged(sk.recall_score, "micro"),
    "f1_micro": averaged(sk.f1_score, "micro"),
    "roc_auc": lambda s, w: sk.roc_auc_score(s.label, s.probability, sample_weight=w),
    "average_precision": PRECISIONS,
    "pr_auc": lambda s, w: sk.average_precision_score(s.label, s.probability, sample_weight=w),
    "log_loss": each(lambda label, score, w: sk.log_loss(label, score, sample_weight=w)),
    "brier": each(lambda label, score, w: sk.brier_score_loss(label, score, sample_weight=w)),
}
REGRESSION = {
    "mae": lambda s, w: sk.mean_absolute_error(s.label, s.prediction, sample_weight=w),
    "mse": lambda s, w: sk.mean_squared_error(s.label, s.prediction, sample_weight=w),
    "rmse": lambda s, w: sk.root_mean_squared_error(s.label, s.prediction, sample_weight=w),
    "r2": lambda s, w: sk.r2_score(s.label, s.prediction, sample_weight=w),
    "mape": lambda s, w: sk.mean_absolute_percentage_error(s.label, s.prediction, sample_weight=w),
    "pinball@0.9": lambda s, w: sk.mean_pinball_loss(s.label, s.prediction, alpha=0.9, sample_weight=w),
}
CASES = (
    [("binary", name, expected) for name, expected in BINARY.items()]
    + [("multiclass", name, expected) for name, expected in MULTICLASS.items()]
    + [("multilabel", name, expected) for name, expected in MULTILABEL.items()]
    + [("regression", name, expected) for name, expected in REGRESSION.items()]
)


def value(name: str, scores: Scores, counts: np.ndarray | None = None) -> float:
    used = np.ones(scores.rows) if counts is None else counts
    return float(statistic(name, scores).values(used[None, :].astype(float))[0])


def test_every_metric_is_compared_with_scikit_learn_on_every_task():
    tested = {(task, name) for task, name, _ in CASES}
    plain = {(task, name) for task, name in tested if "@" not in name}
    assert plain == {(task, name) for name, kind in METRICS.items() for task in kind.tasks}


@pytest.mark.parametrize(("task", "name", "expected"), CASES)
def test_value_equals_scikit_learn(task, name, expected, request):
    scores = request.getfixturevalue(task)(3)
    assert value(name, scores) == pytest.approx(expected(scores, None), abs=1e-12)


@pytest.mark.parametrize(("task", "name", "expected"), CASES)
def test_own_weights_and_counts_multiply(task, name, expected, request):
    scores = request.getfixturevalue(task)(5)
    generator = np.random.default_rng(0)
    weight, counts = generator.gamma(1.0, size=scores.rows), generator.integers(0, 4, scores.rows)
    found = value(name, replace(scores, weight=weight), counts)
    drawn = np.repeat(np.arange(scores.rows), counts)
    assert found == pytest.approx(expected(scores.take(drawn), weight[drawn]), abs=1e-10)
    used = counts > 0
    assert found == pytest.approx(expected(scores.take(used), (counts * weight)[used]), abs=1e-10)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "pr_auc"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_ranked_metrics_with_many_ties(binary, name, share):
    scores = binary(8, digits=1, share=share)
    counts = np.random.default_rng(1).integers(0, 3, scores.rows)
    assert value(name, scores, counts) == pytest.approx(BINARY[name](scores, counts), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(0, 1),
            st.integers(0, 4),
            st.integers(0, 3),
            st.sampled_from([0.5, 1.0, 2.0]),
        ),
        min_size=2,
        max_size=25,
    )
)
def test_counts_are_repeated_rows(rows):
    label, prediction, level, counts, weight = (np.array(column) for column in zip(*rows, strict=True))
    probability = np.column_stack([1 - level / 4, level / 4])
    scores = Scores(label, prediction, probability, (0, 1), weight=weight)
    repeated = scores.take(np.repeat(np.arange(len(rows)), counts))
    for name in BINARY:
        assert value(name, scores, counts) == pytest.approx(value(name, repeated), abs=1e-9, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.integers(0, 3)), min_size=2, max_size=25
    )
)
def test_counts_are_repeated_rows_for_numbers(rows):
    label, prediction, counts = (np.array(column) for column in zip(*rows, strict=True))
    scores = Scores(np.round(label), np.round(prediction))
    repeated = scores.take(np.repeat(np.arange(len(rows)), counts))
    for name in ("mae", "mse", "rmse", "r2"):
        found, expected = value(name, scores, counts), value(name, repeated)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_a_battery_gives_what_its_statistics_give(task, request):
    scores = request.getfixturevalue(task)(2)
    names = [name for name, kind in METRICS.items() if task in kind.tasks]
    counts = np.random.default_rng(3).integers(0, 3, (7, scores.rows)).astype(float)
    parts = [statistic(name, scores) for name in names]
    expected = [part.values(counts) for part in parts]
    np.testing.assert_allclose(Battery(parts).values(counts), expected, rtol=1e-12)


def test_the_positive_class_can_be_chosen(binary):
    scores = replace(binary(1), positive=0)
    expected = sk.recall_score(scores.label, scores.prediction, pos_label=0)
    assert value("recall", scores) == pytest.approx(expected)
    expected = sk.average_precision_score(scores.label == 0, scores.probability[:, 0])
    assert value("average_precision", scores) == pytest.approx(expected)


def test_what_is_undefined_is_not_a_number():
    def binary(label, prediction):
        probability = np.column_stack([np.full(4, 0.5)] * 2)
        return Scores(np.array(label), np.array(prediction), probability, (0, 1))

    no_positive = binary([0, 0, 0, 0], [0, 1, 0, 1])
    for name in ("recall", "f1", "balanced_accuracy", "mcc", "roc_auc", "average_precision"):
        assert np.isnan(value(name, no_positive)), name
    assert value("precision", no_positive) == 0.0
    never_called = binary([0, 1, 0, 1], [0, 0, 0, 0])
    assert np.isnan(value("precision", never_called))
    assert (value("recall", never_called), value("f1", never_called), value("mcc", never_called)) == (0, 0, 0)
    assert np.isnan(value("r2", Scores(np.full(5, 0.1), np.arange(5.0))))


def test_macro_averages_leave_out_classes_that_do_not_occur():
    label, prediction = np.array(["a", "a", "b", "b"]), np.array(["a", "b", "b", "c"])
    scores = Scores(label, prediction, None, ("a", "b", "c", "d"))
    assert value("f1", scores) == pytest.approx(sk.f1_score(label, prediction, average="macro"))
    assert value("recall", scores) == 0.5  # c is predicted but never true: no recall to average
    assert value("precision", scores) == pytest.approx((1 + 0.5 + 0) / 3)
    given_up = replace(scores, prediction=np.array(["a", "a", "a", "a"]))
    assert value("precision", given_up) == pytest.approx((0.5 + 0) / 2)


def test_support_is_what_a_metric_rests_on():
    label, prediction = np.array([1, 1, 0, 0, 0]), np.array([1, 0, 1, 0, 0])
    probability = np.column_stack([1 - prediction, prediction]).astype(float)
    scores = Scores(label, prediction, probability, (0, 1))
    expected = {
        "accuracy": 5,
        "recall": 2,
        "precision": 2,
        "f1": 3,
        "roc_auc": 2,
        "average_precision": 2,
        "mcc": 2,
    }
    assert {name: int(statistic(name, scores).support.sum()) for name in expected} == expected
    without = replace(scores, weight=np.array([0.0, 1, 1, 1, 1]))
    assert int(statistic("recall", without).support.sum()) == 1


def test_single_precision_probabilities_are_cut_like_scikit_learn():
    probability = np.array([[1.0, 0.0], [0.25, 0.75]], dtype=np.float32)
    scores = Scores(np.array([1, 1]), np.array([0, 1]), probability, (0, 1))
    assert value("log_loss", scores) == pytest.approx(
        sk.log_loss([1, 1], probability, labels=[0, 1]), rel=1e-6
    )


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown metric 'acuracy'; did you mean 'accuracy'\?"):
        metric_kind("acuracy")
    with pytest.raises(ValueError, match="known: accuracy"):
        metric_kind("zzz")


@pytest.mark.parametrize("name", ["f_beta", "f_beta@", "f_beta@0", "f_beta@x", "pinball@1", "pinball@nan"])
def test_a_number_that_makes_no_sense_is_refused(name):
    with pytest.raises(ValueError, match=f"{name.partition('@')[0]} is named with a number"):
        metric_kind(name)
    with pytest.raises(ValueError, match=r"did you mean 'f_beta'\?"):
        metric_kind("f_bta@2")


def test_a_metric_that_does_not_fit_is_refused(binary, regression):
    with pytest.raises(ValueError, match="rmse is defined for regression problems; this one is binary"):
        statistic("rmse", binary(1))
    with pytest.raises(ValueError, match="recall is defined for binary and multiclass"):
        statistic("recall", regression(1))
    with pytest.raises(ValueError, match="roc_auc needs predicted probabilities"):
        statistic("roc_auc", replace(binary(1), probability=None))
    with pytest.raises(ValueError, match="600 predicted probabilities lie outside 0 to 1"):
        statistic("log_loss", replace(binary(1), probability=1 + binary(1).probability))
    with pytest.raises(ValueError, match="1 of 3 labels are 0"):
        statistic("mape", Scores(np.array([0.0, 1, 2]), np.array([1.0, 1, 1])))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"label": np.array([0.0, np.nan]), "prediction": np.zeros(2)},
            "label has 1 values that are missing",
        ),
        ({"label": np.zeros(2), "prediction": np.array([0.0, np.inf])}, "prediction has 1 values"),
        ({"label": np.zeros(2), "prediction": np.zeros(3)}, r"prediction has shape \(3,\)"),
        ({"label": np.array(["a", "b"]), "prediction": np.array(["a", "b"])}, "not numbers"),
        ({"label": np.zeros(2), "prediction": np.zeros(2), "weight": np.array([1, -1])}, "1 negative"),
        ({"label": np.zeros(2), "prediction": np.zeros(2), "classes": (0,)}, "at least two classes"),
        ({"label": np.zeros(2), "prediction": np.zeros(2), "classes": (0, 0)}, "repeated"),
        (
            {"label": np.zeros(2), "prediction": np.zeros(2), "classes": (0, 1), "positive": 2},
            "positive class 2",
        ),
        (
            {
                "label": np.zeros(2),
                "prediction": np.zeros(2),
                "classes": (0, 1),
                "probability": np.zeros((2, 3)),
            },
            r"probability has shape \(2, 3\)",
        ),
        ({"label": np.zeros(2), "prediction": np.zeros(2), "positive": 1}, "without classes"),
    ],
)
def test_scores_that_do_not_fit_are_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        Scores(**arguments)


def test_a_label_that_is_no_class_is_refused():
    scores = Scores(np.array(["a", "c"]), np.array(["a", "b"]), None, ("a", "b"))
    with pytest.raises(ValueError, match="label 'c' is not one of the classes"):
        statistic("accuracy", scores)
    mixed = Scores(np.array(["a", 1], dtype=object), np.array([1, 1], dtype=object), None, ("a", 1))
    assert value("accuracy", mixed) == 0.5


def test_the_list_of_names_is_that_of_the_metrics() -> None:
    from mlci.stats.metrics import METRICS
    from mlci.stats.names import METRIC_NAMES

    assert sorted(METRICS) == list(METRIC_NAMES)
