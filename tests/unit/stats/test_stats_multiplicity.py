"""Corrections for many tests, against definitions and values worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.stats.compare import compare
from mlci.stats.decision import no_worse_than
from mlci.stats.multiplicity import benjamini_hochberg, decide_slices, holm, replicates_needed

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_benjamini_hochberg_by_hand():
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert benjamini_hochberg([0.9, 0.8]) == pytest.approx([0.9, 0.9])
    assert benjamini_hochberg([]) == []


@settings(max_examples=100, deadline=None)
@given(P_VALUES, st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values, alpha):
    rejected = set()
    for step, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[index] * (len(p_values) - step) > alpha:
            break
        rejected.add(index)
    assert {index for index, p in enumerate(holm(p_values)) if p <= alpha} == rejected


@settings(max_examples=100, deadline=None)
@given(P_VALUES)
def test_benjamini_hochberg_is_the_smallest_rate_at_which_a_test_is_rejected(p_values):
    ordered = sorted(p_values)
    for p, adjusted in zip(p_values, benjamini_hochberg(p_values), strict=True):
        rates = [q * len(ordered) / rank for rank, q in enumerate(ordered, 1) if q >= p]
        assert adjusted == pytest.approx(min([1.0, *rates]))


@settings(max_examples=50, deadline=None)
@given(P_VALUES)
def test_adjusted_values_keep_the_order_and_never_fall(p_values):
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p_values)
        assert all(p <= q * (1 + 1e-12) <= 1 + 1e-12 for p, q in zip(p_values, adjusted, strict=True))
        pairs = sorted(zip(p_values, adjusted, strict=True))
        assert all(one[1] <= two[1] for one, two in pairwise(pairs))
    pairs = zip(benjamini_hochberg(p_values), holm(p_values), strict=True)
    assert all(found <= stricter * (1 + 1e-12) for found, stricter in pairs)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize("wrong", [[-0.1], [1.1], [float("nan")]])
def test_what_is_no_p_value_is_refused(adjust, wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust(wrong)


def test_replicates_needed():
    assert replicates_needed(0) == 2000
    assert replicates_needed(100, 0.05) == 9999
    assert replicates_needed(100, 0.05, spare=1, least=1) == 1999
    assert 100 / (replicates_needed(100, 0.05, spare=1, least=1) + 1) <= 0.05
    for wrong in ((-1, 0.05), (3, 0.0), (3, 1.0)):
        with pytest.raises(ValueError, match="no number of resamples"):
            replicates_needed(*wrong)


def family(binary, size: int = 12, per_slice: int = 200, broken: float = 0.0, replicates: int = 2000, **how):
    """Slices of equal models but for the first, in which a share of the candidate's answers is flipped."""
    rows = size * per_slice
    one, two = binary(1, rows=rows), binary(2, rows=rows)
    number = np.arange(rows) // per_slice
    flip = (number == 0) & (np.random.default_rng(0).random(rows) < broken)
    two = replace(two, prediction=np.where(flip, 1 - two.label, two.prediction))
    slices = {f"s{index}": number == index for index in range(size)}
    found = compare(["accuracy"], one, two, slices=slices, replicates=replicates, **how)
    return {name: found["accuracy", name] for name in slices}


def test_a_broken_slice_fails_and_the_others_do_not(binary):
    found = decide_slices(family(binary, broken=0.5), 0.02)
    verdicts = {name: decision.verdict for name, decision in found.decisions.items()}
    assert verdicts.pop("s0") == "failed"
    assert "failed" not in verdicts.values()
    assert (found.tested, found.too_few, found.errored, found.correction, found.alpha) == (
        12,
        0,
        0,
        "holm",
        0.05,
    )
    alone = no_worse_than(family(binary, broken=0.5)["s0"], 0.02)
    assert found.decisions["s0"].p_value == pytest.approx(12 * alone.p_value)
    drawn = decide_slices(family(binary, broken=0.5, method="bootstrap"), 0.02)
    assert 12 / 2001 <= drawn.decisions["s0"].p_value <= 0.02


def test_a_slice_that_fails_alone_is_unclear_in_a_family(binary):
    slices = family(binary, broken=0.04)
    alone = decide_slices(slices, 0.02, correction="none").decisions["s0"]
    assert alone.verdict == "failed"
    assert 0.05 / 12 < alone.p_value <= 0.05
    together = decide_slices(slices, 0.02).decisions["s0"]
    assert (together.verdict, together.word) == ("inconclusive", "unclear")
    assert together.p_value == pytest.approx(min(1.0, 12 * alone.p_value))
    assert "not certain enough among 12 slices" in together.reason


def test_slices_that_are_too_small_are_counted_and_not_judged(binary):
    slices = family(binary, broken=0.5)
    tiny = family(binary, size=12, per_slice=20, broken=1.0)
    found = decide_slices({**slices, "tiny": tiny["s0"]}, 0.02)
    assert (found.tested, found.too_few) == (12, 1)
    assert found.decisions["tiny"].word == "too few rows"
    assert found.decisions["tiny"].p_value is None


def test_slices_that_cannot_be_computed_are_errors_outside_the_correction(binary):
    slices = family(binary)
    slices["s3"] = replace(slices["s3"], problem="undefined", candidate=float("nan"))
    found = decide_slices(slices, 0.02)
    assert (found.tested, found.errored, found.decisions["s3"].verdict) == (11, 1, "errored")


def test_too_few_resamples_for_the_family_do_not_hide_a_regression(binary):
    slices = family(binary, broken=0.9, replicates=199, method="bootstrap")
    with pytest.raises(
        ValueError, match="199 resamples cannot show a regression in one of 12 slices: at least 2000"
    ):
        decide_slices(slices, 0.02)
    enough = family(binary, broken=0.9, replicates=replicates_needed(12), method="bootstrap")
    assert decide_slices(enough, 0.02).decisions["s0"].verdict == "failed"


def test_no_slices_are_no_family():
    found = decide_slices({}, 0.02)
    assert (found.decisions, found.tested, found.too_few, found.errored) == ({}, 0, 0, 0)
