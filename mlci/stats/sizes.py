"""The interval of a sum of sizes, such as the calibration error: honest about what chance adds to each size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlci.stats.finding import Finding, Place, unseen
from mlci.stats.law import Guarded, Law, Shifted
from mlci.stats.statistic import Floats, Sums, telling
from mlci.stats.tally import GroupTally


@dataclass(frozen=True, eq=False)
class _Model:
    """One model's value, what each row adds to it, and between which limits its bias lies.

    `worst` is the bias that it would have if all its true sizes were 0, and `doubt` a variance.
    """

    value: float
    effects: Floats
    least: float
    most: float
    worst: float
    doubt: float


def sizes_finding(place: Place, candidate: Sums, baseline: Sums | None) -> Finding:
    """Return what is known of a sum of sizes of column sums, over the sum of the last column.

    Chance makes each size larger: |N(μ, σ²)| has a mean above |μ|, by the more the nearer μ is to 0
    (Bröcker 2012; Kumar, Liang & Ma 2019), and no estimate can take all of that away. Each size's bias
    is taken at what was seen, which is too little, and at what is left after that, and the interval
    reaches as far as either of them allows; the square of the latter is added to the variance.
    """
    units = place.tally.units(candidate.support)
    own_model = _model(place, candidate)
    own: Law | str = ""
    if math.isfinite(own_model.value):
        own = _law(place, [own_model], units)
    if baseline is None:
        return Finding(own_model.value, None, None, own, units, identical=False)
    before = _model(place, baseline)
    differing = place.tally.units(telling(candidate, baseline))
    gain: Law | str = ""
    if math.isfinite(own_model.value) and math.isfinite(before.value):
        gain = _law(place, [before, own_model], units) if differing else unseen(0.0, place, units)
    return Finding(own_model.value, before.value, gain, own, units, identical=differing == 0)


def _model(place: Place, metric: Sums) -> _Model:
    columns = metric.columns
    sums = place.tally.totals(columns)
    value = float(metric.combine(sums[None, :])[0])
    if not math.isfinite(value):
        return _Model(value, np.zeros(len(columns)), 0.0, 0.0, 0.0, 0.0)
    effects = (columns[:, :-1] @ np.sign(sums[:-1]) - value * columns[:, -1]) / sums[-1]
    errors = np.sqrt([place.tally.spread(column).variance for column in columns[:, :-1].T]) / sums[-1]
    sizes = np.abs(sums[:-1]) / sums[-1]
    least = _excess(sizes, errors)
    most = _excess(np.maximum(sizes - least, 0.0), errors)
    worst = float(_excess(np.zeros(len(errors)), errors).sum())
    return _Model(value, effects, float(least.sum()), float(most.sum()), worst, float((most**2).sum()))


def _excess(sizes: Floats, errors: Floats) -> Floats:
    """Return by how much the mean size of a normal number is above the size of its mean."""
    from scipy.special import ndtr

    far = np.divide(sizes, errors, out=np.full(len(sizes), np.inf), where=errors > 0)
    density = np.exp(-0.5 * far**2) / math.sqrt(2 * math.pi)
    return np.asarray(2 * errors * density - 2 * sizes * ndtr(-far))


def _law(place: Place, models: list[_Model], units: int) -> Law | str:
    """Return the law of one model's value, or of the first's value less the second's."""
    first, paired = models[0], len(models) > 1
    estimate, effects, doubt = first.value, first.effects, first.doubt
    below, above = first.value - first.worst, first.value
    if paired:
        second = models[1]
        estimate, effects = first.value - second.value, first.effects - second.effects
        doubt += second.doubt
        below, above = estimate - first.most + second.least, estimate - first.least + second.most
    spread = place.tally.spread(effects)
    if spread.variance <= 0:
        return unseen(estimate, place, units)
    words = f"{'paired ' if paired else ''}interval of sizes, widened by their bias"
    if isinstance(place.tally, GroupTally):
        words = f"cluster-robust {words}, {place.tally.units()} groups"
    error = math.sqrt(spread.variance + doubt)
    law = Shifted(estimate, error, max(1.0, spread.freedom), below, above, words)
    return Guarded(law, limits=(-1.0, 1.0) if paired else (0.0, 1.0))
