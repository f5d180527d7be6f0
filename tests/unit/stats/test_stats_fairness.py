"""Gaps between groups: their values by brute force, and intervals that hold where groups are close."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from mlci.stats.compare import compare
from mlci.stats.decision import no_worse_than
from mlci.stats.metrics import statistic
from mlci.stats.names import BETWEEN_GROUPS, NAME_PATTERN, check_metric, named_columns
from mlci.stats.scores import Groups, Scores

NAMES = [f"{family}@area" for family in BETWEEN_GROUPS]


def models(seed, rows, candidate, baseline, truth=(0.5, 0.5, 0.5, 0.5)):
    """Two models that call rows of each group positive with these chances, and mostly the same ones."""
    generator = np.random.default_rng(seed)
    group = generator.integers(0, len(candidate), rows)
    same, own = generator.random(rows), generator.random(rows)
    same_again = np.where(generator.random(rows) < 0.8, same, own)
    label = (generator.random(rows) < np.array(truth)[group]).astype(int)
    columns = {"area": Groups(group, [f"area {number}" for number in range(len(candidate))])}
    calls = [(same < np.array(baseline)[group]), (same_again < np.array(candidate)[group])]
    return [Scores(label, call.astype(int), None, (0, 1), columns=columns) for call in calls]


def by_hand(name, scores, weight=None):
    """What fairlearn calls the difference and ratio between groups, group by group."""
    weight = np.ones(scores.rows) if weight is None else weight
    rates = []
    for number in range(len(scores.columns["area"].names)):
        inside = scores.columns["area"].numbers == number
        if name.startswith("tpr"):
            inside &= scores.label == 1
        if name.startswith("fpr"):
            inside &= scores.label == 0
        rates.append((weight * scores.prediction)[inside].sum() / weight[inside].sum())
    return max(rates) - min(rates) if "difference" in name else min(rates) / max(rates)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_those_of_the_definition(name, weighted):
    baseline, candidate = models(1, 900, [0.5, 0.3, 0.4], [0.4, 0.2, 0.5])
    weight = np.random.default_rng(2).gamma(1.0, size=900) if weighted else None
    baseline, candidate = replace(baseline, weight=weight), replace(candidate, weight=weight)
    found = compare([name], baseline, candidate)[name, None]
    assert found.candidate == pytest.approx(by_hand(name, candidate, weight), abs=1e-12)
    assert found.baseline == pytest.approx(by_hand(name, baseline, weight), abs=1e-12)
    value = statistic(name, candidate).values(np.ones((1, 900)))[0]
    assert value == pytest.approx(found.candidate, abs=1e-12)
    assert found.low <= found.delta <= found.high
    assert found.own_low <= found.candidate <= found.own_high


@pytest.mark.parametrize("name", NAMES)
def test_where_the_groups_are_clear_the_interval_is_that_of_the_bootstrap(name):
    rates = ([0.6, 0.25, 0.45], [0.65, 0.2, 0.45])
    baseline, candidate = models(3, 4000, *rates)
    closed = compare([name], baseline, candidate)[name, None]
    drawn = compare([name], baseline, candidate, method="bootstrap", replicates=1000)[name, None]
    assert closed.standard_error == pytest.approx(drawn.standard_error, rel=0.1)
    assert closed.low == pytest.approx(drawn.low, abs=0.5 * drawn.standard_error)
    assert closed.high == pytest.approx(drawn.high, abs=0.5 * drawn.standard_error)
    assert closed.own_low == pytest.approx(drawn.own_low, abs=0.01)


@pytest.mark.parametrize(
    "rates",
    [
        ([0.5, 0.3], [0.5, 0.35]),
        ([0.4, 0.4], [0.4, 0.4]),
        ([0.4, 0.4, 0.4], [0.4, 0.4, 0.4]),
        ([0.5, 0.4, 0.3], [0.45, 0.45, 0.3]),
    ],
)
@pytest.mark.parametrize("family", ["selection_rate_difference", "selection_rate_ratio"])
def test_no_bound_misses_more_often_than_it_says(rates, family):
    name, runs = f"{family}@area", 800
    gaps = [max(model) - min(model) if "difference" in family else min(model) / max(model) for model in rates]
    missed = np.zeros(4)
    for seed in range(runs):
        baseline, candidate = models(seed, 400, *rates)
        found = compare([name], baseline, candidate)[name, None]
        truth = gaps[0] - gaps[1]
        missed += [
            found.low > truth, found.high < truth, found.own_low > gaps[0], found.own_high < gaps[0]
        ]  # fmt: skip
    # 5 % each, plus three standard errors of 800 runs.
    assert (missed / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)).all()


def test_bounds_and_p_values_agree():
    for name in NAMES:
        baseline, candidate = models(5, 600, [0.5, 0.3, 0.35], [0.45, 0.35, 0.35])
        law = compare([name], baseline, candidate)[name, None].law
        for alpha in (0.001, 0.05, 0.2):
            high = law.bounds(alpha)[1]
            assert law.p_below(high + 1e-6) <= alpha * (1 + 1e-6)
            assert law.p_below(high - 1e-6) > alpha * (1 - 1e-4)


def test_groups_of_rows_widen_the_interval():
    baseline, candidate = models(7, 500, [0.5, 0.3], [0.5, 0.35])
    rows = np.repeat(np.arange(500), 4)
    name = "selection_rate_difference@area"
    alone = compare([name], baseline, candidate)[name, None]
    copied = compare([name], baseline.take(rows), candidate.take(rows), groups=rows)[name, None]
    assert copied.standard_error == pytest.approx(alone.standard_error, rel=0.02)
    assert copied.support == alone.support
    assert "cluster-robust" in copied.method


def test_a_group_with_few_relevant_rows_gives_no_verdict():
    baseline, candidate = models(9, 300, [0.5, 0.3], [0.5, 0.35])
    inside = (candidate.columns["area"].numbers == 1) & (candidate.label == 1)
    label = candidate.label.copy()
    label[np.flatnonzero(inside)[3:]] = 0
    baseline, candidate = (replace(scores, label=label) for scores in (baseline, candidate))
    name = "tpr_difference@area"
    found = compare([name], baseline, candidate)[name, None]
    assert found.support == 3
    assert no_worse_than(found, 0.1).word == "too few rows"
    label = np.where(inside, 0, label)
    baseline, candidate = (replace(scores, label=label) for scores in (baseline, candidate))
    found = compare([name], baseline, candidate)[name, None]
    assert np.isnan(found.candidate)
    assert no_worse_than(found, 0.1).verdict == "inconclusive"
    assert np.isnan(statistic(name, candidate).values(np.ones((1, 300)))[0])


def test_a_slice_compares_the_groups_that_it_has():
    baseline, candidate = models(11, 900, [0.5, 0.3, 0.4], [0.5, 0.35, 0.4])
    numbers = candidate.columns["area"].numbers
    name = "selection_rate_difference@area"
    slices = {"two": numbers < 2, "one": numbers == 1}
    found = compare([name], baseline, candidate, slices=slices)
    called = candidate.prediction
    expected = called[numbers == 0].mean() - called[numbers == 1].mean()
    assert found[name, "two"].candidate == pytest.approx(expected)
    assert no_worse_than(found[name, "one"], 0.1).word == "too few rows"


def test_one_and_the_same_model_is_identical():
    _, candidate = models(13, 900, [0.5, 0.3, 0.4], [0.5, 0.35, 0.4])
    found = compare(["fpr_ratio@area"], candidate, candidate)["fpr_ratio@area", None]
    assert found.identical
    assert found.low < 0 < found.high


def test_what_cannot_be_compared_is_refused():
    _, scores = models(15, 100, [0.5, 0.3], [0.5, 0.35])
    for name, columns, text in (
        ("tpr_ratio@sex", scores.columns, "no column 'sex'"),
        ("tpr_ratio@area", {"area": Groups(np.zeros(100, dtype=int), ["x"])}, "one value in all rows"),
        (
            "tpr_ratio@area",
            {"area": Groups(np.arange(100), [str(n) for n in range(100)])},
            "100 values, and at most 30",
        ),
    ):
        with pytest.raises(ValueError, match=text):
            compare([name], None, replace(scores, columns=columns))
    with pytest.raises(ValueError, match="tpr_difference is named with a column"):
        check_metric("tpr_difference")
    with pytest.raises(ValueError, match="did you mean 'tpr_difference'"):
        check_metric("tpr_diference@sex")
    assert named_columns(["f_beta@2", "tpr_ratio@a b", "fpr_ratio@a b"]) == ["a b"]


def test_the_schema_of_a_gate_knows_the_same_names():
    for name in ("tpr_ratio@age group", "ndcg@10", "map@5", "f_beta@0.5", "pkg.module:function"):
        assert re.search(NAME_PATTERN, name)
        assert check_metric(name) == name
    for wrong in ("tpr_ratio@", "ndcg@ten", "tpr_ratio"):
        assert not re.search(NAME_PATTERN, wrong)
        with pytest.raises(ValueError, match="is named with"):
            check_metric(wrong)
