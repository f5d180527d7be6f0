"""One slice of the rows: both models' metrics on it, replicate by replicate, and what they add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlci.stats.comparison import Comparison
from mlci.stats.interval import Bounds, Evidence, IntervalMethod, Tail
from mlci.stats.metrics import MetricKind, statistic
from mlci.stats.resampling import GroupSample, Sample
from mlci.stats.scores import Scores
from mlci.stats.statistic import Battery, Floats, Mask, Statistic, Sums

_FEW = 50
"""With more rows on a side than this the bootstrap needs no exact bound there."""


class Part:
    """The rows of one slice (all rows when `name` is None), gathering replicates as they are drawn."""

    def __init__(
        self,
        name: str | None,
        kinds: Sequence[MetricKind],
        sample: Sample,
        *,
        baseline: Scores | None,
        candidate: Scores,
        rows: NDArray[np.intp] | None,
    ) -> None:
        self.name = name
        self._kinds = kinds
        self._sample = sample
        self._rows = rows
        self._candidate = _battery(kinds, candidate, rows)
        self._baseline = None if baseline is None else _battery(kinds, baseline, rows)
        self._candidate_values: list[Floats] = []
        self._baseline_values: list[Floats] = []
        multiplicity = sample.multiplicity if rows is None else sample.multiplicity[rows]
        self._multiplicity = multiplicity[None, :]
        self._candidate_points = self._candidate.values(self._multiplicity)[:, 0]
        if self._baseline is not None:
            self._baseline_points = self._baseline.values(self._multiplicity)[:, 0]

    def add(self, counts: Floats) -> None:
        """Compute all metrics for more replicates of all rows."""
        own = counts if self._rows is None else counts.take(self._rows, axis=1)
        self._candidate_values.append(self._candidate.values(own))
        if self._baseline is not None:
            self._baseline_values.append(self._baseline.values(own))

    def comparison(
        self, index: int, span: float | None, confidence: float, method: IntervalMethod
    ) -> Comparison:
        """Return what was found for the metric at `index`; `span` is how far one row can move it."""
        kind = self._kinds[index]
        sign = 1.0 if kind.direction == "higher" else -1.0
        own = self._own_evidence(index, span)
        own_bounds = _bounds(own, confidence, method, f"{kind.name} of the candidate")
        gain, bounds, low, high = own, own_bounds, own_bounds.low, own_bounds.high
        if self._baseline is not None:
            gain = self._gain_evidence(index, span, sign)
            side = "candidate" if math.isnan(own.estimate) else "baseline"
            bounds = _bounds(gain, confidence, method, f"{kind.name} of the {side}")
            low, high = (bounds.low, bounds.high) if sign > 0 else (-bounds.high, -bounds.low)
        baseline = None if self._baseline is None else float(self._baseline_points[index])
        return Comparison(
            metric=kind.name,
            slice=self.name,
            direction=kind.direction,
            n=int(self._multiplicity.sum()),
            units=self._units(np.ones(self._multiplicity.shape[1], dtype=np.bool_)),
            support=gain.rows,
            unit=self._sample.unit,
            candidate=own.estimate,
            baseline=baseline,
            delta=None if baseline is None else own.estimate - baseline,
            low=low,
            high=high,
            own_low=own_bounds.low,
            own_high=own_bounds.high,
            confidence=confidence,
            method=self._method(len(own.replicates), bounds),
            standard_error=bounds.standard_error,
            replicates=bounds.finite,
            identical=self._identical(index),
            problem=bounds.problem,
            own_problem=own_bounds.problem,
            above=None if baseline is None else bounds.above,
            gain_replicates=sign * own.replicates if self._baseline is None else gain.replicates,
        )

    def _own_evidence(self, index: int, span: float | None) -> Evidence:
        """Return what is known of the candidate's own value."""
        rows = self._units(self._candidate.statistics[index].support)
        values = _line(self._candidate_values, index)
        return Evidence(float(self._candidate_points[index]), values, rows, span, self._kinds[index].bounds)

    def _identical(self, index: int) -> bool:
        """Return whether the metric sees the same in both models on every row."""
        if self._baseline is None:
            return False
        candidate, baseline = self._pair(index)
        return np.array_equal(candidate.marks, baseline.marks)

    def _pair(self, index: int) -> tuple[Statistic, Statistic]:
        """Return the metric of the candidate and of the baseline."""
        baseline = self._baseline or self._candidate
        return self._candidate.statistics[index], baseline.statistics[index]

    def _gain_evidence(self, index: int, span: float | None, sign: float) -> Evidence:
        """Return what is known of the improvement over the baseline."""
        kind = self._kinds[index]
        candidate, baseline = self._pair(index)
        gain = sign * float(self._candidate_points[index] - self._baseline_points[index])
        gains = sign * (_line(self._candidate_values, index) - _line(self._baseline_values, index))
        rows = self._units(candidate.support | baseline.support)
        limits = None if kind.span is None else (-kind.span, kind.span)
        below = above = None
        if kind.span is not None and kind.needs == "prediction":
            effects = sign * _row_effects(candidate, baseline, self._multiplicity)
            below, above = self._tail(-effects, rows, kind.span), self._tail(effects, rows, kind.span)
        return Evidence(gain, gains, rows, span, limits, below, above)

    def _tail(self, effects: Floats, rows: int, span: float) -> Tail | None:
        """Return what the rows with a positive effect allow; None when they are many."""
        pulling = effects > 0
        seen = self._units(pulling)
        if seen > _FEW:
            return None
        if seen == 0:
            return Tail(rows, 0, span)
        pull = float(np.sum((effects * self._multiplicity[0])[pulling]))
        return Tail(rows, seen, pull * rows / seen)

    def _units(self, mask: Mask) -> int:
        if self._rows is None:
            return self._sample.units(mask)
        of_all = np.zeros(len(self._sample.multiplicity), dtype=np.bool_)
        of_all[self._rows[mask]] = True
        return self._sample.units(of_all)

    def _method(self, replicates: int, bounds: Bounds) -> str:
        paired = "bootstrap" if self._baseline is None else "paired bootstrap"
        text = f"{paired}, {replicates} resamples"
        if isinstance(self._sample, GroupSample):
            text = f"{paired.replace('bootstrap', 'cluster bootstrap')}, {replicates} resamples of "
            text += f"{self._sample.groups} groups"
        if bounds.widened and bounds.below == bounds.above and bounds.below is not None:
            text += f", widened by the rule of three on {bounds.below.rows} {self._sample.unit}"
        elif bounds.widened:
            text += ", with an exact binomial bound for few differing rows"
        return text


