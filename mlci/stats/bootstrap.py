"""The paired bootstrap: one set of row counts for both models, all metrics and all slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.comparison import Comparison
from mlci.stats.interval import IntervalMethod, level, percentile
from mlci.stats.metrics import MetricKind, metric_kind
from mlci.stats.part import Part
from mlci.stats.resampling import GroupSample, RowSample, Sample, cells
from mlci.stats.scores import Scores, check_paired
from mlci.stats.statistic import Mask

_CHUNK_BYTES = 8 << 20
_FEWER_CELLS = 20
"""Cells are drawn when rows are this many times as many; below, drawing rows is as fast."""


@dataclass(frozen=True)
class _Settings:
    confidence: float
    replicates: int
    seed: int
    chunk_bytes: int
    method: IntervalMethod


def compare(
    metrics: Sequence[str],
    baseline: Scores | None,
    candidate: Scores,
    *,
    slices: Mapping[str, NDArray[Any]] | None = None,
    groups: NDArray[Any] | None = None,
    confidence: float = 0.90,
    replicates: int = 2000,
    seed: int = 17,
    method: IntervalMethod = percentile,
    chunk_bytes: int = _CHUNK_BYTES,
) -> dict[tuple[str, str | None], Comparison]:
    """Compare two models on the same rows by the paired bootstrap (Efron & Tibshirani 1993).

    Returns one comparison for each metric on all rows (slice None) and on each slice; `slices` maps a
    name to a mask of rows. With `groups` (one label a row) whole groups are drawn instead of rows.
    Without a baseline the intervals are those of the candidate's own values. The numbers depend on
    `seed` and not on `chunk_bytes`, the size of the pieces in which counts are made.
    Raises ValueError when the models do not hold the same rows, for a metric that cannot be computed
    from these scores, and for a mask or group label that does not fit.
    """
    settings = _Settings(confidence, replicates, seed, chunk_bytes, method)
    masks = {name: np.asarray(mask) for name, mask in (slices or {}).items()}
    _check(baseline, candidate, masks, groups, settings)
    kinds = [metric_kind(name) for name in dict.fromkeys(metrics)]
    found: dict[tuple[str, str | None], Comparison] = {}
    countable, others = _split(kinds, candidate, groups)
    most = candidate.rows // _FEWER_CELLS
    joint = cells(_joint_columns(baseline, candidate, masks), most) if countable else None
    if joint is None:
        countable, others = [], kinds
    else:
        rows, sample = joint
        thin = {name: mask[rows] for name, mask in masks.items()}
        before = None if baseline is None else baseline.take(rows)
        found.update(
            _run(countable, settings, sample, baseline=before, candidate=candidate.take(rows), masks=thin)
        )
    if others:
        whole: Sample = RowSample(candidate.rows) if groups is None else GroupSample(groups)
        found.update(_run(others, settings, whole, baseline=baseline, candidate=candidate, masks=masks))
    return {(kind.name, name): found[kind.name, name] for kind in kinds for name in (None, *masks)}


def _check(
    baseline: Scores | None,
    candidate: Scores,
    masks: Mapping[str, NDArray[Any]],
    groups: NDArray[Any] | None,
    settings: _Settings,
) -> None:
    level(settings.confidence)
    if settings.replicates < 1:
        raise ValueError(f"replicates must be at least 1, not {settings.replicates}")
    if candidate.rows == 0:
        raise ValueError("there are no rows to compare on")
    if baseline is not None:
        check_paired(baseline, candidate)
    for name, mask in masks.items():
        if mask.dtype != np.bool_ or mask.shape != (candidate.rows,):
            raise ValueError(f"slice '{name}' must be {candidate.rows} booleans, one for each row")
    if groups is not None and np.shape(groups) != (candidate.rows,):
        raise ValueError(f"groups must be {candidate.rows} labels, one for each row")


def _split(
    kinds: list[MetricKind], candidate: Scores, groups: NDArray[Any] | None
) -> tuple[list[MetricKind], list[MetricKind]]:
    """Separate the metrics that see a row only as a cell of label and predicted class."""
    if candidate.classes is None or groups is not None:
        return [], kinds
    countable = [kind for kind in kinds if kind.needs == "prediction"]
    return countable, [kind for kind in kinds if kind.needs != "prediction"]


def _joint_columns(
    baseline: Scores | None, candidate: Scores, masks: Mapping[str, Mask]
) -> list[NDArray[Any]]:
    columns: list[NDArray[Any]] = [candidate.label_codes, candidate.prediction_codes]
    if baseline is not None:
        columns.append(baseline.prediction_codes)
    if candidate.weight is not None:
        columns.append(candidate.weight)
    return [*columns, *masks.values()]


def _run(
    kinds: list[MetricKind],
    settings: _Settings,
    sample: Sample,
    *,
    baseline: Scores | None,
    candidate: Scores,
    masks: Mapping[str, Mask],
) -> dict[tuple[str, str | None], Comparison]:
    """Compare on all rows and on each slice, with one set of draws."""
    rows: dict[str | None, NDArray[np.intp] | None] = {None: None}
    rows.update({name: np.flatnonzero(mask) for name, mask in masks.items()})
    parts = [
        Part(name, kinds, sample, baseline=baseline, candidate=candidate, rows=chosen)
        for name, chosen in rows.items()
    ]
    for counts in sample.draws(settings.replicates, settings.seed, settings.chunk_bytes):
        for part in parts:
            part.add(counts)
    spans = [kind.span_on(candidate) for kind in kinds]
    return {
        (kind.name, part.name): part.comparison(index, spans[index], settings.confidence, settings.method)
        for part in parts
        for index, kind in enumerate(kinds)
    }
