"""The paired bootstrap: one set of row counts for both models, all metrics and all slices, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mlci.stats.finding import Finding, Place, unseen
from mlci.stats.law import Guarded, Law
from mlci.stats.replicates import resampled
from mlci.stats.resampling import BLOCK, Sample
from mlci.stats.statistic import Battery, Floats
from mlci.stats.tally import GroupTally, Positions

CHUNK_BYTES = 2 << 20
"""Counts are made in pieces that fit a processor's cache, which halves the time."""


@dataclass(frozen=True)
class Draws:
    """How many replicates are drawn, from which seed, in which pieces and by how many threads."""

    replicates: int
    seed: int
    chunk_bytes: int = CHUNK_BYTES
    threads: int | None = None


@dataclass(frozen=True, eq=False)
class Entry:
    """The metrics of both models on the rows of one part (all rows when `rows` is None)."""

    places: list[Place]
    rows: Positions | None
    candidate: Battery
    baseline: Battery | None

    def values(self, counts: Floats) -> Floats:
        """Return models × metrics × replicates values; the baseline comes second."""
        own = counts if self.rows is None else counts.take(self.rows, axis=1)
        models = [self.candidate] if self.baseline is None else [self.candidate, self.baseline]
        return np.stack([model.values(own) for model in models])


def bootstrapped(entries: list[Entry], sample: Sample, draws: Draws) -> Iterator[tuple[Place, Finding]]:
    """Yield what replicates say of every metric on every part (Efron & Tibshirani 1993).

    Each block of replicates has a stream of random numbers of its own, so that the numbers are the
    same for any number of threads.
    """

    def block(index: int) -> list[Floats]:
        size = min(BLOCK, draws.replicates - index * BLOCK)
        return _evaluated(entries, sample.draws(index, size, draws.seed, draws.chunk_bytes))

    def left_out(_: int) -> list[Floats]:
        return _evaluated(entries, sample.without(draws.seed, draws.chunk_bytes))

    blocks = range(-(-draws.replicates // BLOCK))
    tasks: list[tuple[Callable[[int], list[Floats]], int]] = [(left_out, 0), *((block, i) for i in blocks)]
    threads = draws.threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(threads) as pool:
        jackknife, *pieces = pool.map(lambda task: task[0](task[1]), tasks)
    points = _evaluated(entries, iter([np.ones((1, sample.rows))]))
    for index, entry in enumerate(entries):
        replicates = np.concatenate([piece[index] for piece in pieces], axis=2)
        for number, place in enumerate(entry.places):
            found = [part[:, number] for part in (points[index], replicates, jackknife[index])]
            yield place, _finding(entry, number, found)


def _evaluated(entries: list[Entry], pieces: Iterable[Floats]) -> list[Floats]:
    """Return for each entry models × metrics × replicates values, over all pieces of counts."""
    found: list[list[Floats]] = [[] for _ in entries]
    for counts in pieces:
        for entry, values in zip(entries, found, strict=True):
            values.append(entry.values(counts))
    return [np.concatenate(values, axis=2) for values in found]


def _finding(entry: Entry, number: int, found: list[Floats]) -> Finding:
    """Return what is found of one metric: `found` are its values, replicates and jackknife values."""
    place, (points, replicates, jackknife) = entry.places[number], found
    statistic = entry.candidate.statistics[number]
    support, kind = place.tally.units(statistic.support), place.kind
    candidate = float(points[0, 0])
    own = _law(candidate, replicates[0], jackknife[0], place, support, paired=False)
    if entry.baseline is None:
        return Finding(candidate, None, None, own, support, identical=False)
    other = entry.baseline.statistics[number]
    support = place.tally.units(statistic.support | other.support)
    sign = 1.0 if kind.direction == "higher" else -1.0
    gains = [sign * (part[0] - part[1]) for part in found]
    gain = _law(float(gains[0][0]), gains[1], gains[2], place, support, paired=True)
    same = bool(np.array_equal(statistic.marks, other.marks))
    return Finding(candidate, float(points[1, 0]), gain, own, support, identical=same)


def _law(
    estimate: float, replicates: Floats, jackknife: Floats, place: Place, support: int, *, paired: bool
) -> Law | str:
    if not np.isfinite(estimate):
        return ""
    words = "paired bootstrap" if paired else "bootstrap"
    many = f"BCa, {len(replicates)} resamples"
    if isinstance(place.tally, GroupTally):
        words = words.replace("bootstrap", "cluster bootstrap")
        many += f" of {place.tally.units()} groups"
    law: Law | str | None = resampled(estimate, replicates, jackknife, f"{words}, {many}")
    law = unseen(estimate, place, support) if law is None else law
    bounds = place.kind.bounds
    if isinstance(law, str) or bounds is None:
        return law
    wide = bounds[1] - bounds[0]
    return Guarded(law, limits=(-wide, wide) if paired else bounds)
