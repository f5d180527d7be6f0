"""Numbers that statsmodels 0.15.0 gave for the same small tables; the call stands beside each."""

from __future__ import annotations

import numpy as np
import pytest

from mlci.stats.compare import compare
from mlci.stats.scores import Scores
from mlci.stats.shares import Share, mcnemar_exact

CHANGE = np.array([3, -1, 2, 0, 4, 1, -2, 5, 1, 0, 2, -1, 3, 2], dtype=float)
GROUPS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 4, 5, 5])
WEIGHTS = np.array([1, 2, 1, 3, 1, 2, 1, 1, 2, 3, 1, 1, 2, 1], dtype=float)


def mae_of(weight=None, groups=None):
    """Two regressors whose absolute errors differ by CHANGE."""
    label, before = np.zeros(14), np.full(14, 10.0)
    models = [Scores(label, prediction, weight=weight) for prediction in (before, before + CHANGE)]
    return compare(["mae"], *models, groups=groups)["mae", None]


def test_mcnemar():
    # mcnemar([[794, 86], [150, 570]], exact=True).pvalue, and with [[0, 6], [2, 0]]
    assert mcnemar_exact(86, 150) == pytest.approx(3.7159361395713866e-05, rel=1e-9)
    assert mcnemar_exact(6, 2) == pytest.approx(0.2890625)


def test_wilson():
    # proportion_confint(7, 20, alpha=0.1, method="wilson")
    assert Share(20, 7).bounds(0.05) == pytest.approx((0.202260040056761, 0.5334873111515284), rel=1e-9)


def test_a_mean_with_groups_of_unequal_size():
    # OLS(CHANGE, ones).fit(cov_type="cluster", cov_kwds={"groups": GROUPS}): params and bse
    found = mae_of(groups=GROUPS)
    assert found.delta == pytest.approx(1.35714286)
    assert found.standard_error == pytest.approx(0.26931817, rel=1e-6)


def test_a_weighted_mean():
    # WLS(CHANGE, ones, weights=WEIGHTS).fit(cov_type="HC1"): params and bse
    found = mae_of(weight=WEIGHTS)
    assert found.delta == pytest.approx(1.04545455)
    assert found.standard_error == pytest.approx(0.46238259, rel=1e-6)


def test_kappa():
    # cohens_kappa([[20, 5], [10, 15]]): kappa and std_kappa, which divides by n where this divides by n − 1
    label, prediction = np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    found = compare(["kappa"], None, Scores(label, prediction, None, (0, 1)))["kappa", None]
    assert found.candidate == pytest.approx(0.4)
    assert found.standard_error == pytest.approx(0.12699606293110033 * (50 / 49) ** 0.5, rel=1e-6)
