"""Metrics of fairness: how far apart the rates of several groups of rows are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.extremes import Extremes, Rates
from mlci.stats.finding import Finding, Place, unseen
from mlci.stats.group_rates import among, groups_of
from mlci.stats.law import Guarded, Law
from mlci.stats.scores import Scores, binary_view
from mlci.stats.statistic import Floats, Mask
from mlci.stats.tally import Positions


def disparity_finding(
    place: Place, candidate: Scores, baseline: Scores | None, clusters: Positions | None
) -> tuple[Place, Finding]:
    """Return the largest gap between groups and what is known of it; `clusters` are rows that belong together.

    It rests on the rows that are asked in the smallest group. Groups without any row here (in a slice)
    are left out; fewer than two groups, or one that has rows but none that is asked, leave it undefined.
    """
    family, _, column = place.kind.name.partition("@")
    rate, _, form = family.rpartition("_")
    numbers, names = groups_of(candidate, column)
    here = np.flatnonzero(np.bincount(numbers, minlength=len(names)))
    asked = np.flatnonzero((candidate.weights > 0) & among(rate, candidate))
    group = np.searchsorted(here, numbers)[asked]
    models = [candidate] if baseline is None else [candidate, baseline]
    hits = [binary_view(model).called[asked] for model in models]
    units = asked if clusters is None else clusters[asked]
    support = _fewest(group, units, len(here), clustered=clusters is not None)
    if len(here) < 2 or support == 0:
        return place, Finding(math.nan, None if baseline is None else math.nan, "", "", 0, identical=False)
    weight = None if candidate.weight is None else candidate.weights[asked]
    found = _Counted(group, len(here), hits, weight, None if clusters is None else units)
    return place, found.finding(place, support, relative=form == "ratio")


def _fewest(group: NDArray[np.integer[Any]], units: Positions, groups: int, *, clustered: bool) -> int:
    """Return the number of rows, or of clusters, in the group that has the fewest."""
    if clustered and len(units):
        pairs = np.unique(units.astype(np.int64) * groups + group)
        group = pairs % groups
    return int(np.bincount(group, minlength=groups).min()) if groups else 0


class _Counted:
    """The rates of groups under one model or two, from the rows that are asked."""

    def __init__(
        self,
        group: NDArray[np.integer[Any]],
        groups: int,
        hits: list[Mask],
        weight: Floats | None,
        clusters: Positions | None,
    ) -> None:
        self._group, self._groups, self._hits = group, groups, hits
        self._weight, self._clusters = weight, clusters
        self._total = np.bincount(group, weight, minlength=groups).astype(np.float64)
        self._rates = np.array([self._sums(hit) for hit in hits]) / self._total

    def finding(self, place: Place, support: int, *, relative: bool) -> Finding:
        """Return the values and their laws."""
        values = [_value(rates, relative=relative) for rates in self._rates]
        identical = len(values) == 2 and bool(np.array_equal(self._hits[0], self._hits[1]))
        before = values[1] if len(values) == 2 else None
        if not all(map(math.isfinite, values)):
            return Finding(values[0], before, "", "", support, identical=identical)
        # A group without any hit has a ratio, but no slope: it is given half a hit to reckon with.
        rates = np.where(self._rates > 0, self._rates, 0.5 / (self._total + 1)) if relative else self._rates
        covariance = self._covariance()
        size = self._groups
        own = Extremes(
            values[0],
            Rates(rates[:1], covariance[:size, :size], relative),
            self._freedom(),
            self._words(paired=False),
            sign=-1.0 if relative else 1.0,
            shift=1.0 if relative else 0.0,
        )
        gain: Law | str | None = None
        if before is not None:
            better = 1.0 if relative else -1.0
            change = better * (values[0] - before)
            gain = unseen(change, place, support)
            if not identical:
                both = Rates(rates, covariance, relative)
                law = Extremes(change, both, self._freedom(), self._words(paired=True))
                gain = Guarded(law, limits=(-1.0, 1.0))
        return Finding(values[0], before, gain, Guarded(own, limits=(0.0, 1.0)), support, identical=identical)

    def _sums(self, hit: Mask) -> Floats:
        weight = hit if self._weight is None else hit * self._weight
        return np.bincount(self._group, weight, minlength=self._groups).astype(np.float64)

    def _freedom(self) -> float:
        if self._clusters is None:
            return math.inf
        return max(1.0, _fewest(self._group, self._clusters, self._groups, clustered=True) - 1.0)

    def _words(self, *, paired: bool) -> str:
        paired_words = "paired " if paired else ""
        kind = f"cluster-robust {paired_words}" if self._clusters is not None else paired_words
        return f"{kind}interval of the extreme groups, {self._groups} groups"

    def _covariance(self) -> Floats:
        """Return the covariance of all rates, with two more rows in each group (Agresti & Min 2005)."""
        found = self._observed()
        for group in range(self._groups):
            places = group + self._groups * np.arange(len(self._hits))
            found[np.ix_(places, places)] += self._prior(group)
        return found

    def _observed(self) -> Floats:
        """Return the linearised covariance of the rates, over rows or clusters."""
        weight = np.ones(len(self._group)) if self._weight is None else self._weight
        scaled = weight / self._total[self._group]
        effects = [
            scaled * (hit - rates[self._group]) for hit, rates in zip(self._hits, self._rates, strict=True)
        ]
        models, groups = len(effects), self._groups
        if self._clusters is not None:
            return self._between_clusters(effects, self._clusters)
        found = np.zeros((models * groups, models * groups))
        line = np.arange(groups)
        for one in range(models):
            for other in range(models):
                sums = np.bincount(self._group, effects[one] * effects[other], minlength=groups)
                found[one * groups + line, other * groups + line] = sums
        return found

    def _between_clusters(self, effects: list[Floats], of_rows: Positions) -> Floats:
        clusters, numbers = np.unique(of_rows, return_inverse=True)
        count, width = len(clusters), self._groups * len(effects)
        sums = np.zeros((count, width))
        for model, effect in enumerate(effects):
            places = numbers * self._groups + self._group
            block = np.bincount(places, effect, minlength=count * self._groups)
            sums[:, model * self._groups : (model + 1) * self._groups] = block.reshape(count, self._groups)
        return np.asarray(sums.T @ sums) * (count / max(1, count - 1))

    def _prior(self, group: int) -> Floats:
        """Return what two more rows, half a one in each cell of the models' calls, change in the covariance."""
        rows = self._group == group
        weight = np.ones(int(rows.sum())) if self._weight is None else self._weight[rows]
        count = float(weight.sum() ** 2 / (weight**2).sum())  # as many equal rows would be (Kish 1965)
        shares = np.array([hit[rows] @ weight for hit in self._hits]) / weight.sum()
        both = np.diag(shares)
        if len(self._hits) == 2:
            both[0, 1] = both[1, 0] = float((self._hits[0] & self._hits[1])[rows] @ weight) / weight.sum()
        more = np.full_like(both, 0.5) + 0.5 * np.eye(
            len(both)
        )  # of two rows, one is a hit, half a one twice
        after, middle = (count * both + more) / (count + 2), (count * shares + 1) / (count + 2)
        return np.asarray(
            (after - np.outer(middle, middle)) / (count + 2) - (both - np.outer(shares, shares)) / count
        )


def _value(rates: Floats, *, relative: bool) -> float:
    if not relative:
        return float(rates.max() - rates.min())
    return float(rates.min() / rates.max()) if rates.max() > 0 else math.nan
