"""Quantiles of how long calls take, of two models timed side by side, with intervals that know of noise in bursts."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from mlci.stats.comparison import Comparison
from mlci.stats.finding import Finding, Place, compared
from mlci.stats.law import Law, Student
from mlci.stats.metrics import MetricKind
from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats
from mlci.stats.tally import RowTally

_BLOCK = 10
"""Calls one after the other that are resampled as one: noise of a machine comes in bursts."""
_REPLICATES = 1000
_STILL = "all calls took the same time"

Rounds = NDArray[np.intp]


def latency_comparison(
    name: str,
    share: float,
    candidate: Floats,
    baseline: Floats | None,
    *,
    confidence: float,
    seed: int,
) -> Comparison:
    """Return the quantile of call times (seconds) at `share`, of one model or of two.

    Call i of both models was made in one round, one right after the other. The interval is that of a
    bootstrap of blocks of ten rounds (Carlstein 1986), the same blocks for both models: a t interval
    with its standard error, since the percentiles of a resampled quantile, and their accelerated form
    all the more, are wrong by far with few blocks.
    Raises ValueError for less than five blocks, and for models with unequal numbers of calls.
    """
    rounds = len(candidate)
    if rounds < 5 * _BLOCK or (baseline is not None and len(baseline) != rounds):
        raise ValueError(f"{rounds} timed calls of each model are needed, at least {5 * _BLOCK}")
    chosen = _blocks(rounds, seed)
    words = f"block bootstrap of {rounds} rounds, t interval with its standard error"
    place = Place(
        MetricKind(name, frozenset(), "lower", "prediction", _without_scores),
        None,
        RowTally(rounds, "calls"),
        None,
        confidence,
    )
    value, drawn = _quantiles(candidate, share, chosen)
    own = _law(value, drawn, rounds, words)
    if baseline is None:
        return compared(place, Finding(value, None, None, own, rounds, identical=False))
    before, drawn_before = _quantiles(baseline, share, chosen)
    gain = _law(before - value, drawn_before - drawn, rounds, f"paired {words}")
    return compared(place, Finding(value, before, gain, own, rounds, identical=False))


def _law(estimate: float, drawn: Floats, rounds: int, words: str) -> Law | str:
    error = float(drawn.std())
    return Student(estimate, error, rounds // _BLOCK - 1, words) if error > 0 else _STILL


def _blocks(rounds: int, seed: int) -> Rounds:
    """Return which rounds are in each resample: resamples × rounds."""
    starts = np.arange(0, rounds - _BLOCK + 1, _BLOCK)
    chosen = np.random.default_rng(seed).choice(starts, (_REPLICATES, len(starts)))
    return (chosen[:, :, None] + np.arange(_BLOCK)).reshape(_REPLICATES, -1)


def _quantiles(times: Floats, share: float, chosen: Rounds) -> tuple[float, Floats]:
    """Return the quantile itself, and in each resample."""
    return float(np.quantile(times, share)), np.asarray(np.quantile(times[chosen], share, axis=1))


def _without_scores(scores: Scores) -> NoReturn:
    raise TypeError(f"a time is measured, and does not follow from {scores.rows} answers")
