"""Seed noise: added to the noise of the rows, never taken away, and right where both can be simulated."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import f1_score, roc_auc_score

from mlci.stats.compare import compare
from mlci.stats.scores import Scores
from mlci.stats.seeds import seed_values, with_seeds


def test_variances_are_added_with_satterthwaites_freedom(regression: Callable[..., Scores]) -> None:
    found = compare(["mae"], regression(1), regression(2))["mae", None]
    values = [0.80, 0.86, 0.77, 0.83]
    seeded = with_seeds(found, values)
    rows, seeds = found.standard_error**2, np.var(values, ddof=1)
    freedom = (rows + seeds) ** 2 / (rows**2 / 299 + seeds**2 / 3)
    reach = math.sqrt(rows + seeds) * t.ppf(0.95, freedom)
    assert seeded.standard_error == pytest.approx(math.sqrt(rows + seeds))
    assert seeded.low == pytest.approx(found.delta - reach, rel=1e-3)
    assert seeded.high == pytest.approx(found.delta + reach, rel=1e-3)
    assert "4 seeds" in seeded.method


@pytest.mark.parametrize("metric", ["accuracy", "f1", "roc_auc", "pr_auc"])
def test_bounds_never_come_nearer_and_agree_with_p_values(binary: Callable[..., Scores], metric: str) -> None:
    found = compare([metric], binary(1), binary(2), replicates=400)[metric, None]
    for values in ([0.8, 0.8001], [0.8, 0.84, 0.79], [0.7, 0.9]):
        seeded = with_seeds(found, values)
        assert seeded.low <= found.low
        assert seeded.high >= found.high
        assert seeded.own_low <= found.own_low
        assert seeded.own_high >= found.own_high
        assert seeded.p_gain_below(seeded.gain_high + 1e-9) <= 0.05 + 1e-3
        assert seeded.p_gain_below(seeded.gain_high - 1e-3) > 0.05 - 1e-3


def test_equal_values_change_nothing_and_undefined_ones_leave_no_verdict(
    binary: Callable[..., Scores],
) -> None:
    found = compare(["accuracy"], binary(1), binary(2))["accuracy", None]
    assert with_seeds(found, [0.8, 0.8, 0.8]) is found
    assert "undefined for one of 2 seeds" in str(with_seeds(found, [0.8, math.nan]).problem)
    with pytest.raises(ValueError, match="at least two"):
        with_seeds(found, [0.8])


def test_values_over_seeds_are_those_of_scikit_learn(binary: Callable[..., Scores]) -> None:
    models = [binary(seed) for seed in (1, 2, 3)]
    half = np.arange(300) < 150
    found = seed_values(["f1", "roc_auc"], models, {"half": half})
    assert found["f1", None] == pytest.approx([f1_score(m.label, m.prediction) for m in models])
    wanted = [roc_auc_score(m.label[half], m.probability[half, 1]) for m in models]
    assert found["roc_auc", "half"] == pytest.approx(wanted)


def test_a_lucky_seed_is_not_called_progress() -> None:
    """A training whose seed moves the error as much as the rows do is no better than the baseline on average."""
    chance = np.random.default_rng(1)
    rows, rounds, plain, seeded = 400, 400, 0, 0
    for _ in range(rounds):
        label = chance.normal(size=rows)
        errors = chance.normal(size=(2, rows))
        luck = chance.normal(0, 0.06, 5)
        models = [Scores(label, label + errors[0] * math.exp(own)) for own in luck]
        found = compare(["mae"], Scores(label, label + errors[1]), models[0])["mae", None]
        values = seed_values(["mae"], models)["mae", None]
        plain += found.gain_low > 0
        seeded += with_seeds(found, values).gain_low > 0
    assert plain / rounds > 0.1
    assert seeded / rounds < 0.075
