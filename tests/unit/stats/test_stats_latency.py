"""Intervals of quantiles of call times: honest about noise in bursts, and about two models timed side by side."""

from __future__ import annotations

import numpy as np
import pytest

from mlci.stats.latency import latency_comparison


def times(rounds: int, seed: int, factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Calls of two models in milliseconds-like seconds, with bursts of noise that both feel."""
    chance = np.random.default_rng(seed)
    burst = np.repeat(chance.gamma(2.0, 0.0003, rounds // 10), 10)
    pair = [0.001 + burst + chance.gamma(1.0, 0.0002, rounds) for _ in range(2)]
    return pair[0] * factor, pair[1]


def test_the_values_are_the_quantiles() -> None:
    candidate, baseline = times(400, 1)
    found = latency_comparison("predict_latency_p95", 0.95, candidate, baseline, confidence=0.9, seed=1)
    assert found.candidate == np.quantile(candidate, 0.95)
    assert found.baseline == np.quantile(baseline, 0.95)
    assert found.delta == pytest.approx(found.candidate - found.baseline)
    assert found.low < found.delta < found.high
    assert found.direction == "lower"
    assert found.n == 400
    assert "block bootstrap" in found.method


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_equal_models_are_called_slower_or_faster_in_at_most_a_tenth_of_measurements(share: float) -> None:
    outside = 0
    for seed in range(150):
        candidate, baseline = times(600, seed)
        found = latency_comparison("x", share, candidate, baseline, confidence=0.9, seed=1)
        outside += not found.low <= 0 <= found.high
    assert 0.01 <= outside / 150 <= 0.15


def test_a_slower_model_is_seen_and_one_model_alone_has_an_interval() -> None:
    candidate, baseline = times(600, 3, factor=1.3)
    found = latency_comparison("x", 0.5, candidate, baseline, confidence=0.9, seed=1)
    assert found.low > 0
    alone = latency_comparison("x", 0.5, candidate, None, confidence=0.9, seed=1)
    assert alone.baseline is None
    assert alone.low < np.quantile(candidate, 0.5) < alone.high


def test_a_clock_that_stands_still_is_a_problem_and_no_proof() -> None:
    same = np.full(100, 0.001)
    found = latency_comparison("x", 0.5, same, same, confidence=0.9, seed=1)
    assert found.problem == "all calls took the same time"


def test_too_few_or_unequal_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        latency_comparison("x", 0.5, np.ones(40), None, confidence=0.9, seed=1)
    with pytest.raises(ValueError, match="of each model"):
        latency_comparison("x", 0.5, np.ones(100), np.ones(90), confidence=0.9, seed=1)