def _battery(kinds: Sequence[MetricKind], scores: Scores, rows: NDArray[np.intp] | None) -> Battery:
    own = scores if rows is None else scores.take(rows)
    return Battery([statistic(kind.name, own) for kind in kinds])


def _line(pieces: list[Floats], index: int) -> Floats:
    return np.concatenate([piece[index] for piece in pieces])


def _bounds(evidence: Evidence, confidence: float, method: IntervalMethod, what: str) -> Bounds:
    if math.isnan(evidence.estimate):
        return Bounds(math.nan, math.nan, math.nan, 0, problem=f"{what} is undefined on these rows")
    return method(evidence, confidence)


def _row_effects(candidate: Statistic, baseline: Statistic, multiplicity: Floats) -> Floats:
    """Return what each row adds to candidate − baseline; 0 for a row that does not tell them apart.

    Half of how the difference changes when the two models change places on that row (for accuracy
    ±1/n). Rounding is set to 0.
    """
    if not (isinstance(candidate, Sums) and isinstance(baseline, Sums)):
        raise TypeError("metrics of predicted classes are sums over rows")
    apart = np.any(candidate.columns != baseline.columns, axis=1)
    exchange = (baseline.columns - candidate.columns)[apart]
    before, after = multiplicity @ baseline.columns, multiplicity @ candidate.columns
    lost = candidate.combine(after) - candidate.combine(after + exchange)
    won = baseline.combine(before - exchange) - baseline.combine(before)
    change = np.zeros(len(apart))
    change[apart] = (lost + won) / 2
    return np.where(np.abs(change) > 1e-12, change, 0.0)
