"""A check reports how its interval was made, and what the chance of resampling leaves in it."""

from __future__ import annotations

from mlci.core.gates import Gate
from mlci.stages._gate_checks import check_of
from mlci.stats.compare import compare
from mlci.stats.decision import no_worse_than


def interval_of(metric, comparison):
    gate = Gate(metric=metric, no_worse_than=0.05)
    check = check_of(gate, comparison, no_worse_than(comparison, 0.05), "warn", None)
    return check.metric.interval


def test_a_resampled_interval_tells_its_monte_carlo_error(binary):
    found = compare(["roc_auc"], binary(1), binary(2), replicates=499, method="bootstrap")
    drawn = interval_of("roc_auc", found["roc_auc", None])
    assert drawn.monte_carlo_error == found["roc_auc", None].monte_carlo_error
    assert 0 < drawn.monte_carlo_error < (drawn.high - drawn.low) / 4
    assert "499 resamples" in drawn.method
    closed = interval_of("accuracy", compare(["accuracy"], binary(1), binary(2))["accuracy", None])
    assert closed.monte_carlo_error is None
    assert closed.method == "Tango score interval"
