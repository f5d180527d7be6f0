"""The law of skew estimates: against its formula by a general root finder, and its parts against all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn import metrics as sk

from mlci.stats.compare import compare
from mlci.stats.order import Precision, Receiver
from mlci.stats.skewed import Shape, Skewed, skewed
from mlci.stats.tally import Spread


def scale(distance: float, skew: float, bend: float, bias: float, drift: float) -> float:
    """Hall's cubic (1992, section 3.9.3), with the skewness that is likely at the distance."""
    skew = skew - drift * min(max(distance, -2.0), 2.0)
    pull = skew / 3 + bend / 2
    return distance + pull * distance**2 + pull**2 * distance**3 / 3 + skew / 6 + bend / 2 - bias


def expected_gain(found, freedom, *shape):
    reach = stats.t.ppf(0.95, freedom)
    roots = [
        optimize.brentq(lambda x, wanted=wanted: scale(x, *shape) - wanted, -50, 50, xtol=1e-13)
        for wanted in (reach, -reach)
    ]
    return tuple(found.gain - root * found.standard_error for root in roots)


SHAPES = st.builds(
    lambda spread, freedom, bend, bias: skewed(0.3, spread, freedom, "", units=50, bend=bend, bias=bias),
    st.builds(
        lambda third, fourth: Spread(1.0, 40.0, third, fourth, shaped=True),
        st.floats(-3, 3),
        st.floats(-1, 5),
    ),
    st.floats(1, 500),
    st.floats(-1, 1),
    st.floats(-1, 1),
)


@given(SHAPES, st.lists(st.floats(-30, 30), min_size=2, max_size=30))
def test_a_higher_threshold_never_has_a_higher_chance(law, thresholds):
    chances = [law.p_below(threshold) for threshold in sorted(thresholds)]
    assert np.max(np.diff(chances)) < 1e-12


@given(SHAPES, st.floats(0.001, 0.4))
def test_bounds_are_where_the_chance_is_the_level(law, alpha):
    low, high = law.bounds(alpha)
    assert low < high
    assert law.p_below(high) == pytest.approx(alpha, rel=1e-6)
    assert 1 - law.p_below(low) == pytest.approx(alpha, rel=1e-6)


def test_without_a_shape_it_is_students_t():
    law = Skewed(1.0, 0.5, 12.0, Shape(0.0), "")
    assert law.bounds(0.05) == pytest.approx(
        (1 - 0.5 * stats.t.ppf(0.95, 12), 1 + 0.5 * stats.t.ppf(0.95, 12))
    )
    assert law.p_below(1.2) == pytest.approx(stats.t.cdf(-0.4, 12))


def test_the_transformation_takes_away_the_skewness_of_a_mean():
    generator = np.random.default_rng(0)
    draws = generator.exponential(size=(40_000, 50))
    centred = draws - draws.mean(axis=1)[:, None]
    error = draws.std(axis=1, ddof=1) / 50**0.5
    distance = (draws.mean(axis=1) - 1) / error
    skew = (centred**3).sum(axis=1) / 50**3 / error**3
    drift = (centred**4).sum(axis=1) / 50**4 / error**4 - 3 / 50 - 1.5 * skew**2 + 2 / 50
    shapes = zip(distance, skew, np.clip(drift, 0, 0.15), strict=True)
    straight = np.array([scale(far, lean, 0.0, 0.0, much) for far, lean, much in shapes])
    too_high = [np.mean(found > stats.t.ppf(0.95, 49)) for found in (distance, straight)]
    too_low = [np.mean(found < -stats.t.ppf(0.95, 49)) for found in (distance, straight)]
    assert too_high[0] < 0.03
    assert too_low[0] > 0.08
    assert too_high[1] == pytest.approx(0.05, abs=0.012)
    assert too_low[1] == pytest.approx(0.05, abs=0.02)


