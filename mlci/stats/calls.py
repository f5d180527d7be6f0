"""The bootstrap of metrics that are called for every resample: timed, shared out, and ended when all is clear."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from mlci.stats.bootstrap import (
    Draws,
    Entry,
    Values,
    evaluated,
    findings,
    jackknife_pieces,
    joined,
    pieces_of,
    values_of_all,
)
from mlci.stats.crew import Crew, Shared
from mlci.stats.finding import Finding, Place
from mlci.stats.questions import Question
from mlci.stats.resampling import BLOCK
from mlci.stats.stopping import Stop, all_certain, looks

PIECE_SECONDS = 0.2
"""How long one piece of work takes, about: short, so that nobody waits long for the last one."""


def called(
    entries: list[Entry], question: Question, draws: Draws, crew: Crew | None, stop: Stop | None
) -> Iterator[tuple[Place, Finding]]:
    """Yield what replicates say of every metric on every part; see `bootstrapped`.

    Functions are called in this process, one call at a time, and in those of the crew when the work is
    worth it. With `stop` fewer replicates are drawn where they leave no doubt about any verdict. How
    many depends on the seed only, never on the crew or on time.
    """
    sample = question.sample
    points, seconds = _timed(entries, question)
    lines = max(1, min(BLOCK, int(PIECE_SECONDS / max(seconds, 1e-9))))
    shared = Shared(
        partial(evaluated, entries, sample, draws.seed, draws.chunk_bytes), question, points, crew
    )
    jackknife = jackknife_pieces(sample, lines)
    replicates: list[Values] = []
    left_out: Values = []
    at = 0
    try:
        for look in (ends := looks(draws.replicates, stop)):
            pieces = pieces_of(at, look, lines)
            if not at:
                pieces = [*jackknife, *pieces]
            shared.grow(seconds * sum(piece.stop - piece.start for piece in pieces))
            found = shared.run(pieces)
            if not at:
                left_out, found = joined(found[: len(jackknife)]), found[len(jackknife) :]
            replicates += found
            at = look
            said = list(findings(entries, points, joined(replicates), left_out))
            if look == draws.replicates or all_certain(said, stop, look, len(ends) - 1):
                yield from said
                return
    finally:
        shared.close()


def _timed(entries: list[Entry], question: Question) -> tuple[Values, float]:
    """Return the values on all rows, and how many seconds that takes: the shorter of two times."""
    times = []
    points: Values = []
    for _ in range(2):
        start = time.perf_counter()
        points = values_of_all(entries, question.sample)
        times.append(time.perf_counter() - start)
        if times[0] > PIECE_SECONDS:
            break
    return points, min(times)
