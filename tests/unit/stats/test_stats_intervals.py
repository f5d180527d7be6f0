"""Each closed-form interval against an independent implementation: textbook tables, all pairs, a maximiser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn import metrics as sk

from mlci.stats.compare import compare
from mlci.stats.scores import Scores
from mlci.stats.shares import PairedShares, Share, mcnemar_exact


def bounds(comparison):
    return comparison.low, comparison.high


@pytest.mark.parametrize(
    ("gained", "lost", "rows", "expected"),
    [
        (1, 7, 21, (-0.517, -0.026)),  # Fagerland, Lydersen & Laake 2014, table VII
        (16, 8, 86, (-0.020, 0.207)),  # Agresti & Min 2005
    ],
)
def test_tango_interval_is_that_of_the_literature(gained, lost, rows, expected):
    found = PairedShares(rows, gained, lost).bounds(0.025)
    assert tuple(round(bound, 3) for bound in found) == expected


def tango_by_maximising(gained: int, lost: int, rows: int, difference: float) -> float:
    """The score statistic, its variance at the likeliest table with this difference, found numerically."""

    def unlikely(lost_share: float) -> float:
        gained_share = lost_share + difference
        rest = 1 - lost_share - gained_share
        terms = ((gained, gained_share), (lost, lost_share), (rows - gained - lost, rest))
        return -sum(count * np.log(share) for count, share in terms if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    found = optimize.minimize_scalar(
        unlikely, bounds=(low + 1e-13, high - 1e-13), method="bounded", options={"xatol": 1e-13}
    )
    variance = (2 * found.x + difference - difference**2) / rows
    return ((gained - lost) / rows - difference) / variance**0.5


@pytest.mark.parametrize(("gained", "lost", "rows"), [(9, 3, 200), (1, 7, 21), (0, 4, 60), (120, 150, 5000)])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_tango_bounds_are_where_the_score_test_has_its_level(gained, lost, rows, alpha):
    law = PairedShares(rows, gained, lost)
    z = stats.norm.ppf(1 - alpha)
    low, high = law.bounds(alpha)
    assert tango_by_maximising(gained, lost, rows, low) == pytest.approx(z, abs=1e-5)
    assert tango_by_maximising(gained, lost, rows, high) == pytest.approx(-z, abs=1e-5)
    assert law.p_below(high) == pytest.approx(alpha)
    assert law.p_below(low) == pytest.approx(1 - alpha)


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (3, 3), (1, 7), (40, 20), (2100, 2250)])
def test_mcnemar_is_the_binomial_test(gained, lost):
    apart = gained + lost
    exact = stats.binomtest(gained, apart).pvalue if apart else 1.0
    assert mcnemar_exact(gained, lost) == pytest.approx(exact)
    middle = stats.binom.pmf(gained, apart, 0.5) if apart else 0.0
    expected = min(1.0, 2 * stats.binom.cdf(min(gained, lost), apart, 0.5) - middle) if apart else 1.0
    assert PairedShares(9000, gained, lost).p_equal == pytest.approx(expected)


@pytest.mark.parametrize(("hits", "rows"), [(0, 20), (7, 20), (20, 20), (950, 1000)])
def test_wilson_interval_is_that_of_scipy(hits, rows):
    expected = stats.binomtest(hits, rows).proportion_ci(0.9, method="wilson")
    assert Share(rows, hits).bounds(0.05) == pytest.approx((expected.low, expected.high), abs=1e-12)


def f1_gain(table):
    (_, a01, a10, a11), (b00, b01, b10, b11) = table[:4], table[4:]
    found = b10 + b11
    candidate = 2 * found / (2 * found + a10 + a11 + b00 + b01)
    found = b01 + b11
    return candidate - 2 * found / (2 * found + a01 + a11 + b00 + b10)


def test_score_interval_of_f1_is_that_of_a_general_maximiser():
    # cells in the order (label, candidate, baseline) = 000, 001, … 111
    counts = np.array([120, 4, 3, 10, 6, 3, 5, 49])
    cells = np.repeat(np.array([[i >> 2, (i >> 1) & 1, i & 1] for i in range(8)]), counts, axis=0)
    label, after, before = cells.T
    found = compare(["f1"], Scores(label, before, None, (0, 1)), Scores(label, after, None, (0, 1)))[
        "f1", None
    ]
    assert found.method == "score interval"
    for value, side in ((found.low, 1.0), (found.high, -1.0)):
        start = counts / counts.sum()
        likeliest = optimize.minimize(
            lambda p: -float(counts @ np.log(p)),
            start,
            jac=lambda p: -counts / p,
            constraints=[
                {"type": "eq", "fun": lambda p: p.sum() - 1},
                {"type": "eq", "fun": lambda p, value=value: 100 * (f1_gain(p) - value)},
            ],
            bounds=[(1e-9, 1)] * 8,
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        ).x
        slope = optimize.approx_fprime(likeliest, f1_gain, 1e-7)
        variance = (likeliest @ slope**2 - (likeliest @ slope) ** 2) / counts.sum()
        assert (found.delta - value) / variance**0.5 == pytest.approx(side * stats.norm.ppf(0.95), abs=2e-3)


def delong_by_pairs(truth, scores):
    """Areas and their covariance from all pairs of a positive and a negative (DeLong et al. 1988)."""
    positives, negatives = np.flatnonzero(truth), np.flatnonzero(~truth)
    wins = []
    for score in scores:
        difference = score[positives][:, None] - score[negatives][None, :]
        wins.append((difference > 0) + 0.5 * (difference == 0))
    areas = [win.mean() for win in wins]
    of_positives = np.cov([win.mean(axis=1) for win in wins])
    of_negatives = np.cov([win.mean(axis=0) for win in wins])
    return areas, of_positives / len(positives) + of_negatives / len(negatives)


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_delong_is_that_of_all_pairs(binary, digits, share):
    one, two = (binary(seed, share=share, digits=digits) for seed in (1, 2))
    found = compare(["roc_auc"], one, two)["roc_auc", None]
    scores = [model.probability[:, 1] for model in (one, two)]
    areas, covariance = delong_by_pairs(one.label == 1, scores)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert (found.baseline, found.candidate) == pytest.approx(areas, abs=1e-12)
    assert found.standard_error == pytest.approx(variance**0.5, rel=1e-9)
    reach = stats.t.ppf(0.95, 30) * found.standard_error
    assert found.low < found.delta < found.high
    # the skewness of the effects moves both bounds, but not by more than half of their distance
    assert bounds(found) == pytest.approx((found.delta - reach, found.delta + reach), abs=0.5 * reach)
    alone = compare(["roc_auc"], None, two)["roc_auc", None]
    assert alone.standard_error == pytest.approx(covariance[1, 1] ** 0.5, rel=1e-9)


def test_clustered_delong_is_that_of_obuchowski(binary):
    one, two = binary(1), binary(2)
    groups = np.random.default_rng(0).integers(0, 60, 300)
    found = compare(["roc_auc"], one, two, groups=groups)["roc_auc", None]
    truth = one.label == 1
    difference = []
    for model in (one, two):
        score = model.probability[:, 1]
        positive = np.array([(score[~truth] < s).mean() + (score[~truth] == s).mean() / 2 for s in score])
        negative = np.array([(score[truth] > s).mean() + (score[truth] == s).mean() / 2 for s in score])
        area = positive[truth].mean()
        difference.append((np.where(truth, positive - area, 0), np.where(truth, 0, negative - area)))
    labels = np.unique(groups)
    sums = [
        np.array([(difference[1][kind] - difference[0][kind])[groups == g].sum() for g in labels])
        for kind in (0, 1)
    ]
    m, n = truth.sum(), (~truth).sum()
    with_positives = sum(truth[groups == g].any() for g in labels)
    with_negatives = sum((~truth)[groups == g].any() for g in labels)
    s10 = with_positives / ((with_positives - 1) * m) * (sums[0] @ sums[0])
    s01 = with_negatives / ((with_negatives - 1) * n) * (sums[1] @ sums[1])
    s11 = len(labels) / (len(labels) - 1) * (sums[0] @ sums[1])
    assert found.standard_error == pytest.approx((s10 / m + s01 / n + 2 * s11 / (m * n)) ** 0.5, rel=1e-9)


def test_a_mean_of_losses_without_skewness_is_the_paired_t_test_of_scipy():
    # losses +x and −x as often, with the fourth moment of two points: nothing is left to correct
    apart = np.tile([0.1, -0.1], 100_001)
    label = np.zeros(len(apart))
    one, two = Scores(label, np.ones(len(apart))), Scores(label, 1 + apart)
    found = compare(["mae"], one, two)["mae", None]
    losses = [np.abs(model.prediction - model.label) for model in (two, one)]
    expected = stats.ttest_rel(*losses)
    interval = expected.confidence_interval(0.9)
    assert bounds(found) == pytest.approx((interval.low, interval.high), rel=1e-6)
    assert found.p_equal == pytest.approx(expected.pvalue, rel=1e-6)
    below = stats.ttest_rel(*losses, alternative="greater").pvalue
    assert found.p_gain_below(0.0) == pytest.approx(below, rel=1e-6)


def test_a_mean_of_losses_has_the_standard_error_of_the_paired_t_test(regression):
    one, two = regression(1, noise=1.1), regression(2)
    found = compare(["mae"], one, two)["mae", None]
    interval = stats.ttest_rel(
        *(np.abs(model.prediction - model.label) for model in (two, one))
    ).confidence_interval(0.9)
    reach = stats.t.ppf(0.95, 299) * found.standard_error
    assert 2 * reach == pytest.approx(interval.high - interval.low, rel=1e-6)


def test_a_clustered_mean_has_the_standard_error_of_cluster_sums(regression):
    one, two = regression(1, noise=1.1), regression(2)
    groups = np.repeat(np.arange(30), 10)
    found = compare(["mae"], one, two, groups=groups)["mae", None]
    loss = np.abs(two.prediction - two.label) - np.abs(one.prediction - one.label)
    expected = stats.ttest_1samp(loss.reshape(30, 10).mean(axis=1), 0).confidence_interval(0.9)
    reach = stats.t.ppf(0.95, 29) * found.standard_error
    assert 2 * reach == pytest.approx(expected.high - expected.low, rel=1e-6)


def test_a_weighted_mean_has_the_linearised_variance(regression):
    weight = np.random.default_rng(0).gamma(2.0, size=300)
    one, two = (replace(regression(seed), weight=weight) for seed in (1, 2))
    found = compare(["mae"], one, two)["mae", None]
    loss = np.abs(two.prediction - two.label) - np.abs(one.prediction - one.label)
    mean = np.average(loss, weights=weight)
    variance = 300 / 299 * np.sum((weight * (loss - mean)) ** 2) / weight.sum() ** 2
    assert found.delta == pytest.approx(mean)
    assert found.standard_error == pytest.approx(variance**0.5, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rmse", lambda y, p, w: sk.root_mean_squared_error(y, p, sample_weight=w)),
     ("r2", lambda y, p, w: sk.r2_score(y, p, sample_weight=w))],
)  # fmt: skip
def test_the_delta_method_has_the_variance_of_the_infinitesimal_jackknife(regression, name, value):
    one, two = regression(1, noise=1.1), regression(2)

    def gain(weights):
        return value(two.label, two.prediction, weights) - value(one.label, one.prediction, weights)

    slopes = []
    for row in range(300):
        nudge = np.zeros(300)
        nudge[row] = 1e-4
        slopes.append((gain(1 + nudge) - gain(1 - nudge)) / 2e-4)
    found = compare([name], one, two)[name, None]
    variance = np.var(slopes, ddof=1) * 300
    assert found.standard_error == pytest.approx(variance**0.5, rel=1e-6)
