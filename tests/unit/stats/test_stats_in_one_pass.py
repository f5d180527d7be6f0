"""All slices of a column in one pass: the same numbers as each slice by itself, in any number of threads."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from mlci.stats import areas, paired_rows
from mlci.stats.areas import Area
from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.order import Precision, Receiver
from mlci.stats.scores import Scores
from mlci.stats.slices import Column, Division, Parts
from mlci.stats.sorting import ascending

OF_CLASSES = ["accuracy", "f1", "mcc", "roc_auc", "pr_auc", "log_loss", "brier", "calibration_error"]
OF_NUMBERS = ["mae", "rmse", "pinball@0.3"]


def classified(
    rows: int, seed: int, classes: int = 2, digits: int | None = None, weights: bool = False
) -> tuple[Scores, Scores]:
    """Return two models on the same rows; with few `digits` many scores are equal."""
    chance = np.random.default_rng(seed)
    label = chance.integers(0, classes, rows)
    weight = chance.gamma(2.0, size=rows) if weights else None
    models = []
    for _ in range(2):
        raw = chance.normal(size=(rows, classes)) + 1.2 * (label[:, None] == np.arange(classes))
        share = np.exp(raw if digits is None else np.round(raw, digits))
        share /= share.sum(axis=1, keepdims=True)
        models.append(Scores(label, share.argmax(axis=1), share, tuple(range(classes)), weight=weight))
    return models[0], models[1]


def predicted(rows: int, seed: int, weights: bool = False) -> tuple[Scores, Scores]:
    chance = np.random.default_rng(seed)
    label = chance.normal(size=rows)
    weight = chance.gamma(2.0, size=rows) if weights else None
    # Half of the answers are the same, so that few rows tell the models apart.
    first = label + chance.normal(size=rows)
    second = np.where(chance.random(rows) < 0.5, first, label + chance.normal(size=rows))
    return Scores(label, first, weight=weight), Scores(label, second, weight=weight)


def numbers(found: Comparison) -> dict[str, Any]:
    return {
        one.name: getattr(found, one.name)
        for one in fields(found)
        if one.name not in ("slice", "law", "own_law", "above")
    }


def assert_same(one: Comparison, other: Comparison, places: float = 1e-6) -> None:
    """Compare all that was found, numbers to rounding in units of their standard error."""
    theirs = numbers(other)
    error = other.standard_error if math.isfinite(other.standard_error) else 1.0
    for name, value in numbers(one).items():
        if isinstance(value, float) and not isinstance(value, bool):
            assert value == pytest.approx(
                theirs[name], rel=1e-9, abs=max(places * error, 1e-10), nan_ok=True
            ), (
                one,
                name,
            )
        else:
            assert value == theirs[name], (one, name)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(2, 400),
    slices=st.integers(1, 12),
    seed=st.integers(0, 10_000),
    digits=st.sampled_from([None, 0, 1]),
    classes=st.sampled_from([2, 2, 3]),
    weights=st.booleans(),
    grouped=st.booleans(),
)
def test_a_slice_is_what_it_is_by_itself(rows, slices, seed, digits, classes, weights, grouped):
    chance = np.random.default_rng(seed)
    before, after = classified(rows, seed, classes, digits, weights)
    # Numbers below 0 are in no slice, the last name has no rows, and the first holds one class only.
    places = chance.integers(-1, slices, rows)
    places[(places == 0) & (after.label != 0)] = -1
    column = Column(places, [str(name) for name in range(slices + 1)])
    groups = chance.integers(0, max(1, rows // 3), rows) if grouped else None
    metrics = [name for name in OF_CLASSES if name not in ("f1", "mcc")]  # tables take their time
    found = compare(metrics, before, after, slices=[column], groups=groups)
    assert_slices_alone(metrics, found, before, after, places, groups)
    alone = compare(metrics, None, after, slices=[column], groups=groups)
    assert_slices_alone(metrics, alone, None, after, places, groups)


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(2, 300), slices=st.integers(1, 5), seed=st.integers(0, 10_000), weights=st.booleans())
def test_a_slice_of_numbers_is_what_it_is_by_itself(rows, slices, seed, weights):
    before, after = predicted(rows, seed, weights)
    places = np.random.default_rng(seed).integers(-1, slices, rows)
    column = Column(places, [str(name) for name in range(slices + 1)])
    found = compare(OF_NUMBERS, before, after, slices=[column])
    assert_slices_alone(OF_NUMBERS, found, before, after, places, None)


def assert_slices_alone(metrics, found, before, after, places, groups) -> None:
    for number in np.unique(places[places >= 0]):
        rows = np.flatnonzero(places == number)
        alone = compare(
            metrics,
            None if before is None else before.take(rows),
            after.take(rows),
            groups=None if groups is None else groups[rows],
        )
        whole_groups = groups is not None and len(np.unique(groups)) < len(groups)
        if whole_groups and len(np.unique(groups[rows])) == len(rows):
            continue  # by itself the slice would have no groups at all
        if (after.weight is not None or after.classes is None) and len(rows) == 1:
            continue  # one weight says nothing and is left out, and one label has no range
        for metric in metrics:
            if after.classes is None and alone[metric, None].identical:
                continue  # what no row tells apart is judged by the range of the label on all rows
            assert_same(found[metric, str(number)], alone[metric, None])


def test_masks_are_slices_like_those_of_a_column():
    before, after = classified(900, 3, digits=1)
    places = np.random.default_rng(4).integers(0, 4, 900)
    column = compare(OF_CLASSES, before, after, slices=[Column(places, list("abcd"))])
    masks = compare(OF_CLASSES, before, after, slices={name: places == i for i, name in enumerate("abcd")})
    for key, found in column.items():
        assert_same(found, masks[key], places=0.0)


def test_slices_of_many_rows_have_the_areas_of_scikit_learn():
    """More rows than one block holds, and slices too large for a correction by shape."""
    before, after = classified(330_000, 5, digits=2)
    places = np.random.default_rng(6).integers(0, 3, 330_000)
    metrics = ["roc_auc", "pr_auc", "log_loss", "brier", "accuracy"]
    found = compare(metrics, before, after, slices=[Column(places, list("abc"))])
    for number, name in enumerate("abc"):
        rows = np.flatnonzero(places == number)
        truth, share = after.label[rows], after.probability[rows]
        expected = {
            "roc_auc": sk.roc_auc_score(truth, share[:, 1]),
            "pr_auc": sk.average_precision_score(truth, share[:, 1]),
            "log_loss": sk.log_loss(truth, share),
            "brier": sk.brier_score_loss(truth, share[:, 1]),
            "accuracy": sk.accuracy_score(truth, after.prediction[rows]),
        }
        for metric, value in expected.items():
            assert found[metric, name].candidate == pytest.approx(value, rel=1e-12)
        alone = compare(metrics, before.take(rows), after.take(rows))
        for metric in metrics:
            assert_same(found[metric, name], alone[metric, None])


@pytest.mark.parametrize("weights", [False, True])
def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch, weights):
    monkeypatch.setattr(paired_rows, "_MANY", 10)
    before, after = classified(4_000, 7, digits=1, weights=weights)
    chance = np.random.default_rng(8)
    columns = [Column(chance.integers(0, 5, 4_000), [f"{name}{i}" for i in range(5)]) for name in "ab"]
    found = [
        compare([*OF_CLASSES, "precision"], before, after, slices=columns, threads=threads)
        for threads in (1, 2, 5)
    ]
    for key, one in found[0].items():
        for other in found[1:]:
            assert repr(numbers(one)) == repr(numbers(other[key]))


def test_very_many_rows_are_told_the_same_with_less_memory(monkeypatch: pytest.MonkeyPatch):
    """Places in four bytes, and one model after the other: the limits are lowered to see it."""
    before, after = classified(3_000, 9, digits=1)
    places = np.random.default_rng(10).integers(0, 6, 3_000)
    column = [Column(places, list("abcdef"))]
    usual = compare(OF_CLASSES, before, after, slices=column)
    monkeypatch.setattr(areas, "_MANY", 10)
    monkeypatch.setattr(paired_rows, "_ROOM", 10)
    for key, found in compare(OF_CLASSES, before, after, slices=column).items():
        assert repr(numbers(found)) == repr(numbers(usual[key]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    digits=st.sampled_from([None, 1, 3, 7]),
    kind=st.sampled_from([np.float64, np.float32]),
    low=st.sampled_from([0.0, -0.5, 0.999999]),
)
def test_scores_are_sorted_as_a_stable_sort_does(seed, digits, kind, low):
    chance = np.random.default_rng(seed)
    score = low + chance.random(5_000) * (1 - max(low, 0.0))
    score = (score if digits is None else np.round(score, digits)).astype(kind)
    score[:3] = 0.0
    assert np.array_equal(ascending(score), np.argsort(score, kind="stable"))


def test_zeros_of_both_signs_are_equal_scores():
    score = np.concatenate([np.full(1_500, -0.0), np.zeros(1_500), np.linspace(0, 1, 100)])
    order = ascending(score)
    assert np.all(np.diff(score[order]) >= 0)
    assert sorted(order.tolist()) == list(range(len(score)))


def test_parts_hold_their_rows_in_order():
    places = np.array([2, 0, -1, 2, 1, 0, -1])
    parts = Parts([Column(places, ["a", "b", "c", "none"])], 7)
    assert [None if (rows := parts.rows(name)) is None else rows.tolist() for name in parts.names] == [
        None,
        [1, 5],
        [4],
        [0, 3],
        [],
    ]
    assert [parts.size(name) for name in parts.names] == [7, 2, 1, 2, 0]
    taken = parts.take(np.array([0, 1, 3]))
    assert [taken.size(name) for name in taken.names] == [3, 1, 0, 2, 0]


@pytest.mark.parametrize("build", [Receiver, Precision])
def test_effects_are_handed_over_once(build):
    truth = np.array([False, True, True, False])
    curve = build(truth, None, None)
    assert len(curve.handed_over()[0]) == 4
    assert len(curve.handed_over()[0]) == 0


def peak(metrics: list[str], rows: int) -> float:
    """Return the most bytes a row that a comparison takes beside the arrays that it is given."""
    before, after = classified(rows, 11, digits=4)
    column = [Column(np.random.default_rng(12).integers(0, 4, rows), list("abcd"))]
    compare(metrics, *classified(1_000, 11))
    tracemalloc.start()
    try:
        compare(metrics, before, after, slices=column)
        return tracemalloc.get_traced_memory()[1] / rows
    finally:
        tracemalloc.stop()


def test_memory_grows_with_rows_and_stays_below_what_the_files_take(monkeypatch: pytest.MonkeyPatch):
    """Key, prediction and two probabilities of two models are 64 bytes a row; twice that is left to reckon with."""
    monkeypatch.setattr(areas, "_MANY", 1_000)
    monkeypatch.setattr(paired_rows, "_ROOM", 1_000)
    for metrics in (["accuracy", "f1"], ["log_loss", "brier"], ["roc_auc"], ["pr_auc"]):
        large = peak(metrics, 400_000)
        assert large < 2 * 64, metrics
        assert large < 1.3 * peak(metrics, 100_000) + 8, metrics


def test_a_division_cuts_values_part_by_part():
    division = Division(np.array([1, 0, 2, 1], dtype=np.uint8), ["a", "b"], 4)
    cut = division.apart(division.taken(np.array([10.0, 11.0, 12.0, 13.0])))
    assert [values.tolist() for values in cut] == [[10.0, 13.0], [12.0]]


def test_an_area_bends_along_rows_of_its_part():
    """Few rows are corrected for curvature: their places are found from those of all rows."""
    truth = np.random.default_rng(1).random(50) < 0.5
    share = np.random.default_rng(2).random(50)
    scores = Scores(truth.astype(int), (share > 0.5).astype(int), np.column_stack([1 - share, share]), (0, 1))
    numbers_ = (np.arange(50) % 2 + 1).astype(np.uint8)
    (found,) = areas.areas(Receiver, scores, [Division(numbers_, ["even", "odd"], 50)])
    rows = np.flatnonzero(numbers_ == 2)
    ((alone,),) = areas.areas(Receiver, scores.take(rows), [Division(None, [None], len(rows))])
    along = np.random.default_rng(3).normal(size=len(rows))
    assert isinstance(found[1], Area)
    assert found[1].bend(along) == pytest.approx(alone.bend(along), rel=1e-12)
