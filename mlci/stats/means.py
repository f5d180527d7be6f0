"""Closed form for a plain mean over rows: what `smooth` finds of it, in a few passes over the rows."""

from __future__ import annotations

import math

import numpy as np

from mlci.stats.finding import Finding, Place, unseen
from mlci.stats.law import Guarded, Law
from mlci.stats.metrics import MetricKind
from mlci.stats.skewed import skewed
from mlci.stats.statistic import Floats, Sums

_EQUAL = 1e-24
"""Variances below this share of the squared value are rounding."""


def is_plain_mean(kind: MetricKind, metric: Sums) -> bool:
    """Return whether a metric of rows without weights is a mean, and no share that needs exact bounds."""
    return metric.mean and not (kind.needs == "prediction" and kind.bounds is not None)


def mean_finding(place: Place, loss: Floats, before: Floats | None) -> Finding:
    """Return what is known of the mean of a number a row, and of its gain over another on the same rows.

    The paired t interval, corrected for skewness (Hall 1992).
    """
    rows, kind = len(loss), place.kind
    value = float(loss.sum()) / rows if rows else math.nan
    own: Law | str = ""
    if math.isfinite(value):
        own = _law(place, value, loss / rows, kind.bounds, math.inf)
    if before is None:
        return Finding(value, None, None, own, rows, identical=False)
    earlier = float(before.sum()) / rows if rows else math.nan
    differing = int(np.count_nonzero(loss != before))
    sign = 1.0 if kind.direction == "higher" else -1.0
    gain: Law | str = ""
    if math.isfinite(value) and math.isfinite(earlier):
        apart = (loss - before) * (sign / rows)
        bounds = kind.bounds and (kind.bounds[0] - kind.bounds[1], kind.bounds[1] - kind.bounds[0])
        estimate = sign * (value - earlier)
        gain = _law(place, estimate, apart, bounds, differing - 1, paired=True)
    return Finding(value, earlier, gain, own, rows, identical=differing == 0)


def _law(
    place: Place,
    estimate: float,
    effects: Floats,
    limits: tuple[float, float] | None,
    freedom: float,
    *,
    paired: bool = False,
) -> Law | str:
    rows = len(effects)
    spread = place.tally.spread(effects)
    if freedom < 0 or spread.variance <= _EQUAL * max(1.0, estimate * estimate):
        law = unseen(estimate, place, rows)
        return law if paired or isinstance(law, str) else Guarded(law, limits=limits)
    words = f"{'paired ' if paired else ''}t interval of the mean"
    freedom = max(1.0, min(spread.freedom, freedom))
    found = skewed(estimate, spread, freedom, words, units=rows)
    return Guarded(found, limits=limits) if paired or place.span is not None else found
