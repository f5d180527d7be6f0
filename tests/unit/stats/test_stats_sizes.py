"""The interval of the calibration error: it does not take what chance adds for a fault."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlci.stats.compare import compare
from mlci.stats.scores import Scores
from mlci.stats.sizes import _excess


def test_the_excess_is_that_of_the_folded_normal():
    sizes, errors = np.array([0.0, 0.5, 1.0, 4.0, 0.3]), np.array([1.0, 1.0, 2.0, 1.0, 0.0])
    expected = [
        stats.foldnorm(size / error, scale=error).mean() - size if error else 0.0
        for size, error in zip(sizes, errors, strict=True)
    ]
    assert _excess(sizes, errors) == pytest.approx(expected, abs=1e-12)


def calibrated(generator: np.random.Generator, rows: int) -> Scores:
    p = generator.random(rows)
    label = (generator.random(rows) < p).astype(int)
    return Scores(label, (p > 0.5).astype(int), np.column_stack([1 - p, p]), (0, 1))


def test_a_perfectly_calibrated_model_may_well_be_so():
    generator = np.random.default_rng(5)
    found = [
        compare(["calibration_error"], None, calibrated(generator, 200))["calibration_error", None]
        for _ in range(200)
    ]
    assert np.mean([one.candidate for one in found]) > 0.05  # by chance alone
    assert np.mean([one.own_low > 0.0 for one in found]) < 0.1


def test_models_that_change_places_mirror_the_interval(binary):
    one, two = binary(1), binary(2)
    there = compare(["calibration_error"], one, two)["calibration_error", None]
    back = compare(["calibration_error"], two, one)["calibration_error", None]
    assert (-back.high, -back.low) == pytest.approx((there.low, there.high))
    assert there.low < there.delta < there.high
    assert there.p_gain_below(there.gain_high) == pytest.approx(0.05)
    assert there.replicates == 0


def test_far_from_calibration_it_is_the_linear_interval(binary):
    one, two = binary(1, rows=20_000), binary(2, rows=20_000)
    shifted = [
        Scores(model.label, model.prediction, np.column_stack([1 - p, p]), (0, 1))
        for model, p in ((model, model.probability[:, 1] * 0.5) for model in (one, two))
    ]
    closed = compare(["calibration_error"], *shifted)["calibration_error", None]
    drawn = compare(["calibration_error"], *shifted, method="bootstrap", replicates=1999)[
        "calibration_error", None
    ]
    near = 0.35 * closed.standard_error
    assert (closed.low, closed.high) == pytest.approx((drawn.low, drawn.high), abs=near)
