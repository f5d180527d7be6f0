"""How a smooth metric, or its gain over a baseline, moves when a row counts a little more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlci.stats.statistic import Floats, Sums

_STEP = 1e-5
"""Share of a column's size by which it is moved: rounding and curvature are then equally small."""


@dataclass(frozen=True, eq=False)
class Contrast:
    """The gain of one model over another (or one model's own value) as a function of lines' weights.

    A line is a row or a cell of equal rows. `sign` is 1 when higher is better, −1 when lower is.
    """

    candidate: Sums
    baseline: Sums | None
    sign: float = 1.0

    def values(self, weights: Floats) -> Floats:
        """Return the gain for each line of `weights` (any × lines)."""
        found = self.candidate.combine(weights @ self.candidate.columns)
        if self.baseline is not None:
            found = found - self.baseline.combine(weights @ self.baseline.columns)
        return self.sign * found

    def effects(self, weights: Floats) -> Floats:
        """Return what one more unit of weight on each line adds to the gain (any × lines).

        The influence function (Hampel 1974). Metrics do not change when all weights are multiplied,
        so that effects × weights add up to 0.
        """
        found = effects(self.candidate, weights @ self.candidate.columns)
        if self.baseline is not None:
            found = found - effects(self.baseline, weights @ self.baseline.columns)
        return self.sign * found


def effects(metric: Sums, sums: Floats, sizes: Floats | None = None) -> Floats:
    """Return what one more of each line adds to the metric, where its columns add up to `sums` (any × k)."""
    return gradient(metric, sums, np.abs(sums) if sizes is None else sizes) @ metric.columns.T


def gradient(metric: Sums, sums: Floats, sizes: Floats) -> Floats:
    """Return the slopes of the metric in its sums (any × k), by central differences.

    `sizes` are what the columns would add up to without their signs. A column of zeros has no slope.
    """
    width = sums.shape[1]
    steps = _STEP * sizes
    moves = steps[:, None, :] * np.concatenate([np.eye(width), -np.eye(width)])
    values = metric.combine((sums[:, None, :] + moves).reshape(-1, width)).reshape(-1, 2, width)
    rise = values[:, 0] - values[:, 1]
    slopes = np.divide(rise, 2 * steps, out=np.zeros_like(rise), where=steps > 0)
    return np.where(np.isfinite(slopes), slopes, 0.0)


def turn(metric: Sums, sums: Floats, moves: Floats) -> float:
    """Return the second derivatives of the metric along moves (any × k) of its sums, added up.

    By second differences over the moves themselves, which are as long as chance makes them; 0 where
    the metric is undefined so far out.
    """
    there = metric.combine(np.concatenate([sums + moves, sums - moves]))
    found = float((there - metric.combine(sums)[0]).sum())
    return found if math.isfinite(found) else 0.0
