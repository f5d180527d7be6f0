"""The paired bootstrap: one set of row counts for both models, all metrics and all slices, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from mlci.stats.abreast import cores, each
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


@dataclass(frozen=True)
class Piece:
    """A part of the work: some replicates of one block, or (None) some of the blocks that are left out."""

    block: int | None
    start: int
    stop: int

    def counts(self, sample: Sample, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield the counts of these lines; they are the same however the work is cut."""
        lines = (
            sample.without(seed, chunk_bytes)
            if self.block is None
            else sample.draws(self.block, self.stop, seed, chunk_bytes)
        )
        at = 0
        for counts in lines:
            wanted = counts[max(0, self.start - at) : max(0, self.stop - at)]
            at += len(counts)
            if len(wanted):
                yield wanted
            if at >= self.stop:
                return


Values = list[Floats]
"""For each entry models × metrics × lines values."""


class Workers(Protocol):
    """Whoever works on pieces: threads, or processes."""

    def run(self, pieces: Sequence[Piece]) -> list[Values]:
        """Return the values of each piece, in their order."""


class Threads:
    """As many threads as there are cores, for work that lets go of the interpreter's lock."""

    def __init__(self, evaluate: Callable[[Piece], Values], threads: int | None) -> None:
        self._evaluate = evaluate
        self._threads = threads or cores()

    def run(self, pieces: Sequence[Piece]) -> list[Values]:
        """Return the values of each piece, in their order."""
        return list(each(self._evaluate, pieces, self._threads))


def pieces_of(first: int, last: int, lines: int = BLOCK) -> list[Piece]:
    """Return the replicates from `first` to before `last` in pieces of at most so many lines of one block."""
    found, at = [], first
    while at < last:
        block, start = divmod(at, BLOCK)
        stop = min(start + lines, BLOCK, start + last - at)
        found.append(Piece(block, start, stop))
        at += stop - start
    return found


def jackknife_pieces(sample: Sample, lines: int) -> list[Piece]:
    """Return the blocks that are left out, one at a time, in pieces of at most so many lines."""
    return [
        Piece(None, start, min(start + lines, sample.left_out)) for start in range(0, sample.left_out, lines)
    ]


def bootstrapped(
    entries: list[Entry], sample: Sample, draws: Draws, workers: Workers | None = None
) -> Iterator[tuple[Place, Finding]]:
    """Yield what replicates say of every metric on every part (Efron & Tibshirani 1993).

    Each block of replicates has a stream of random numbers of its own, so that the numbers are the
    same for any number of threads or processes. `workers` are threads unless it says otherwise.
    """
    piecemeal = partial(evaluated, entries, sample, draws.seed, draws.chunk_bytes)
    workers = workers or Threads(piecemeal, draws.threads)
    jackknife = jackknife_pieces(sample, BLOCK)
    found = workers.run([*jackknife, *pieces_of(0, draws.replicates)])
    points = values_of_all(entries, sample)
    left_out, replicates = joined(found[: len(jackknife)]), joined(found[len(jackknife) :])
    yield from findings(entries, points, replicates, left_out)


def values_of_all(entries: list[Entry], sample: Sample) -> Values:
    """Return the values on all rows, each counted once."""
    ones = np.ones((1, sample.rows))
    return [entry.values(ones) for entry in entries]


def evaluated(entries: list[Entry], sample: Sample, seed: int, chunk_bytes: int, piece: Piece) -> Values:
    """Return the values of one piece."""
    counted = piece.counts(sample, seed, chunk_bytes)
    return joined([[entry.values(counts) for entry in entries] for counts in counted])


def joined(found: Sequence[Values]) -> Values:
    """Return the values of several pieces as those of one."""
    return [np.concatenate(values, axis=2) for values in zip(*found, strict=True)]


def findings(
    entries: list[Entry], points: Values, replicates: Values, left_out: Values
) -> Iterator[tuple[Place, Finding]]:
    """Yield what the values say of every metric on every part."""
    for index, entry in enumerate(entries):
        for number, place in enumerate(entry.places):
            found = [part[index][:, number] for part in (points, replicates, left_out)]
            yield place, _finding(entry, number, found)


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
