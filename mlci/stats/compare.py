"""Two models on the same rows: every metric on all rows and on every slice, by the cheapest valid method."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlci.stats.bootstrap import CHUNK_BYTES, Draws
from mlci.stats.comparison import Comparison
from mlci.stats.crew import Crew
from mlci.stats.finding import compared
from mlci.stats.law import level
from mlci.stats.metrics import metric_kind
from mlci.stats.names import by_others
from mlci.stats.paired_rows import Rows
from mlci.stats.scores import Scores, check_paired
from mlci.stats.slices import Parts, Slices
from mlci.stats.stopping import Stop

Key = tuple[str, str | None]


def compare(
    metrics: Sequence[str],
    baseline: Scores | None,
    candidate: Scores,
    *,
    slices: Slices | None = None,
    groups: NDArray[Any] | None = None,
    confidence: float = 0.90,
    replicates: int = 2000,
    seed: int = 17,
    method: Literal["cheapest", "bootstrap"] = "cheapest",
    chunk_bytes: int = CHUNK_BYTES,
    threads: int | None = None,
    crew: Crew | None = None,
    stop: Stop | None = None,
) -> dict[Key, Comparison]:
    """Compare two models on the same rows.

    Returns one comparison for each metric on all rows (slice None) and on each slice; `slices` maps a
    name to a mask of rows, or lists columns. With `groups` (one label a row) only groups are taken to
    be independent. Rows of weight 0 are left out. Without a baseline the intervals are those of the
    candidate's own values. Metrics without a closed form, and all metrics when `method` says so, are
    resampled; their numbers depend on `seed`, and neither on `chunk_bytes` nor on `threads` nor on
    `crew`, the processes that metrics of others may be called in. With `stop`, fewer than `replicates`
    are drawn of these where no verdict on the limits that it names is in doubt.
    Raises ValueError when the models do not hold the same rows, for a metric that cannot be computed
    from these scores, and for a mask or group label that does not fit.
    """
    draws = Draws(replicates, seed, chunk_bytes, threads)
    _check(baseline, candidate, groups, confidence, draws)
    parts = Parts(slices, candidate.rows)
    if candidate.weight is not None and np.any(candidate.weight == 0):
        counted = np.flatnonzero(candidate.weights > 0)
        if not len(counted):
            raise ValueError("all weights are 0, so there are no rows to compare on")
        baseline = None if baseline is None else baseline.take(counted)
        candidate, parts = candidate.take(counted), parts.take(counted)
        groups = None if groups is None else np.asarray(groups)[counted]
    rows = Rows(baseline, candidate, parts, groups, confidence, threads=threads)
    kinds = [metric_kind(name) for name in dict.fromkeys(metrics)]
    found: dict[Key, Comparison] = {}
    others = []
    for kind in kinds:
        made = rows.closed(kind) if method == "cheapest" else None
        if made is None:
            others.append(kind)
        else:
            found.update({(kind.name, place.slice): compared(place, finding) for place, finding in made})
    strange = [kind for kind in others if by_others(kind.name)]
    own = [kind for kind in others if not by_others(kind.name)]
    made = chain(
        rows.resampled(own, draws) if own else (), rows.called(strange, draws, crew, stop) if strange else ()
    )
    found.update({(place.kind.name, place.slice): compared(place, finding) for place, finding in made})
    return {(kind.name, name): found[kind.name, name] for kind in kinds for name in rows.parts}


def _check(
    baseline: Scores | None,
    candidate: Scores,
    groups: NDArray[Any] | None,
    confidence: float,
    draws: Draws,
) -> None:
    level(confidence)
    if draws.replicates < 1:
        raise ValueError(f"replicates must be at least 1, not {draws.replicates}")
    if candidate.rows == 0:
        raise ValueError("there are no rows to compare on")
    if baseline is not None:
        check_paired(baseline, candidate)
    if groups is not None and np.shape(groups) != (candidate.rows,):
        raise ValueError(f"groups must be {candidate.rows} labels, one for each row")
