"""What is known of a mean over queries: queries, or groups of them, are the units."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlci.stats.finding import Finding, Place
from mlci.stats.law import Guarded, Law, Student, Unseen
from mlci.stats.ranking_metrics import (
    Answers,
    answer_columns,
    answers_of,
    first_rows,
    query_numbers,
    weighted_mean,
)
from mlci.stats.scores import Scores
from mlci.stats.skewed import Skewed
from mlci.stats.smooth import Smooth
from mlci.stats.statistic import Floats, Mask, Sums
from mlci.stats.tally import GroupTally, Positions, RowTally, Spread, Tally


def ranking_finding(
    place: Place, candidate: Scores, baseline: Scores | None, clusters: Positions | None
) -> tuple[Place, Finding]:
    """Return the mean over queries and what is known of it: a paired t interval, queries being the units.

    `clusters` are rows that belong together; where they hold several queries, they are the units.
    Raises ValueError when a query is cut by them, or its rows differ in weight.
    """
    family, _, depth = place.kind.name.partition("@")
    after = answers_of(family, int(depth), candidate)
    before = None if baseline is None else answers_of(family, int(depth), baseline)
    tally = _tally(candidate, after, clusters)
    place = replace(place, tally=tally)
    count = len(after.values)
    models = [
        None
        if answers is None
        else Sums(answer_columns(answers), weighted_mean, np.ones(count, dtype=np.bool_), mean=True)
        for answers in (after, before)
    ]
    if models[0] is None or count == 0:
        nothing = None if before is None else np.nan
        return place, Finding(np.nan, nothing, "", "", 0, identical=False)
    found = Smooth(place, models[0], models[1]).finding()
    words = f" over {count:,} queries"
    words += f" ({after.left_out:,} without a relevant document are left out)" if after.left_out else ""
    kind = "cluster-robust " if place.tally.unit == "groups" else ""
    own = _worded(found.own, kind, words)
    return place, replace(
        found, own=own, gain=None if found.gain is None else _worded(found.gain, kind, words)
    )


@dataclass(frozen=True)
class _QueryTally:
    """Queries (or clusters of them) as units; `rows` are their documents."""

    rows: int
    inner: Tally
    unit: str

    def totals(self, columns: Floats) -> Floats:
        """Return the sums of the columns over queries."""
        return self.inner.totals(columns)

    def units(self, mask: Mask | None = None) -> int:
        """Return the number of units with a marked query."""
        return self.inner.units(mask)

    def spread(self, effects: Floats, strata: Mask | None = None) -> Spread:
        """Return the variance of the sum over units."""
        return self.inner.spread(effects, strata)

    def of_units(self, effects: Floats) -> Floats:
        """Return for each query the sum of effects over its unit."""
        return self.inner.of_units(effects)

    def along(self, columns: Floats, effects: Floats) -> Floats:
        """Return the sums of columns where each query counts as often as its unit has effects."""
        return self.inner.along(columns, effects)

    def products(self, columns: Floats) -> Floats:
        """Return the sums over units of all products of two columns."""
        return self.inner.products(columns)


def _tally(scores: Scores, answers: Answers, clusters: Positions | None) -> Tally:
    queries = len(answers.values)
    if clusters is None:
        return _QueryTally(scores.rows, RowTally(queries, "queries"), "queries")
    first = first_rows(scores)
    if np.any(
        clusters != clusters[first][np.searchsorted(query_numbers(scores)[first], query_numbers(scores))]
    ):
        raise ValueError("a query has rows of several groups; a group must hold whole queries")
    own = clusters[answers.rows]
    if len(np.unique(own)) == queries:
        return _QueryTally(scores.rows, RowTally(queries, "queries"), "queries")
    return _QueryTally(scores.rows, GroupTally(own), "groups")


def _worded(law: Law | str, kind: str, words: str) -> Law | str:
    """Return a law whose method says over what the mean is."""
    if isinstance(law, Guarded):
        inner = _worded(law.law, kind, words)
        return law if isinstance(inner, str) else replace(law, law=inner)
    if isinstance(law, Skewed | Student | Unseen):
        return replace(law, method=f"{kind}{law.method}{words}")
    return law
