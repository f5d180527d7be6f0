"""Power: what is promised before a comparison is what comparisons then do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from mlci.stats import power
from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.scores import Scores
from mlci.stats.shares import PairedShares

ALPHA = 0.05


def within_chance(share: float, wanted: float, rounds: int) -> bool:
    """Return whether a simulated share is as near to the wanted one as chance lets it be (3.5 errors)."""
    return abs(share - wanted) <= 3.5 * math.sqrt(wanted * (1 - wanted) / rounds) + 0.01


def test_accuracy_needs_the_rows_of_the_rule_of_thumb() -> None:
    spread, _ = power.assumed_gain("accuracy", [600, 400], 1, 0.08)
    needed = power.units_needed(spread, 0.02, ALPHA, 0.8)
    assert needed == pytest.approx(6.18 * 0.08 / 0.02**2, rel=0.01)


def test_equally_good_models_pass_with_the_promised_power() -> None:
    spread, _ = power.assumed_gain("accuracy", [600, 400], 1, 0.08)
    needed = power.units_needed(spread, 0.02, ALPHA, 0.8)
    chance, rounds = np.random.default_rng(3), 2000
    gained, lost, _ = chance.multinomial(needed, [0.04, 0.04, 0.92], rounds).T
    passed = [PairedShares(needed, *pair).bounds(ALPHA)[0] > -0.02 for pair in zip(gained, lost, strict=True)]
    assert within_chance(float(np.mean(passed)), 0.8, rounds)
    today = replace(spread, standard_error=math.sqrt(0.08 / needed), units=needed)
    assert power.chance_to_pass(today, 0.02, ALPHA) == pytest.approx(0.8, abs=0.002)


def test_a_loss_of_the_size_that_is_seen_is_found_with_the_promised_power() -> None:
    rows, rounds = 3000, 2000
    spread, _ = power.assumed_gain("accuracy", [1500, 1500], 1, 0.08)
    loss = power.smallest_seen(power.rescaled(spread, rows), ALPHA, 0.8)
    shares = [0.04 - loss / 2, 0.04 + loss / 2, 0.92]
    gained, lost, _ = np.random.default_rng(5).multinomial(rows, shares, rounds).T
    found = [PairedShares(rows, *pair).bounds(ALPHA)[1] < 0 for pair in zip(gained, lost, strict=True)]
    assert within_chance(float(np.mean(found)), 0.8, rounds)


def test_a_measured_spread_promises_what_later_comparisons_do(binary: Callable[..., Scores]) -> None:
    model = binary(1, rows=40_000)
    other = power.stand_in(model, 0.08, 7).scores
    chance, rounds, rows = np.random.default_rng(11), 400, 600

    def drawn() -> Comparison:
        taken = chance.choice(model.rows, rows, replace=False)
        return compare(["roc_auc"], model.take(taken), other.take(taken))["roc_auc", None]

    # One spread of 600 rows has an error of its own, which is not what is asked about here.
    measured = [drawn() for _ in range(40)]
    spread = power.pooled(
        [power.Spread(found.standard_error, found.units, found.support) for found in measured]
    )
    margin = power.smallest_seen(spread, ALPHA, 0.8)
    passed = [drawn().low > -margin for _ in range(rounds)]
    assert within_chance(float(np.mean(passed)), 0.8, rounds)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_a_stand_in_is_as_good_and_differs_on_the_share_that_is_asked_for(
    multiclass: Callable[..., Scores], share: float
) -> None:
    model = multiclass(2, rows=20_000)
    other = power.stand_in(model, share, 1)
    assert other.discordant == pytest.approx(share, rel=0.15)
    assert other.discordant == np.mean(model.prediction != other.scores.prediction)
    tables = [confusion_matrix(scores.label, scores.prediction) for scores in (model, other.scores)]
    assert np.array_equal(*tables)
    areas = [
        roc_auc_score(scores.label, scores.probability, multi_class="ovr") for scores in (model, other.scores)
    ]
    assert areas[0] == pytest.approx(areas[1], abs=1e-12)


def test_a_stand_in_never_differs_more_than_an_unrelated_model(binary: Callable[..., Scores]) -> None:
    model = binary(4, rows=10_000, noise=0.4)
    wrong = np.mean(model.label != model.prediction)
    other = power.stand_in(model, 0.9, 1)
    assert other.discordant == pytest.approx(2 * wrong * (1 - wrong), rel=0.3)


def test_a_stand_in_for_numbers_has_the_same_errors_on_other_rows(regression: Callable[..., Scores]) -> None:
    model = regression(3, rows=5000)
    other = power.stand_in(model, 0.2, 1)
    assert other.discordant == pytest.approx(0.2, abs=0.001)
    errors = [np.sort(scores.prediction - scores.label) for scores in (model, other.scores)]
    assert np.allclose(*errors)


def test_an_assumed_area_is_that_of_hanley_and_mcneil(binary: Callable[..., Scores]) -> None:
    model = binary(8, rows=3000)
    found = compare(["roc_auc"], None, model)["roc_auc", None]
    labels = np.bincount(model.label).tolist()
    spread, _ = power.assumed_value("roc_auc", labels, 1, found.candidate)
    # Their formula supposes one shape of the scores, and is a little too careful for others.
    assert spread.standard_error == pytest.approx(found.standard_error, rel=0.2)
    gain, _ = power.assumed_gain("roc_auc", labels, 1, 0.08, found.candidate)
    assert gain.standard_error == pytest.approx(math.sqrt(2) * spread.standard_error)


def test_recall_and_balanced_accuracy_rest_on_fewer_rows() -> None:
    accuracy, recall, balanced = (
        power.assumed_gain(name, [900, 100], 1, 0.08)[0]
        for name in ("accuracy", "recall", "balanced_accuracy")
    )
    assert recall.support == 100
    assert recall.standard_error == pytest.approx(accuracy.standard_error * math.sqrt(10))
    assert balanced.standard_error == pytest.approx(math.sqrt(0.08 / 900 + 0.08 / 100) / 2)


@pytest.mark.parametrize("name", ["f1", "log_loss", "rmse", "mine:score"])
def test_what_has_no_honest_formula_says_so(name: str) -> None:
    found = power.assumed_gain(name, [] if name == "rmse" else [50, 50], None if name == "rmse" else 1, 0.08)
    assert isinstance(found, str)
    assert "without predictions" in found
    assert name in found


def test_an_interval_gives_back_its_spread_on_another_number_of_rows() -> None:
    spread = power.spread_of_interval(-0.0164, 0.0164, 0.9, 1000)
    assert spread.standard_error == pytest.approx(0.01, rel=0.01)
    assert power.rescaled(spread, 4000).standard_error == pytest.approx(0.005, rel=0.01)


@pytest.mark.parametrize("share", [0.0, 1.2, math.nan])
def test_a_share_is_a_share(share: float, binary: Callable[..., Scores]) -> None:
    with pytest.raises(ValueError, match="discordant"):
        power.stand_in(binary(1), share, 1)


def test_margins_and_levels_make_sense() -> None:
    with pytest.raises(ValueError, match="above 0"):
        power.units_needed(power.Spread(0.1, 10, 10), 0.0, ALPHA, 0.8)
    with pytest.raises(ValueError, match="power"):
        power.reach(ALPHA, 1.0)
    assert power.units_needed(power.Spread(0.0, 10, 10), 0.1, ALPHA, 0.8) is None
