"""The worst slice: what is said of it holds although it was picked for being worst."""

from __future__ import annotations

import numpy as np
import pytest

from mlci.stats.compare import compare
from mlci.stats.decision import at_least, no_worse_than
from mlci.stats.multiplicity import decide_slices
from mlci.stats.scores import Scores
from mlci.stats.shares import Share
from mlci.stats.two_groups import share_difference
from mlci.stats.worst import beyond_together, worst_gain, worst_value

SLICES, ROWS, MARGIN = 12, 250, 0.05


def compared(seed, loss=None):
    """Return the accuracy of two models on slices; the second loses `loss` (one number a slice) of it."""
    chance = np.random.default_rng(seed)
    loss = np.zeros(SLICES) if loss is None else loss
    label = chance.integers(0, 2, SLICES * ROWS)
    place = np.repeat(np.arange(SLICES), ROWS)
    wrong_before = chance.random(len(label)) < 0.15
    # Half of what is wrong is wrong for other rows, and a loss turns right rows wrong.
    flips = chance.random(len(label)) < 0.08
    wrong_after = np.where(flips, chance.random(len(label)) < 0.15, wrong_before)
    wrong_after |= ~wrong_after & (chance.random(len(label)) < (loss / 0.85)[place])
    made = [
        Scores(label, np.where(wrong, 1 - label, label), None, (0, 1))
        for wrong in (wrong_before, wrong_after)
    ]
    masks = {f"s{number}": place == number for number in range(SLICES)}
    found = compare(["accuracy"], *made, slices=masks)
    return {name: found["accuracy", name] for name in masks}


def judged(family):
    decisions = {name: no_worse_than(each, MARGIN) for name, each in family.items()}
    return worst_gain(family, decisions, 0.05)


def test_at_the_margin_everywhere_a_failure_of_any_slice_stays_rare():
    """All slices lose just the margin: 12 uncorrected tests would fail in about half of the runs."""
    runs = 300
    families = [compared(seed, np.full(SLICES, MARGIN)) for seed in range(runs)]
    worst = [judged(family) for family in families]
    alone = sum(
        any(no_worse_than(each, MARGIN).verdict == "failed" for each in family.values())
        for family in families
    )
    failed = sum(found.decision.verdict == "failed" for found in worst)
    above = 0.05 * runs + 3 * (0.05 * 0.95 * runs) ** 0.5
    assert failed <= above
    assert alone > 2 * above
    # The interval of the slice that was picked covers what is true of it.
    covered = sum(found.interval[0] <= -MARGIN <= found.interval[1] for found in worst)
    assert covered >= 0.90 * runs - 3 * (0.09 * runs) ** 0.5


def test_a_slice_that_is_worse_is_named():
    loss = np.zeros(SLICES)
    loss[7] = 0.30
    found = judged(compared(1, loss))
    assert found.name == "s7"
    assert found.decision.verdict == "failed"
    assert found.interval[1] < -MARGIN
    assert found.tested == SLICES
    assert f"all {SLICES} slices" in found.method


def test_it_fails_where_holm_fails_any_and_passes_where_all_pass():
    seen = set()
    for seed in range(60):
        family = compared(
            seed, np.random.default_rng(seed).choice([0.0, 0.02, 0.25], SLICES, p=[0.8, 0.15, 0.05])
        )
        found, holm = judged(family), decide_slices(family, MARGIN)
        verdicts = [decision.verdict for decision in holm.decisions.values()]
        expected = (
            "failed" if "failed" in verdicts else "passed" if set(verdicts) == {"passed"} else "inconclusive"
        )
        assert found.decision.verdict == expected
        smallest = min(decision.p_value for decision in holm.decisions.values())
        assert found.decision.p_value == pytest.approx(smallest)
        assert (found.interval[1] <= -MARGIN + 1e-9) == (expected == "failed")
        seen.add(expected)
    assert seen >= {"failed", "inconclusive"}
    family = compared(3)
    wide = {name: no_worse_than(each, 0.4) for name, each in family.items()}
    assert worst_gain(family, wide, 0.05).decision.verdict == "passed"


def test_slices_that_cannot_be_judged_are_no_pass():
    family = compared(1)
    decisions = {name: no_worse_than(each, 0.4, minimum_rows=10_000) for name, each in family.items()}
    assert worst_gain(family, decisions, 0.05) is None
    mixed = decisions | {"s3": no_worse_than(family["s3"], 0.4)}
    found = worst_gain(family, mixed, 0.05)
    assert (found.name, found.tested, found.left_out) == ("s3", 1, SLICES - 1)


@pytest.mark.parametrize("on", ["estimate", "bound"])
def test_the_worst_own_value_is_the_smallest(on):
    loss = np.zeros(SLICES)
    loss[4] = 0.4
    family = compared(2, loss)
    decisions = {name: at_least(each, 0.7, on=on) for name, each in family.items()}
    found = worst_value(family, decisions, 0.7, 0.05, side="at_least", on=on)
    assert found.name == "s4"
    assert found.decision.verdict == "failed"
    low, high = found.interval
    assert low < family["s4"].candidate < high
    assert high - low > family["s4"].own_high - family["s4"].own_low
    together = beyond_together(family, decisions, 0.7, 0.05, side="at_least")
    assert together["s4"].verdict == "failed"


def test_a_bound_that_is_only_beyond_by_itself_is_unclear():
    family = compared(2)
    name = min(family, key=lambda each: family[each].own_high)
    limit = family[name].own_high + 1e-4
    decisions = {each: at_least(found, limit, on="bound") for each, found in family.items()}
    assert decisions[name].verdict == "failed"
    assert beyond_together(family, decisions, limit, 0.05, side="at_least")[name].verdict == "inconclusive"
    found = worst_value(family, decisions, limit, 0.05, side="at_least", on="bound")
    assert found.decision.verdict == "inconclusive"


def test_shares_against_the_tables_of_newcombe():
    """Table II (a) of Newcombe (1998): 56/70 against 48/80, and Wilson's interval of 81/263, both at 95 %."""
    difference, low, high = share_difference((56, 70), (48, 80), 0.025)
    assert (difference, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert share_difference((9, 10), (3, 10), 0.025)[1:] == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert Share(263, 81).bounds(0.025) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    with pytest.raises(ValueError, match="no share"):
        share_difference((1, 0), (1, 2), 0.05)
