"""What must hold for any data: models changing places, rows in another order, weights and groups that say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.stats.compare import compare
from mlci.stats.metrics import METRICS
from mlci.stats.scores import Scores

CLOSED = [
    "accuracy",
    "brier",
    "f1",
    "log_loss",
    "recall",
    "roc_auc",
]
NUMBERS = ["mae", "mse", "rmse", "r2"]
ROW = st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 4), st.integers(0, 1), st.integers(0, 1))
ROWS = st.lists(ROW, min_size=8, max_size=60)
SLOW = settings(max_examples=6, deadline=None)


def models(rows):
    """Two classifiers on rows of label, two levels of probability, and two predictions."""
    label, *others = (np.array(column) for column in zip(*rows, strict=True))
    levels, predictions = others[:2], others[2:]
    return [
        Scores(label, prediction, np.column_stack([1 - p, p]), (0, 1))
        for prediction, p in zip(predictions, (level / 4 for level in levels), strict=True)
    ]


def regressors(rows):
    label, one, two, *_ = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return [Scores(label * 3 + one, label * 3 + two), Scores(label * 3 + one, two + 1)]


def both(rows):
    yield CLOSED, models(rows)
    yield NUMBERS, regressors(rows)


def numbers(comparison):
    return (
        comparison.low,
        comparison.high,
        comparison.standard_error,
        comparison.own_low,
        comparison.own_high,
        comparison.p_gain_below(-0.05),
    )


def same(one, two, tolerance=1e-6):
    assert one.problem == two.problem
    assert numbers(one) == pytest.approx(numbers(two), abs=tolerance, rel=tolerance, nan_ok=True)


@SLOW
@given(ROWS)
def test_models_that_change_places_mirror_everything(rows):
    for names, (one, two) in both(rows):
        there, back = compare(names, one, two), compare(names, two, one)
        for key, found in there.items():
            other = back[key]
            assert (found.problem is None) == (other.problem is None)
            assert (found.low, found.high) == pytest.approx(
                (-other.high, -other.low), abs=1e-6, rel=1e-6, nan_ok=True
            )
            if found.problem is None and not found.identical:
                sign = 1 if METRICS[key[0]].direction == "higher" else -1
                assert found.gain == pytest.approx(sign * (found.candidate - found.baseline), abs=1e-12)
                assert found.gain_low <= found.gain + 1e-9
                assert found.gain <= found.gain_high + 1e-9


@SLOW
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    for (names, pair), (_, other) in zip(both(rows), both(shuffled), strict=True):
        found = compare(names, *other)
        for key, comparison in compare(names, *pair).items():
            same(comparison, found[key])


@SLOW
@given(ROWS, st.sampled_from([1.0, 0.25, 7.0]))
def test_equal_weights_are_no_weights(rows, weight):
    for names, pair in both(rows):
        weighted = [replace(model, weight=np.full(len(rows), weight)) for model in pair]
        found = compare(names, *weighted)
        for key, comparison in compare(names, *pair).items():
            same(comparison, found[key])


@SLOW
@given(ROWS)
def test_groups_of_one_row_are_rows(rows):
    for names, pair in both(rows):
        found = compare(names, *pair, groups=np.arange(len(rows)))
        for key, comparison in compare(names, *pair).items():
            assert found[key].unit == "groups"
            same(comparison, found[key])


@SLOW
@given(ROWS, st.integers(1, 5))
def test_rows_without_weight_are_no_rows(rows, more):
    whole = [*rows, *rows[:more]]
    weight = np.r_[np.ones(len(rows)), np.zeros(len(whole) - len(rows))]
    for (names, pair), (_, longer) in zip(both(rows), both(whole), strict=True):
        found = compare(names, *(replace(model, weight=weight) for model in longer))
        for key, comparison in compare(names, *pair).items():
            assert found[key].n == comparison.n == len(rows)
            same(comparison, found[key])


@SLOW
@given(ROWS)
def test_bounds_and_p_values_say_the_same(rows):
    for names, pair in both(rows):
        for comparison in compare(names, *pair).values():
            if comparison.problem is not None or comparison.method.startswith("score interval"):
                continue  # a table of so few rows gives bounds and no exact p-value
            for alpha in (0.05, 0.01):
                high = comparison.law.bounds(alpha)[1]
                limits = getattr(comparison.law, "limits", None)
                if limits is None or high < limits[1]:
                    assert comparison.p_gain_below(high + 1e-5) <= alpha + 1e-6
                    assert comparison.p_gain_below(high - 1e-5) >= alpha - 1e-6


@SLOW
@given(ROWS)
def test_a_slice_is_compared_as_if_it_were_alone(rows):
    mask = np.arange(len(rows)) % 2 == 0
    for names, pair in both(rows):
        found = compare(names, *pair, slices={"even": mask})
        alone = compare(names, *(model.take(mask) for model in pair))
        for name in names:
            if name not in ("mae", "mse", "rmse"):  # these take the range of the label from all rows
                same(found[name, "even"], alone[name, None])


@SLOW
@given(ROWS)
def test_slices_by_column_are_slices_by_mask(rows):
    from mlci.stats.slices import Column

    number = np.arange(len(rows)) % 3 - 1
    masks = {"zero": number == 0, "one": number == 1}
    for names, pair in both(rows):
        by_mask = compare(names, *pair, slices=masks)
        by_column = compare(names, *pair, slices=[Column(number, ["zero", "one"])])
        assert list(by_mask) == list(by_column)
        for key, comparison in by_mask.items():
            same(comparison, by_column[key])
