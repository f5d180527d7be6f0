"""The simulations of an audit do what they say: exchange fairly, and make a model worse by exactly the margin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, log_loss, roc_auc_score

from mlci.stats import audit
from mlci.stats.scores import Scores

MEASURES = {
    "accuracy": lambda model, weight: accuracy_score(model.label, model.prediction, sample_weight=weight),
    "f1": lambda model, weight: f1_score(model.label, model.prediction, sample_weight=weight),
    "roc_auc": lambda model, weight: roc_auc_score(
        model.label, model.probability[:, 1], sample_weight=weight
    ),
    "pr_auc": lambda model, weight: average_precision_score(
        model.label, model.probability[:, 1], sample_weight=weight
    ),
    "log_loss": lambda model, weight: -log_loss(model.label, model.probability, sample_weight=weight),
}


@pytest.mark.parametrize("metric", sorted(MEASURES))
@pytest.mark.parametrize("relative", [False, True])
def test_the_candidate_is_worse_by_exactly_the_margin(
    binary: Callable[..., Scores], metric: str, relative: bool
) -> None:
    baseline, candidate = binary(1, rows=800), binary(2, rows=800)
    found = audit.worse_by(metric, baseline, candidate, 0.03, relative=relative)
    assert isinstance(found, audit.Population)
    assert found.chances.sum() == pytest.approx(1)
    assert 0.3 < found.effective <= 1
    values = [MEASURES[metric](model, found.chances) for model in (baseline, candidate)]
    margin = 0.03 * abs(values[0]) if relative else 0.03
    assert values[1] - values[0] == pytest.approx(-margin, abs=1e-9)


def test_the_tilt_of_a_mean_is_exponential(binary: Callable[..., Scores]) -> None:
    baseline, candidate = binary(1, rows=800), binary(2, rows=800)
    found = audit.worse_by("accuracy", baseline, candidate, 0.02)
    hits = [(model.label == model.prediction).astype(int) for model in (baseline, candidate)]
    difference = hits[1] - hits[0]
    chances = [found.chances[difference == step] for step in (-1, 0, 1)]
    assert all(np.ptp(values) < 1e-12 for values in chances)
    lost, same, gained = (float(values[0]) for values in chances)
    assert same**2 == pytest.approx(lost * gained)  # equal steps of the exponent
    assert lost > gained


def test_groups_are_reweighted_and_drawn_as_one(binary: Callable[..., Scores]) -> None:
    baseline, candidate = binary(1, rows=600), binary(2, rows=600)
    groups = np.arange(600) // 5
    found = audit.worse_by("accuracy", baseline, candidate, 0.02, groups=groups)
    assert len(found.chances) == 120
    weights = found.chances[groups]
    values = [MEASURES["accuracy"](model, weights) for model in (baseline, candidate)]
    assert values[1] - values[0] == pytest.approx(-0.02, abs=1e-9)
    rows, numbers = audit.drawn(found, groups, np.random.default_rng(1))
    assert len(rows) == 600
    assert np.bincount(numbers).tolist() == [5] * 120
    for number in range(120):
        assert len(set(groups[rows[numbers == number]])) == 1


def test_rows_are_drawn_as_often_as_their_chance_says() -> None:
    population = audit.Population(np.array([0.7, 0.2, 0.1]), 1.0)
    chance = np.random.default_rng(4)
    drawn = np.concatenate([audit.drawn(population, None, chance)[0] for _ in range(4000)])
    assert np.bincount(drawn) / len(drawn) == pytest.approx([0.7, 0.2, 0.1], abs=0.015)


def test_exchange_is_fair_and_keeps_groups_together() -> None:
    chance = np.random.default_rng(2)
    assert np.mean([audit.exchanged(100, None, chance) for _ in range(200)]) == pytest.approx(0.5, abs=0.02)
    groups = np.arange(100) // 10
    mask = audit.exchanged(100, groups, chance)
    assert all(len(set(mask[groups == number])) == 1 for number in range(10))
    assert 0 < mask.sum() < 100


def test_what_cannot_be_made_worse_says_why(binary: Callable[..., Scores]) -> None:
    model, other = binary(1, rows=300), binary(2, rows=300)
    assert "no row makes a difference" in str(audit.worse_by("accuracy", model, model, 0.02))
    assert "sklearn:accuracy has no influence" in str(audit.worse_by("sklearn:accuracy", model, other, 0.02))
    better = Scores(model.label, model.label, None, (0, 1))
    never_loses = audit.worse_by(
        "accuracy", Scores(model.label, model.prediction, None, (0, 1)), better, 0.02
    )
    assert "differ too little" in str(never_loses)


@pytest.mark.parametrize(("hits", "rounds"), [(0, 200), (25, 500), (500, 500)])
def test_a_rate_has_the_interval_of_wilson(hits: int, rounds: int) -> None:
    wanted = binomtest(hits, rounds).proportion_ci(0.95, "wilson")
    assert audit.Rate(hits, rounds).interval == pytest.approx((wanted.low, wanted.high), abs=1e-9)
