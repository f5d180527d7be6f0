"""Closed forms for metrics that are smooth functions of sums: shares, means, ratios of sums."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mlci.stats.contrast import Contrast, effects, turn
from mlci.stats.exact import Tail
from mlci.stats.finding import Finding, Place, unseen
from mlci.stats.law import Guarded, Law
from mlci.stats.shares import PairedShares, Share
from mlci.stats.skewed import skewed
from mlci.stats.statistic import Floats, Mask, Sums, telling
from mlci.stats.table_score import TableScore
from mlci.stats.tally import CellTally, GroupTally, Spread

_FEW = 5
"""With more units than this on a side no exact bound is needed: the score test holds its level."""
_MANY = 1000
"""With more rows than this that tell the models apart, the delta method is as good as a score test."""
_LITTLE = 1e-3
"""Share of their spread by which sums are moved for the bias, so that it is the same in any coordinates."""
_EMPTY = 0.1
"""What an empty cell is given whose mirror (the models change places) is not empty."""


class Smooth:
    """One metric of both models on the lines (rows or cells) of one part."""

    def __init__(self, place: Place, candidate: Sums, baseline: Sums | None) -> None:
        self._place = place
        self._tally = place.tally
        self._sign = 1.0 if place.kind.direction == "higher" else -1.0
        self._candidate = candidate
        self._baseline = baseline
        self._sums = self._totals(candidate)
        self._before = None if baseline is None else self._totals(baseline)
        self._value = _value(candidate, self._sums[0])
        self._own_effects = effects(candidate, *self._sums)[0]

    def finding(self) -> Finding:
        """Return the values of the metric and what is known of them."""
        support, own = self._candidate.support, self._own()
        if self._baseline is None or self._before is None:
            return Finding(self._value, None, None, own, self._tally.units(support), identical=False)
        value = _value(self._baseline, self._before[0])
        apart = telling(self._candidate, self._baseline)
        units = self._tally.units(support | self._baseline.support)
        differing = self._tally.units(apart)
        gain: Law | str = ""
        if math.isfinite(self._value) and math.isfinite(value):
            gain = self._gain(self._baseline, self._before, apart, differing, units)
        return Finding(self._value, value, gain, own, units, identical=differing == 0)

    def _totals(self, metric: Sums) -> tuple[Floats, Floats]:
        """Return the sums of the columns and their sizes, each 1 × k."""
        sums = self._tally.totals(metric.columns)[None, :]
        return sums, self._tally.totals(np.abs(metric.columns))[None, :] if metric.signed else sums

    @property
    def _plain(self) -> bool:
        """Whether the lines are counted cells of rows without weights: a multinomial table."""
        return isinstance(self._tally, CellTally) and self._tally.weights is self._tally.counts

    def _gain(
        self, baseline: Sums, before: tuple[Floats, Floats], apart: Mask, differing: int, units: int
    ) -> Law | str:
        gain = self._sign * (self._value - _value(baseline, before[0]))
        if differing == 0:
            return unseen(gain, self._place, units)
        law = self._score(baseline, gain, differing) if self._plain else None
        if law is None:
            slopes = self._sign * (self._own_effects - effects(baseline, *before)[0])
            spread = self._tally.spread(slopes)
            if spread.variance <= 1e-24 * max(1.0, gain * gain):
                return unseen(gain, self._place, units)
            freedom = max(1.0, min(spread.freedom, differing - 1))
            bend, bias = self._curved(
                slopes, spread, [(self._candidate, self._sums[0]), (baseline, before[0])]
            )
            law = skewed(
                gain, spread, freedom, self._words(), units=self._tally.units(), bend=bend, bias=bias
            )
        below, above = self._tails(baseline, before[0], apart, units)
        return Guarded(law, below, above, self._limits(both=True))

    def _score(self, baseline: Sums, gain: float, differing: int) -> Law | None:
        """Return the law of a table of counts; None where another law is as good, or the table tells nothing."""
        counts = self._tally.totals(np.eye(len(self._candidate.columns)))
        share = self._candidate.share
        if share is not None and baseline.share is not None:
            hits, asked = (metric.columns[:, share[0]] for metric in (self._candidate, baseline)), share[1]
            if np.array_equal(self._candidate.columns[:, asked], baseline.columns[:, asked]):
                one, other = hits
                rows = int(counts @ baseline.columns[:, asked])
                return PairedShares(rows, int(counts @ (one > other)), int(counts @ (one < other)))
        if differing > _MANY:
            return None
        filled = np.where((counts == 0) & self._mirrored(baseline, counts), _EMPTY, counts)
        kept = np.flatnonzero(filled)
        models = [replace(metric, columns=metric.columns[kept]) for metric in (self._candidate, baseline)]
        law = TableScore(gain, Contrast(models[0], models[1], self._sign), filled[kept])
        return law if law.standard_error > 0 else None

    def _mirrored(self, baseline: Sums, counts: Floats) -> Mask:
        """Return the cells whose mirror, with the models in each other's place, is occupied."""
        here = np.hstack([self._candidate.columns, baseline.columns])
        there = np.hstack([baseline.columns, self._candidate.columns])[counts > 0]
        seen = {line.tobytes() for line in there}
        return np.array([line.tobytes() in seen for line in here])

    def _curved(
        self, slopes: Floats, spread: Spread, models: list[tuple[Sums, Floats]]
    ) -> tuple[float, float]:
        """Return how the gain bends along its effects, over their variance, and its bias; see `skewed`."""
        if not spread.shaped:
            return 0.0, 0.0
        bend = bias = 0.0
        for sign, (metric, sums) in zip((self._sign, -self._sign), models, strict=False):
            move = self._tally.along(metric.columns, slopes)
            bend += sign * turn(metric, sums, move[None, :] / math.sqrt(spread.variance))
            bias += 0.0 if metric.mean else sign * self._bias(metric, sums)
        return bend, bias

    def _bias(self, metric: Sums, sums: Floats) -> float:
        """Return half the second derivative along the spread of the columns: what the value is too high by."""
        sizes, axes = np.linalg.eigh(self._tally.products(metric.columns))
        moves = (axes * np.sqrt(np.maximum(sizes, 0.0))).T
        return turn(metric, sums, _LITTLE * moves) / (2 * _LITTLE**2)

    def _own(self) -> Law | str:
        if not math.isfinite(self._value):
            return ""
        share, span, kind = self._candidate.share, self._place.span, self._place.kind
        support = self._tally.units(self._candidate.support)
        if self._plain and share is not None:
            hits, rows = (round(float(self._sums[0][0, column])) for column in share)
            tail = Tail(rows, 0, 1.0)
            return Guarded(Share(rows, hits), tail if hits == rows else None, None if hits else tail)
        spread = self._tally.spread(self._own_effects)
        if spread.variance <= 1e-24 * max(1.0, self._value**2):
            law = unseen(self._value, self._place, support)
            return law if isinstance(law, str) else Guarded(law, limits=kind.bounds)
        bend, bias = self._curved(self._own_effects, spread, [(self._candidate, self._sums[0])])
        law = skewed(
            self._value,
            spread,
            max(1.0, spread.freedom),
            self._words(own=True),
            units=self._tally.units(),
            bend=self._sign * bend,
            bias=self._sign * bias,
        )
        return Guarded(law, limits=kind.bounds) if span is not None else law

    def _tails(
        self, baseline: Sums, before: Floats, apart: Mask, units: int
    ) -> tuple[Tail | None, Tail | None]:
        """Return exact bounds below and above the gain, where few units pull it to that side."""
        kind, span = self._place.kind, self._place.span
        if span is None or kind.needs != "prediction" or kind.bounds is None:
            return None, None
        pulls = np.zeros(len(apart))
        pulls[apart] = self._sign * self._exchanged(baseline, before, apart)
        return self._tail(-pulls, units), self._tail(pulls, units)

    def _exchanged(self, baseline: Sums, before: Floats, apart: Mask) -> Floats:
        """Return what a row of each line adds to candidate − baseline (for accuracy ±1/n).

        Half of how the difference changes when the models change places on that row, without rounding.
        """
        after, candidate = self._sums[0], self._candidate
        exchange = (baseline.columns - candidate.columns)[apart]
        lost = candidate.combine(after) - candidate.combine(after + exchange)
        won = baseline.combine(before - exchange) - baseline.combine(before)
        change = (lost + won) / 2
        return np.where(np.abs(change) > 1e-12, change, 0.0)

    def _tail(self, pulls: Floats, units: int) -> Tail | None:
        pulling = pulls > 0
        seen = self._tally.units(pulling)
        if seen > _FEW:
            return None
        if seen == 0:
            return Tail(units, 0, self._place.span or 0.0)
        pull, everything = float(self._tally.totals((pulls * pulling)[:, None])[0]), self._tally.units()
        return Tail(everything, seen, pull * everything / seen)

    def _limits(self, *, both: bool) -> tuple[float, float] | None:
        bounds = self._place.kind.bounds
        if bounds is None or not both:
            return bounds
        return bounds[0] - bounds[1], bounds[1] - bounds[0]

    def _words(self, *, own: bool = False) -> str:
        name = "t interval of the mean" if self._candidate.mean else "delta method"
        paired = "" if own else "paired "
        if isinstance(self._tally, GroupTally):
            return f"cluster-robust {paired}{name}, {self._tally.units()} groups"
        return f"{paired}{name}"


def _value(metric: Sums, sums: Floats) -> float:
    return float(metric.combine(sums)[0])
