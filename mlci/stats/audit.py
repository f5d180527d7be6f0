"""How often a policy is wrong on these very rows: models made equal by exchange, or worse by exactly the margin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlci.stats.areas import CURVES, areas
from mlci.stats.contrast import Contrast
from mlci.stats.metrics import MetricKind, metric_kind, statistic
from mlci.stats.scores import Scores
from mlci.stats.shares import Share
from mlci.stats.slices import Parts
from mlci.stats.statistic import Floats, Mask, Sums
from mlci.stats.tally import Positions

_HARDEST = 50.0
"""A tilt beyond so many standard deviations leaves a handful of rows."""
_HALVINGS = 60
_FEWEST = 0.05
"""Share of the rows that a tilted population must amount to, or it is no picture of them any more."""


@dataclass(frozen=True)
class Rate:
    """How many of some rounds had a thing happen."""

    hits: int
    rounds: int

    @property
    def share(self) -> float:
        """The share of the rounds."""
        return self.hits / self.rounds

    @property
    def interval(self) -> tuple[float, float]:
        """What the number of rounds leaves open: the 95 % interval of Wilson (1927)."""
        return Share(self.rounds, self.hits).bounds(0.025)


@dataclass(frozen=True, eq=False)
class Population:
    """How likely each unit (row or group) is drawn, so that one model is worse by exactly the margin.

    `effective` is the share of the units that would be as good, were all drawn equally (Kish 1965).
    """

    chances: Floats
    effective: float


def exchanged(rows: int, groups: Positions | None, chance: np.random.Generator) -> Mask:
    """Return on which rows two models change places: each row, or each group as one, by a fair coin.

    Whatever the metric, both sides are then equally good: the randomisation test of Fisher (1935).
    `groups` numbers the group of each row from 0.
    """
    if groups is None:
        return chance.random(rows) < 0.5
    return (chance.random(int(groups.max()) + 1) < 0.5)[groups]


def worse_by(
    metric: str,
    baseline: Scores,
    candidate: Scores,
    margin: float,
    *,
    relative: bool = False,
    groups: Positions | None = None,
) -> Population | str:
    """Return a population of these rows in which the candidate is worse by exactly `margin`; else why not.

    Rows are reweighted by exponential tilting (Efron 1981) along the influence of each row on the
    gain, until the metric itself, computed with these weights, says so. For a mean of paired
    differences that is the population nearest to the rows (in the sense of Kullback and Leibler) with
    this mean. With `relative` the margin is a share of the baseline's value in that population; with
    `groups` whole groups are reweighted.
    """
    kind = metric_kind(metric)
    pull = _pull(kind, baseline, candidate)
    if pull is None:
        return f"{metric} has no influence function to tilt the rows along"
    units = np.arange(candidate.rows) if groups is None else groups
    pull = np.bincount(units, pull).astype(np.float64)
    spread = float(pull.std())
    if not spread > 0:
        return "no row makes a difference between the two models"
    models = [statistic(metric, scores) for scores in (baseline, candidate)]
    sign = 1.0 if kind.direction == "higher" else -1.0

    def excess(weights: Floats) -> float:
        """Return the gain above the loss that is asked for."""
        before, after = (float(model.values(weights[units][None, :])[0]) for model in models)
        return sign * (after - before) + margin * (abs(before) if relative else 1.0)

    weights = _tilted(excess, pull / spread)
    if weights is None:
        return (
            f"no weights of these rows make the candidate worse by {margin:g}: the models differ too little"
        )
    effective = float(weights.sum() ** 2 / (weights @ weights)) / len(weights)
    if effective < _FEWEST:
        return f"only {effective:.1%} of the rows could stand for a candidate that is worse by {margin:g}"
    return Population(weights / weights.sum(), effective)


def drawn(
    population: Population, groups: Positions | None, chance: np.random.Generator
) -> tuple[Positions, Positions | None]:
    """Return the rows of one sample of the population, as large as it is, and the group of each.

    A group that is drawn twice counts as two.
    """
    count = len(population.chances)
    units = chance.choice(count, count, p=population.chances)
    if groups is None:
        return units, None
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups, minlength=count))
    starts = np.concatenate([[0], ends[:-1]])
    rows = np.concatenate([order[starts[unit] : ends[unit]] for unit in units])
    return rows, np.repeat(np.arange(count), (ends - starts)[units])


def _tilted(excess: Callable[[Floats], float], pull: Floats) -> Floats | None:
    """Return weights exp(tilt × pull) at which `excess` is 0; None when no tilt gets there."""

    def weights(tilt: float) -> Floats:
        power = tilt * pull
        return np.asarray(np.exp(power - power.max()))

    start = excess(weights(0.0))
    side = -1.0 if start > 0 else 1.0
    near, far = 0.0, 0.01
    while side * excess(weights(side * far)) < 0 or math.isnan(excess(weights(side * far))):
        near, far = far, 2 * far
        if far > _HARDEST:
            return None
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        near, far = (middle, far) if side * excess(weights(side * middle)) < 0 else (near, middle)
    return weights(side * (near + far) / 2)


def _pull(kind: MetricKind, baseline: Scores, candidate: Scores) -> Floats | None:
    """Return what each row adds to the gain when it counts a little more; None where that is not known."""
    if kind.name in CURVES:
        build = CURVES[kind.name][0]
        whole = Parts(None, candidate.rows).divisions
        found = [next(areas(build, scores, whole))[0] for scores in (baseline, candidate)]
        return np.asarray(found[1].effects - found[0].effects)
    before, after = statistic(kind.name, baseline), statistic(kind.name, candidate)
    if not (isinstance(before, Sums) and isinstance(after, Sums)):
        return None
    contrast = Contrast(after, before, 1.0 if kind.direction == "higher" else -1.0)
    return np.asarray(contrast.effects(np.ones((1, candidate.rows)))[0])


def rate(found: Sequence[bool]) -> Rate:
    """Return in how many of the rounds it was so."""
    return Rate(sum(found), len(found))
