"""When resampling may end: never where more of it would say something else, and soon where all is clear."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from mlci.stats.compare import compare
from mlci.stats.decision import no_worse_than
from mlci.stats.replicates import Resampled
from mlci.stats.stopping import LOOKS, Limit, Stop, clear_of, looks


@pytest.fixture
def share(monkeypatch):
    """Return a metric of the project, and a function that makes what a gate on it asks."""
    module = ModuleType("share_of_right")
    module.share = lambda frame: (
        1 - float(np.abs(frame["label"].to_numpy() - frame["probability_1"].to_numpy()).mean())
    )
    monkeypatch.setitem(sys.modules, "share_of_right", module)
    name = "share_of_right:share"
    return name, lambda *limits, family=0: Stop({name: [Limit(value) for value in limits]}, family, 0.05)


def test_a_clear_verdict_takes_few_resamples_and_is_the_same(binary, share):
    name, stop = share
    one, two = binary(1), binary(2)
    full = compare([name], one, two)[name, None]
    clear = compare([name], one, two, stop=stop(-0.5))[name, None]
    assert (full.replicates, clear.replicates) == (2000, LOOKS[0])
    assert no_worse_than(full, 0.5).verdict == no_worse_than(clear, 0.5).verdict == "passed"
    first = compare([name], one, two, replicates=LOOKS[0])[name, None]
    assert (clear.low, clear.high) == (first.low, first.high)  # nothing but the number differs
    near = compare([name], one, two, stop=stop(full.gain_low + 1e-4))[name, None]
    assert (near.replicates, near.low, near.high) == (2000, full.low, full.high)


def test_all_metrics_and_slices_have_to_be_clear(binary, share):
    name, stop = share
    one, two = binary(1), binary(2)
    slices = {"few": np.arange(300) < 40, "many": np.arange(300) >= 40}
    found = compare([name], one, two, slices=slices, stop=stop(-0.9, family=2))
    assert {each.replicates for each in found.values()} == {LOOKS[0]}
    edge = compare([name], one, two, slices=slices)[name, "few"].gain_low
    found = compare([name], one, two, slices=slices, stop=stop(edge, family=2))
    assert {each.replicates for each in found.values()} == {2000}


def test_no_baseline_and_own_limits(binary, share):
    name, _ = share
    asked = Stop({name: [Limit(-0.1), Limit(0.1, own=True)]}, 0, 0.05)
    assert compare([name], None, binary(2), stop=asked)[name, None].replicates in LOOKS
    own = compare([name], None, binary(2))[name, None].own_low
    asked = Stop({name: [Limit(own, own=True)]}, 0, 0.05)
    assert compare([name], None, binary(2), stop=asked)[name, None].replicates == 2000


def test_a_large_family_is_not_looked_at_too_soon():
    assert looks(2000, None) == [2000]
    assert looks(2000, Stop({}, 0, 0.05)) == [*LOOKS, 2000]
    assert looks(2000, Stop({}, 9, 0.05)) == [1000, 2000]
    assert looks(2400, Stop({}, 24, 0.05)) == [2400]
    assert looks(600, Stop({}, 0, 0.05)) == [600]


@pytest.mark.parametrize("acceleration", [0.0, 0.05])
@pytest.mark.parametrize("reached", [0.02, 0.045, 0.055, 0.5, 0.945, 0.955])
def test_the_side_of_a_threshold_is_hardly_ever_mistaken(acceleration, reached):
    """Against unlimited replicates: a skew law of which the true bounds are known to many digits."""
    chance = np.random.default_rng([int(1000 * reached), int(100 * acceleration)])
    endless = np.sort(chance.gamma(20.0, size=1_000_000))
    estimate = 20.0
    law = Resampled(estimate, endless, acceleration)
    bounds = {level: law.bounds(level) for level in (0.05, reached if reached < 0.5 else 1 - reached)}
    threshold = bounds[reached][0] if reached < 0.5 else bounds[1 - reached][1]
    low, high = bounds[0.05]
    truth = "below" if threshold < low else "above" if threshold > high else "between"
    mistakes = clear = 0
    for _ in range(300):
        few = Resampled(estimate, np.sort(chance.gamma(20.0, size=1000)), acceleration)
        if clear_of(few, threshold, 0.05, 0.05, 0.01):
            clear += 1
            now = few.bounds(0.05)
            said = "below" if threshold < now[0] else "above" if threshold > now[1] else "between"
            mistakes += said != truth
    assert mistakes <= 300 * 4 * 0.01 + 8
    assert (clear > 290) == (reached == 0.5)


def test_a_stricter_level_asks_for_more_where_something_fails():
    law = Resampled(10.0, np.sort(np.random.default_rng(0).normal(10, 1, 2000)), 0.0)
    threshold = 12.6  # far above the interval of 90 %, not above that of 99.9 %
    assert clear_of(law, threshold, 0.05, 0.05, 1e-4)
    assert not clear_of(law, threshold, 0.05, 0.0005, 1e-4)
    assert clear_of(law, 4.0, 0.05, 0.0005, 1e-4)
