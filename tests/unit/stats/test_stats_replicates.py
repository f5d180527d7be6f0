"""The law of bootstrap replicates: BCa against scipy, and where replicates say little."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlci.stats.compare import compare
from mlci.stats.replicates import Resampled, resampled


def test_without_bias_and_skewness_bounds_are_order_statistics():
    law = Resampled(500.0, np.arange(1.0, 1000.0), 0.0)
    assert law.bias == 0.0
    assert law.bounds(0.05) == (50.0, 950.0)
    assert law.p_below(950.5) == pytest.approx(0.05)
    assert law.monte_carlo_error(0.05) == pytest.approx((999 * 0.05 * 0.95) ** 0.5, rel=0.1)


def test_bounds_and_p_values_say_the_same():
    ordered = np.sort(np.random.default_rng(0).gamma(3.0, size=1999))
    law = Resampled(2.5, ordered, 0.06)
    assert law.bias != 0
    for alpha in (0.01, 0.05, 0.2):
        high = law.bounds(alpha)[1]
        assert law.p_below(high + 1e-9) <= alpha
        assert law.p_below(high - 1e-9) > alpha


def test_the_interval_of_a_skew_mean_is_that_of_scipy(regression):
    one, two = regression(1, rows=60, noise=2.0), regression(2, rows=60)
    found = compare(["mse"], one, two, replicates=19_999, method="bootstrap")["mse", None]
    losses = [(model.prediction - model.label) ** 2 for model in (two, one)]
    expected = stats.bootstrap(
        (losses[0] - losses[1],),
        np.mean,
        n_resamples=19_999,
        confidence_level=0.9,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    near = 0.06 * found.standard_error
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=near)
    assert 0 < found.monte_carlo_error < near


def test_a_bound_beyond_all_replicates_is_as_far_out_as_a_normal_law():
    ordered = np.linspace(1.0, 2.0, 499)  # all replicates lie above the estimate: a very biased metric
    law = Resampled(0.9, ordered, 0.0)
    low, high = law.bounds(0.05)
    assert low == pytest.approx(min(1.0, 0.9 - 1.6449 * law.standard_error), abs=1e-4)
    assert high >= 1.0


def test_too_few_or_undefined_replicates_are_no_law():
    with pytest.raises(ValueError, match=r"18 resamples are too few for 0\.9 confidence"):
        Resampled(0.0, np.arange(18.0), 0.0).bounds(0.05)
    mixed = np.r_[np.full(90, np.nan), np.arange(10.0)]
    assert "undefined in 90% of the resamples" in resampled(0.0, mixed, np.ones(3), "bootstrap")
    assert resampled(1.0, np.ones(100), np.ones(3), "bootstrap") is None