def test_a_mean_is_corrected_by_the_moments_of_its_losses(regression):
    one, two = regression(1, noise=1.4), regression(2)
    found = compare(["mse"], one, two)["mse", None]
    gain = (one.prediction - one.label) ** 2 - (two.prediction - two.label) ** 2
    shrink = (299 / 300) ** 0.5
    skew = stats.skew(gain) * shrink**3 / 300**0.5
    drift = stats.kurtosis(gain) * shrink**4 / 300 - 1.5 * skew**2 + 2 / 300
    low, high = expected_gain(found, 299, skew, 0.0, 0.0, drift)
    assert abs(skew) > 0.02
    assert (found.gain_low, found.gain_high) == pytest.approx((low, high), rel=1e-6)


def test_a_roc_area_is_corrected_by_all_pairs(binary):
    one, two = binary(1, share=0.3), binary(2, share=0.3)
    found = compare(["roc_auc"], one, two)["roc_auc", None]
    truth = one.label == 1
    wins = [
        np.sign(score[truth][:, None] - score[~truth]) / 2 + 0.5
        for score in (model.probability[:, 1] for model in (two, one))
    ]
    gain = wins[0] - wins[1]
    up = (gain.mean(axis=1) - gain.mean()) / truth.sum()
    down = (gain.mean(axis=0) - gain.mean()) / (~truth).sum()
    error = found.standard_error
    skew = ((up**3).sum() + (down**3).sum()) / error**3
    bend = 2 * (up @ gain @ down) / truth.sum() / (~truth).sum() / error**3
    fourth = sum((part**4).sum() - 3 * (part**2).sum() ** 2 / len(part) for part in (up, down))
    drift = fourth / error**4 - 1.5 * skew**2 + 2 / found.support
    parts = [len(part) / (len(part) - 1) * (part**2).sum() for part in (up, down)]
    freedom = error**4 / sum(
        variance**2 / (len(part) - 1) for variance, part in zip(parts, (up, down), strict=True)
    )
    assert error == pytest.approx(sum(parts) ** 0.5)
    low, high = expected_gain(found, freedom, skew, bend, 0.0, max(0.0, drift))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-7)


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize(
    ("curve", "score"), [(Receiver, sk.roc_auc_score), (Precision, sk.average_precision_score)]
)
def test_areas_and_their_derivatives_are_those_of_scikit_learn(curve, score, digits):
    generator = np.random.default_rng(4)
    truth = generator.random(60) < 0.4
    scores = np.sort(generator.normal(size=60) + truth)
    scores = scores if digits is None else np.round(scores, digits)
    weight = generator.gamma(2.0, size=60)
    found = curve(truth, scores, weight)

    def value(times):
        return score(truth, scores, sample_weight=weight * times)

    assert found.value == pytest.approx(value(np.ones(60)), rel=1e-12)
    step = 1e-4
    effects, doubles = found.handed_over()
    for row in range(0, 60, 7):
        nudge = step * (np.arange(60) == row)
        up, down = value(1 + nudge), value(1 - nudge)
        assert effects[row] == pytest.approx((up - down) / (2 * step), abs=1e-7)
        if doubles is not None:
            assert doubles[row] == pytest.approx((up + down - 2 * found.value) / step**2, abs=1e-5)
    along = generator.normal(size=60)
    bent = (value(1 + step * along) + value(1 - step * along) - 2 * found.value) / step**2
    assert found.bend(along) == pytest.approx(bent, abs=1e-5)


@pytest.mark.parametrize("name", ["rmse", "r2"])
def test_a_curved_metric_is_corrected_by_its_derivatives(regression, name):
    one, two = regression(1, noise=1.4, rows=2000), regression(2, rows=2000)
    found = compare([name], one, two)[name, None]
    drawn = compare([name], one, two, method="bootstrap", replicates=9_999)[name, None]
    near = 0.08 * found.standard_error
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=near)


def test_threads_change_nothing(binary, monkeypatch):
    one, two = binary(1), binary(2)
    slices = {"first": np.arange(300) < 150}
    metrics = ["roc_auc", "average_precision", "log_loss", "calibration_error"]
    alone = compare(metrics, one, two, slices=slices)
    monkeypatch.setattr("mlci.stats.paired_rows._MANY", 1)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2})
    for key, comparison in compare(metrics, one, two, slices=slices).items():
        assert (comparison.low, comparison.high) == (alone[key].low, alone[key].high)
