"""Comparing two models: against scipy, repeatable, mirrored, and never certain for want of data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from mlci.stats.compare import compare
from mlci.stats.scores import Scores


def bounds(comparison):
    return comparison.low, comparison.high


def test_interval_agrees_with_scipy_for_a_mean(regression):
    before, after = regression(1, noise=1.1), regression(2)
    found = compare(["mae"], before, after, replicates=9999, method="bootstrap")["mae", None]
    losses = np.abs(after.prediction - after.label), np.abs(before.prediction - before.label)
    expected = stats.bootstrap(
        losses,
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=9999,
        confidence_level=0.9,
        method="BCa",
        rng=np.random.default_rng(0),
    )
    assert found.standard_error == pytest.approx(expected.standard_error, rel=0.03)
    # the Monte-Carlo error of a 5 % quantile from 9999 draws is about 0.02 standard errors, twice
    near = 0.1 * expected.standard_error
    assert bounds(found) == pytest.approx(tuple(expected.confidence_interval), abs=near)


@pytest.mark.parametrize(
    ("name", "score"),
    [("roc_auc", sk.roc_auc_score), ("f1", lambda y, p: sk.f1_score(y, p > 0.5))],
)
def test_interval_agrees_with_scipy_for_a_metric_of_the_whole(binary, name, score):
    before, after = binary(1, rows=200, noise=1.3), binary(2, rows=200)
    found = compare([name], before, after, replicates=4999, method="bootstrap")[name, None]
    expected = stats.bootstrap(
        (after.label, after.probability[:, 1], before.probability[:, 1]),
        lambda y, a, b: score(y, a) - score(y, b),
        paired=True,
        vectorized=False,
        n_resamples=499,
        confidence_level=0.9,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    near = 0.3 * expected.standard_error
    assert bounds(found) == pytest.approx(tuple(expected.confidence_interval), abs=near)
    assert found.delta == pytest.approx(
        score(after.label, after.probability[:, 1]) - score(before.label, before.probability[:, 1])
    )


ALL = [
    "accuracy",
    "recall",
    "precision",
    "f1",
    "mcc",
    "balanced_accuracy",
    "roc_auc",
    "average_precision",
    "calibration_error",
    "log_loss",
]


@pytest.mark.parametrize("method", ["cheapest", "bootstrap"])
def test_same_seed_same_numbers_and_any_chunk_size(binary, method):
    slices = {"first": np.arange(300) < 150}
    asked = {"slices": slices, "replicates": 500, "method": method}
    one = compare(ALL, binary(1), binary(2), **asked)
    again = compare(ALL, binary(1), binary(2), **asked)
    small = compare(ALL, binary(1), binary(2), chunk_bytes=20_000, **asked)
    cores = compare(ALL, binary(1), binary(2), threads=7, **asked)
    other = compare(ALL, binary(1), binary(2), seed=18, **asked)
    for key, comparison in one.items():
        assert bounds(again[key]) == bounds(comparison)
        assert bounds(cores[key]) == bounds(comparison)
        assert bounds(small[key]) == pytest.approx(bounds(comparison), rel=0, abs=1e-12)
        drawn = method == "bootstrap"
        assert (bounds(other[key]) != bounds(comparison)) == drawn
        assert (comparison.monte_carlo_error is not None) == drawn
        assert comparison.replicates == (500 if drawn else 0)


@pytest.mark.parametrize("method", ["cheapest", "bootstrap"])
@pytest.mark.parametrize("rows", [300, 4000])
def test_swapping_the_models_mirrors_the_interval(binary, rows, method):
    one, two = binary(1, rows=rows), binary(2, rows=rows)
    there = compare(ALL, one, two, replicates=400, method=method)
    back = compare(ALL, two, one, replicates=400, method=method)
    for key, comparison in there.items():
        mirrored = (-back[key].high, -back[key].low, -back[key].delta)
        assert mirrored == pytest.approx((*bounds(comparison), comparison.delta), rel=0, abs=1e-7)
        if key[0] == "calibration_error" and method == "cheapest":
            continue  # each side is judged by the worst that its bias may be
        assert back[key].p_gain_below(0.01) == pytest.approx(1 - comparison.p_gain_below(-0.01), abs=0.01)


def test_closed_forms_agree_with_the_bootstrap_on_many_rows(binary):
    one, two = binary(1, rows=4000, noise=1.5), binary(2, rows=4000)
    closed = compare(ALL, one, two)
    drawn = compare(ALL, one, two, replicates=4999, method="bootstrap")
    for key, comparison in closed.items():
        assert comparison.delta == pytest.approx(drawn[key].delta, abs=1e-12)
        near = 0.15 * comparison.standard_error
        assert bounds(comparison) == pytest.approx(bounds(drawn[key]), abs=near)
        if key[0] == "calibration_error":
            continue  # its own value may be nothing but bias, which no bootstrap says
        own = comparison.own_low, comparison.own_high
        assert own == pytest.approx((drawn[key].own_low, drawn[key].own_high), abs=0.002)
        assert comparison.standard_error == pytest.approx(drawn[key].standard_error, rel=0.05)
        assert (comparison.n, comparison.support) == (drawn[key].n, drawn[key].support)


def test_groups_that_repeat_rows_widen_the_interval(binary):
    few = [binary(seed, rows=120, noise=noise) for seed, noise in ((1, 1.2), (2, 1.0))]
    copies = np.repeat(np.arange(120), 9)
    many = [scores.take(copies) for scores in few]
    alone = compare(["accuracy", "roc_auc"], *few)
    grouped = compare(["accuracy", "roc_auc"], *many, groups=copies)
    ungrouped = compare(["accuracy", "roc_auc"], *many)
    for key, comparison in grouped.items():
        assert comparison.standard_error == pytest.approx(alone[key].standard_error, rel=0.08)
        assert ungrouped[key].standard_error == pytest.approx(comparison.standard_error / 3, rel=0.1)
    accuracy = grouped["accuracy", None]
    assert (accuracy.n, accuracy.units, accuracy.support, accuracy.unit) == (1080, 120, 120, "groups")
    assert accuracy.method == "cluster-robust paired t interval of the mean, 120 groups"
    assert grouped["roc_auc", None].method == "clustered paired DeLong interval, 120 groups"
    drawn = compare(["accuracy", "roc_auc"], *many, groups=copies, method="bootstrap")
    assert drawn["accuracy", None].method == "paired cluster bootstrap, BCa, 2000 resamples of 120 groups"
    for key, comparison in grouped.items():
        assert bounds(comparison) == pytest.approx(bounds(drawn[key]), abs=0.3 * comparison.standard_error)


def test_a_slice_is_compared_as_if_it_were_alone(binary):
    one, two = binary(1, rows=900, noise=1.3), binary(2, rows=900)
    mask = np.random.default_rng(0).random(900) < 0.3
    found = compare(["recall", "roc_auc"], one, two, slices={"some": mask}, replicates=3999)
    alone = compare(["recall", "roc_auc"], one.take(mask), two.take(mask), replicates=3999)
    for name in ("recall", "roc_auc"):
        part, whole = found[name, "some"], alone[name, None]
        assert part.slice == "some"
        assert (part.n, part.support) == (whole.n, whole.support) == (mask.sum(), part.support)
        assert part.delta == pytest.approx(whole.delta)
        assert part.standard_error == pytest.approx(whole.standard_error, rel=0.08)


def test_without_a_baseline_the_interval_is_the_candidates_own(binary):
    alone = compare(["accuracy", "log_loss"], None, binary(2))
    both = compare(["accuracy", "log_loss"], binary(1), binary(2))
    for key, comparison in alone.items():
        assert (comparison.baseline, comparison.delta) == (None, None)
        assert bounds(comparison) == (comparison.own_low, comparison.own_high)
        assert comparison.low < comparison.candidate < comparison.high
        assert bounds(comparison) == pytest.approx((both[key].own_low, both[key].own_high), abs=0.02)
    assert alone["accuracy", None].method == "Wilson score interval"
    assert alone["log_loss", None].method == "t interval of the mean"
    share = alone["accuracy", None].candidate
    assert alone["accuracy", None].standard_error == pytest.approx(
        (share * (1 - share) / 300) ** 0.5, rel=0.08
    )


@pytest.mark.parametrize("rows", [5, 50, 3000])
def test_models_that_do_not_differ_are_not_certain(binary, rows):
    model = binary(1, rows=rows)
    found = compare(["accuracy"], model, model)["accuracy", None]
    half = 1 - 0.05 ** (1 / rows)
    assert (found.delta, found.identical) == (0.0, True)
    assert bounds(found) == pytest.approx((-half, half))
    assert found.method == f"exact rule of three on {rows} rows"
    assert found.standard_error > 0


def test_the_rule_of_three_rests_on_the_rows_of_the_metric(binary):
    model = binary(1, rows=400, share=0.1)
    found = compare(["recall", "roc_auc"], model, replace(model, probability=model.probability**1))
    positives = int(model.label.sum())
    for comparison in found.values():
        assert comparison.support == positives
        assert comparison.high == pytest.approx(1 - 0.05 ** (1 / positives))


def test_a_monotone_change_of_the_probabilities_is_no_change_of_the_ranks(binary):
    model = binary(1)
    power = model.probability[:, 1] ** 2
    changed = replace(model, probability=np.column_stack([1 - power, power]))
    found = compare(["roc_auc", "log_loss"], model, changed)
    assert found["roc_auc", None].identical
    assert not found["log_loss", None].identical


def test_without_a_bound_nothing_can_be_said_about_models_that_do_not_differ(binary, regression):
    model = binary(1)
    found = compare(["log_loss"], model, model)["log_loss", None]
    assert found.identical
    assert "no bound" in found.problem
    assert np.isnan([found.low, found.high]).all()
    assert found.own_problem is None
    model = regression(1)
    found = compare(["mae"], model, model)["mae", None]
    assert found.high == pytest.approx(np.ptp(model.label) * (1 - 0.05 ** (1 / 300)))


def test_no_row_against_the_candidate_is_not_proof_that_there_are_none():
    label = np.ones(60, dtype=int)
    label[:30] = 0
    before = label.copy()
    before[:3] = 1  # the baseline errs three times, the candidate never
    found = compare(["accuracy"], Scores(label, before, None, (0, 1)), Scores(label, label, None, (0, 1)))
    comparison = found["accuracy", None]
    assert comparison.delta == pytest.approx(0.05)
    assert comparison.low == pytest.approx(0.05 - (1 - 0.05 ** (1 / 60)))
    assert comparison.high > 0.08
    assert comparison.own_high == 1.0
    assert comparison.own_low == pytest.approx(0.05 ** (1 / 60))


def test_a_metric_that_is_undefined_in_too_many_resamples_is_a_problem():
    label = np.zeros(100, dtype=int)
    label[:2] = 1
    prediction = label.copy()
    prediction[:30] = 1
    models = [Scores(label, one, None, (0, 1)) for one in (label, prediction)]
    found = compare(["recall", "precision"], *models, method="bootstrap")
    assert "undefined in 1" in found["recall", None].problem  # e⁻² ≈ 14 % hold no positive
    assert found["recall", None].method == "none"
    never = Scores(label, np.zeros(100, dtype=int), None, (0, 1))
    found = compare(["precision"], models[1], never)["precision", None]
    assert found.problem == "precision of the candidate is undefined on these rows"
    found = compare(["precision"], never, models[1])["precision", None]
    assert found.problem == "precision of the baseline is undefined on these rows"


def test_empty_and_one_class_slices_have_a_problem_and_harm_nobody(binary):
    one, two = binary(1), binary(2)
    slices = {"nobody": np.zeros(300, bool), "positives": two.label == 1}
    found = compare(ALL, one, two, slices=slices, replicates=200)
    plain = compare(ALL, one, two, replicates=200)
    for name in ALL:
        assert found[name, "nobody"].problem is not None
        assert (found[name, "nobody"].n, found[name, "nobody"].support) == (0, 0)
        assert found[name, None].delta == plain[name, None].delta
    assert found["roc_auc", "positives"].problem is not None
    assert found["accuracy", "positives"].problem is None


def test_weights_count(binary):
    one, two = binary(1, noise=1.2), binary(2)
    weight = np.where(np.arange(300) < 100, 5.0, 1.0)
    found = compare(["accuracy"], replace(one, weight=weight), replace(two, weight=weight))["accuracy", None]
    expected = [sk.accuracy_score(s.label, s.prediction, sample_weight=weight) for s in (one, two)]
    assert (found.baseline, found.candidate) == pytest.approx(expected)


def test_every_metric_is_returned_in_the_order_asked(binary):
    found = compare(
        ["roc_auc", "accuracy", "roc_auc"], binary(1), binary(2), slices={"a": np.ones(300, bool)}
    )
    assert list(found) == [(name, part) for name in ("roc_auc", "accuracy") for part in (None, "a")]


def test_what_does_not_fit_is_refused(binary):
    one, two = binary(1), binary(2)
    flipped = replace(two, label=1 - two.label)
    for wrong, text in [
        (binary(2, rows=299), "baseline has 300 rows and candidate 299"),
        (flipped, "label differs in 300 of 300 rows"),
        (replace(two, positive=0), "different positive classes"),
        (replace(two, weight=np.full(300, 2.0)), "weight differs in 300"),
        (Scores(two.label, two.prediction, None, (1, 0)), "candidate"),
    ]:
        with pytest.raises(ValueError, match=text):
            compare(["accuracy"], one, wrong)
    for arguments, text in [
        ({"slices": {"a": np.ones(3, bool)}}, "slice 'a' must be 300 booleans"),
        ({"slices": {"a": np.ones(300)}}, "slice 'a' must be 300 booleans"),
        ({"groups": np.ones(3)}, "groups must be 300 labels"),
        ({"groups": np.r_[np.ones(299), np.nan]}, "groups have 1 missing values"),
        ({"groups": np.array([1] * 299 + ["a"], dtype=object)}, "groups hold values of several types"),
        ({"confidence": 1.0}, "confidence must lie between 0 and 1"),
        ({"replicates": 0}, "at least 1"),
        ({"replicates": 9}, "9 resamples are too few for 0.9 confidence"),
    ]:
        with pytest.raises(ValueError, match=text):
            compare(["accuracy"], one, two, method="bootstrap", **arguments)
    nothing = [replace(model, weight=np.zeros(300)) for model in (one, two)]
    with pytest.raises(ValueError, match="all weights are 0"):
        compare(["accuracy"], *nothing)
