"""Gates: what passes, what fails, and what nobody can know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.decision import at_least, at_most, better_by, no_worse_than, rows_needed, sees
from mlci.stats.exact import Tail
from mlci.stats.law import ClosedForm
from mlci.stats.scores import Scores


class Even(ClosedForm):
    """A law that is spread evenly over an interval and a bit beyond."""

    def __init__(self, spread: np.ndarray) -> None:
        self.spread = spread

    def p_below(self, threshold: float) -> float:
        return (1 + int(np.sum(self.spread >= threshold))) / (1 + len(self.spread))


def comparison(
    gain_low: float, gain: float, gain_high: float, *, baseline: float = 0.8, **other
) -> Comparison:
    """A comparison on 1000 rows whose gain is spread evenly over the interval and a bit beyond."""
    higher = other.get("direction", "higher") == "higher"
    sign = 1 if higher else -1
    spread = np.concatenate(
        [
            np.linspace(2 * gain_low - gain, gain_low, 50),
            np.linspace(gain_low, gain_high, 900),
            np.linspace(gain_high, 2 * gain_high - gain, 50),
        ]
    )
    facts = {
        "metric": "accuracy",
        "slice": None,
        "direction": "higher",
        "n": 1000,
        "units": 1000,
        "support": 1000,
        "unit": "rows",
        "candidate": baseline + sign * gain,
        "baseline": baseline,
        "delta": sign * gain,
        "low": gain_low if higher else -gain_high,
        "high": gain_high if higher else -gain_low,
        "own_low": baseline + sign * gain - 0.01,
        "own_high": baseline + sign * gain + 0.01,
        "confidence": 0.9,
        "method": "made up",
        "standard_error": (gain_high - gain_low) / 3.29,
        "replicates": 1000,
        "law": Even(spread),
    }
    return Comparison(**{**facts, **other})


@pytest.mark.parametrize("direction", ["higher", "lower"])
@pytest.mark.parametrize(
    ("low", "gain", "high", "verdict", "word"),
    [
        (0.01, 0.02, 0.03, "passed", "better"),
        (-0.005, 0.001, 0.01, "passed", "not worse"),
        (-0.04, -0.03, -0.021, "failed", "worse"),
        (-0.03, -0.01, 0.01, "inconclusive", "unclear"),
        (-0.03, -0.025, -0.015, "inconclusive", "unclear"),
    ],
)
def test_no_worse_than(direction, low, gain, high, verdict, word):
    found = no_worse_than(comparison(low, gain, high, direction=direction), 0.02)
    assert (found.verdict, found.word, found.margin) == (verdict, word, 0.02)
    assert (found.p_value <= 0.05) == (verdict == "failed")


@pytest.mark.parametrize("direction", ["higher", "lower"])
@pytest.mark.parametrize(
    ("low", "gain", "high", "verdict", "word"),
    [
        (0.021, 0.03, 0.04, "passed", "better"),
        (0.001, 0.01, 0.019, "failed", "not better"),
        (-0.04, -0.03, -0.021, "failed", "worse"),
        (0.01, 0.03, 0.05, "inconclusive", "unclear"),
    ],
)
def test_better_by(direction, low, gain, high, verdict, word):
    found = better_by(comparison(low, gain, high, direction=direction), 0.02)
    assert (found.verdict, found.word) == (verdict, word)


@pytest.mark.parametrize(
    ("name", "direction"), [("log_loss", "lower"), ("roc_auc", "higher"), ("brier", "lower")]
)
def test_an_improvement_never_fails_and_a_decline_never_passes(binary, name, direction):
    bad, good = binary(1, rows=1500, noise=2.0), binary(2, rows=1500, noise=0.8)
    better = compare([name], bad, good)[name, None]
    worse = compare([name], good, bad)[name, None]
    assert better.direction == direction
    assert (better.gain > 0, worse.gain < 0) == (True, True)
    assert no_worse_than(better, 0.001).word == "better"
    assert no_worse_than(worse, 0.001).word == "worse"
    assert better_by(better, 0.001).verdict == "passed"
    assert better_by(worse, 0.001).verdict == "failed"


@pytest.mark.parametrize("rows", [5, 29])
def test_no_verdict_from_too_few_rows(binary, rows):
    one = binary(1, rows=rows)
    wrong = replace(one, prediction=1 - one.label)
    right = replace(one, prediction=one.label)
    for pair in ((one, one), (wrong, right), (right, wrong)):
        found = compare(["accuracy"], *pair)["accuracy", None]
        for decision in (
            no_worse_than(found, 0.02),
            better_by(found, 0.02),
            at_least(found, 0.5),
            at_most(found, 0.5, on="bound"),
        ):
            assert (decision.verdict, decision.word) == ("inconclusive", "too few rows")
            assert f"{rows} rows, at least 30" in decision.reason


def test_no_pass_from_five_identical_rows_even_when_five_are_allowed(binary):
    model = binary(1, rows=5)
    found = compare(["accuracy"], model, model)["accuracy", None]
    decision = no_worse_than(found, 0.02, minimum_rows=1, minimum_events=1)
    assert decision.verdict == "inconclusive"
    assert decision.sees == pytest.approx(1 - 0.05 ** (1 / 5))
    assert decision.rows_needed == 149  # ln 0.05 / ln 0.98


def test_models_that_do_not_differ_on_enough_rows_are_identical(binary):
    model = binary(1, rows=200)
    found = compare(["accuracy"], model, model)["accuracy", None]
    decision = no_worse_than(found, 0.02)
    assert (decision.verdict, decision.word) == ("passed", "identical")
    assert no_worse_than(found, 0.01).verdict == "inconclusive"
    assert better_by(found, 0.0).verdict == "inconclusive"
    without_bound = compare(["log_loss"], model, model)["log_loss", None]
    decision = no_worse_than(without_bound, 0.02)
    assert (decision.verdict, decision.word) == ("inconclusive", "identical")
    assert at_most(without_bound, 100.0).verdict == "passed"


def test_few_positives_are_too_few_rows_for_recall(binary):
    label = np.zeros(500, dtype=int)
    label[:4] = 1
    models = [Scores(label, prediction, None, (0, 1)) for prediction in (label, np.roll(label, 1))]
    found = compare(["recall", "accuracy"], *models)
    decision = no_worse_than(found["recall", None], 0.02)
    assert (decision.verdict, decision.word) == ("inconclusive", "too few rows")
    assert "recall rests on 4 of 500 rows" in decision.reason
    assert no_worse_than(found["accuracy", None], 0.05).verdict == "passed"


def test_an_undefined_value_is_an_error_and_never_a_pass(binary):
    good = binary(1)
    never = replace(good, prediction=np.zeros(300, dtype=int))
    found = compare(["precision"], good, never)["precision", None]
    for decision in (
        no_worse_than(found, 0.02),
        better_by(found, 0.0),
        at_least(found, 0.0),
        at_most(found, 1.0),
    ):
        assert (decision.verdict, decision.word) == ("errored", "not computable")


def test_without_a_baseline_only_absolute_gates_can_be_decided(binary):
    found = compare(["accuracy"], None, binary(1))["accuracy", None]
    assert (no_worse_than(found, 0.1).verdict, no_worse_than(found, 0.1).word) == ("errored", "no baseline")
    assert better_by(found, 0.1).verdict == "errored"
    assert at_least(found, 0.5).verdict == "passed"


@pytest.mark.parametrize(
    ("limit", "on", "verdict"),
    [
        (0.82, "estimate", "passed"),
        (0.8201, "estimate", "failed"),
        (0.81, "bound", "passed"),
        (0.82, "bound", "inconclusive"),
        (0.8301, "bound", "failed"),
    ],
)
def test_at_least_and_its_mirror(limit, on, verdict):
    up = comparison(0.0, 0.02, 0.04, baseline=0.8)
    assert at_least(up, limit, on=on).verdict == verdict
    down = replace(up, candidate=-0.82, own_low=-0.83, own_high=-0.81)
    assert at_most(down, -limit, on=on).verdict == verdict


def test_absolute_words_and_reason():
    found = comparison(0.0, 0.02, 0.04)
    assert at_least(found, 0.5).word == "within limit"
    assert at_least(found, 0.9).word == "beyond limit"
    assert at_most(found, 0.9, on="bound").reason == "0.82 (between 0.81 and 0.83); the limit is 0.9"


@pytest.mark.parametrize("baseline", [0.5, -0.5])
def test_a_relative_margin_is_a_share_of_the_size_of_the_baseline(baseline):
    found = comparison(-0.02, -0.01, 0.0, baseline=baseline)
    assert no_worse_than(found, 0.05, relative=True).verdict == "passed"
    assert no_worse_than(found, 0.05, relative=True).margin == pytest.approx(0.025)
    assert no_worse_than(found, 0.03, relative=True).verdict == "inconclusive"
    worse = comparison(-0.06, -0.05, -0.04, baseline=baseline)
    assert no_worse_than(worse, 0.05, relative=True).verdict == "failed"


def test_a_margin_relative_to_zero_is_an_error():
    found = comparison(-0.02, -0.01, 0.0, baseline=0.0)
    assert no_worse_than(found, 0.05, relative=True).verdict == "errored"
    assert better_by(found, 0.05, relative=True).verdict == "errored"


@pytest.mark.parametrize("margin", [0.0, -0.1, float("nan"), float("inf")])
def test_a_margin_must_leave_room(margin):
    with pytest.raises(ValueError, match="must be above 0"):
        no_worse_than(comparison(-0.02, -0.01, 0.0), margin)


def test_better_by_and_limits_refuse_what_is_no_number():
    found = comparison(-0.02, -0.01, 0.0)
    with pytest.raises(ValueError, match="at least 0"):
        better_by(found, -0.1)
    with pytest.raises(ValueError, match="must be a number"):
        at_least(found, float("nan"))


def test_rows_needed_follow_the_textbook_formula_for_accuracy():
    # 6.18 × discordant rate / margin², for equally good models
    generator = np.random.default_rng(4)
    label = np.zeros(4000, dtype=int)
    before, after = label.copy(), label.copy()
    apart = generator.permutation(4000)[:400]
    before[apart[:200]], after[apart[200:]] = 1, 1
    found = compare(["accuracy"], Scores(label, before, None, (0, 1)), Scores(label, after, None, (0, 1)))
    decision = no_worse_than(found["accuracy", None], 0.005)
    assert decision.verdict == "inconclusive"
    assert decision.rows_needed == pytest.approx(6.18 * 0.1 / 0.005**2, rel=0.08)
    assert decision.sees == pytest.approx((6.18 * 0.1 / 4000) ** 0.5, rel=0.04)
    assert f"about {decision.rows_needed} rows are needed" in decision.reason
    assert "4000 rows can only see" in decision.reason


def test_no_number_of_rows_is_named_where_none_makes_sense():
    found = comparison(-0.03, -0.0200001, -0.01)
    assert no_worse_than(found, 0.02).rows_needed is None
    assert rows_needed(found, 0.0) is None
    flat = replace(found, identical=True, above=Tail(1000, 0, 0.0))
    assert rows_needed(flat, 0.1) is None
    assert sees(flat) == 0.0


def test_near_the_limit_the_measured_distance_counts():
    found = comparison(-0.022, -0.018, -0.014)
    needed = no_worse_than(found, 0.02).rows_needed
    assert needed == pytest.approx(1000 * (2.4865 * found.standard_error / 0.002) ** 2, rel=0.01)


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "log_loss", "recall"])
def test_p_value_and_interval_agree(binary, name):
    found = compare([name], binary(1, rows=400, noise=0.9), binary(2, rows=400, noise=1.2), replicates=999)[
        name, None
    ]
    for margin in np.linspace(0.001, 0.2, 60):
        decision = no_worse_than(found, float(margin))
        assert (decision.p_value <= found.alpha) == (decision.verdict == "failed")


def test_the_p_value_of_the_guard_agrees_with_its_bound(binary):
    model = binary(1, rows=40)
    wrong = replace(model, prediction=1 - model.label)
    right = replace(model, prediction=model.label)
    found = compare(["accuracy"], right, wrong)["accuracy", None]
    assert found.delta == -1.0
    unseen = 1 - 0.05 ** (1 / 40)
    assert found.gain_high >= -1 + unseen  # the score interval is wider still
    assert found.p_gain_below(found.gain_high) == pytest.approx(0.05)
    assert found.p_gain_below(-0.5) <= 1e-3
    same = compare(["accuracy"], model, model)["accuracy", None]
    assert (same.gain_high, same.p_gain_below(unseen)) == pytest.approx((unseen, 0.05))
    assert np.isnan(replace(found, problem="none").p_gain_below(0.0))
