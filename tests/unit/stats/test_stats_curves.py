"""Curves against scikit-learn's, which draws every point."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve as sklearn_calibration
from sklearn.metrics import auc
from sklearn.metrics import precision_recall_curve as sklearn_precision_recall
from sklearn.metrics import roc_curve as sklearn_roc

from mlci.stats import curves
from mlci.stats.curves import (
    MOST_POINTS,
    calibration_curve,
    rank_curves,
    residual_density,
    residual_edges,
)


def rows(number: int, digits: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(number)
    truth = generator.random(number) < 0.3
    score = 1 / (1 + np.exp(-(truth + generator.normal(size=number))))
    return truth, score if digits is None else score.round(digits), generator.integers(0, 4, number) * 1.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("digits", [None, 1])
def test_short_curves_are_those_of_scikit_learn(digits: int | None, weighted: bool) -> None:
    truth, score, weight = rows(150, digits)
    given = weight if weighted else None
    found = rank_curves(truth, score, given)[0]
    x, y, _ = sklearn_roc(truth, score, sample_weight=given, drop_intermediate=False)
    # Rows of weight 0 give the same point twice in one of them.
    assert auc(found.x, found.y) == pytest.approx(auc(x, y))
    assert {*zip(found.x.round(9), found.y.round(9), strict=True)} == {
        *zip(x.round(9), y.round(9), strict=True)
    }
    found = rank_curves(truth, score, given)[1]
    precision, recall, _ = sklearn_precision_recall(truth, score, sample_weight=given)
    wanted = {*zip(recall[:-1].round(9), precision[:-1].round(9), strict=True)}
    assert wanted == {*zip(found.x.round(9), found.y.round(9), strict=True)}


def test_long_curves_are_thinned_and_keep_their_area_and_ends() -> None:
    truth, score, _ = rows(20_000)
    found = rank_curves(truth, score)[0]
    assert len(found.x) <= MOST_POINTS + 2
    x, y, _ = sklearn_roc(truth, score)
    assert auc(found.x, found.y) == pytest.approx(auc(x, y), abs=1e-3)
    assert (found.x[0], found.y[0], found.x[-1], found.y[-1]) == (0, 0, 1, 1)
    found = rank_curves(truth, score)[1]
    assert len(found.x) <= MOST_POINTS + 2
    assert found.x[-1] == 1


def test_calibration_is_that_of_scikit_learn_with_bounds_around_it() -> None:
    truth, score, _ = rows(3_000)
    found = calibration_curve(truth, score)
    y, x = sklearn_calibration(truth, score, n_bins=10)
    np.testing.assert_allclose(found.x, x)
    np.testing.assert_allclose(found.y, y)
    assert np.all(found.low <= found.y)
    assert np.all(found.y < found.high)
    assert found.rows.sum() == 3_000
    # Weights that are all equal say nothing.
    same = calibration_curve(truth, score, np.full(3_000, 2.0))
    np.testing.assert_allclose(same.low, found.low)


def test_one_class_has_no_curves() -> None:
    score = np.linspace(0, 1, 5)
    assert len(rank_curves(np.ones(5, bool), score)[0].x) == 0
    assert len(rank_curves(np.zeros(5, bool), score)[0].x) == 0
    assert len(rank_curves(np.zeros(5, bool), score)[1].x) == 0
    assert len(rank_curves(np.zeros(0, bool), score[:0])[0].x) == 0


def test_residuals_add_up_and_a_far_row_does_not_hide_the_others() -> None:
    residual = np.append(np.random.default_rng(1).normal(size=2_000), 1e9)
    edges = residual_edges([residual])
    assert edges[-1] < 10
    found = residual_density(residual, edges)
    assert found.y.sum() == pytest.approx(1)
    assert found.rows.sum() == 2_001
    assert len(np.unique(residual_edges([np.zeros(5)]))) == 31  # a perfect model has a picture too


@pytest.mark.parametrize("weighted", [False, True])
def test_with_very_many_rows_points_lie_on_the_whole_curve(weighted, monkeypatch):
    chance = np.random.default_rng(5)
    truth = chance.random(20_000) < 0.2
    score = np.round(chance.beta(1, 40, 20_000) + 0.02 * truth, 4)  # many ties, all near 0
    weight = chance.gamma(2.0, size=20_000) if weighted else None
    whole = curves.rank_curves(truth, score, weight, 10**9)
    monkeypatch.setattr(curves, "_MANY", 1000)
    monkeypatch.setattr(curves, "_THRESHOLDS", 500)
    for exact, quick in zip(whole, curves.rank_curves(truth, score, weight), strict=True):
        assert 100 < len(quick.x) <= 200
        known = {tuple(point) for point in np.round(np.column_stack([exact.x, exact.y]), 9)}
        assert {tuple(point) for point in np.round(np.column_stack([quick.x, quick.y]), 9)} <= known
        assert (quick.x[-1], quick.y[-1]) == pytest.approx((exact.x[-1], exact.y[-1]))
