"""The rows of both models, cut into parts, and how each metric is computed on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.abreast import at_once, cores, each
from mlci.stats.areas import CURVES, Area, area_finding, areas, resting
from mlci.stats.bootstrap import Draws, Entry, bootstrapped
from mlci.stats.calls import called
from mlci.stats.cells import Cells
from mlci.stats.crew import Crew
from mlci.stats.disparity import disparity_finding
from mlci.stats.finding import Finding, Place
from mlci.stats.means import is_plain_mean, mean_finding
from mlci.stats.metrics import MetricKind, check_kind
from mlci.stats.names import by_others
from mlci.stats.queries import ranking_finding
from mlci.stats.questions import Question
from mlci.stats.resampling import GroupSample, RowSample, Sample
from mlci.stats.scores import Scores
from mlci.stats.sizes import sizes_finding
from mlci.stats.slices import Division, Parts
from mlci.stats.smooth import Smooth
from mlci.stats.statistic import Battery, Statistic, Sums
from mlci.stats.stopping import Stop
from mlci.stats.tally import GroupTally, Positions, RowTally, Tally, group_numbers

Found = Iterable[tuple[Place, Finding]]
_Finding = Callable[[Place, Scores, Scores | None, Positions | None], tuple[Place, Finding]]
_MANY = 100_000
"""From so many rows on parts are worked on by several threads."""
_ROOM = 5_000_000
"""With more rows than this the areas of two models are found one after the other, in half the memory."""


class Rows:
    """Both models on the same rows, and all parts of them that are judged."""

    def __init__(
        self,
        baseline: Scores | None,
        candidate: Scores,
        parts: Parts,
        groups: NDArray[Any] | None,
        confidence: float,
        *,
        threads: int | None = None,
    ) -> None:
        """`threads` work side by side on many rows, as many as there are cores by default; no number depends on it."""
        self._threads = threads or cores()
        self._parts = parts
        self._confidence = confidence
        self._unit = "rows" if groups is None else "groups"
        self._numbers = None
        if groups is not None:
            numbers, count = group_numbers(groups)
            self._numbers = numbers if count < candidate.rows else None  # groups of one row are rows
        self._candidate = _without_equal_weights(candidate)
        self._baseline = None if baseline is None else _with_labels_of(self._candidate, baseline)

    @property
    def parts(self) -> list[str | None]:
        """The names of the parts; None, for all rows, comes first."""
        return self._parts.names

    def closed(self, kind: MetricKind) -> Found | None:
        """Return what is found by a closed form, part by part; None when the metric has none."""
        if kind.needs == "column":
            return self._on_parts(kind, disparity_finding)
        if kind.needs == "query":
            return self._on_parts(kind, ranking_finding)
        if by_others(kind.name):
            return None
        if kind.name in CURVES:
            return self._areas(kind)
        if self._candidate.classes is not None and kind.needs == "prediction":
            return self._on_cells(kind)
        metric = _built(kind, self._candidate)
        if not isinstance(metric, Sums):
            return None
        if self._numbers is None and self._candidate.weight is None and is_plain_mean(kind, metric):
            return self._on_means(kind, metric)
        before = None if self._baseline is None else _built(kind, self._baseline)
        return self._on_rows(kind, metric, before if isinstance(before, Sums) else None)

    def resampled(self, kinds: list[MetricKind], draws: Draws) -> Found:
        """Return what is found by the bootstrap, with one set of draws for all metrics and parts."""
        return bootstrapped(self._entries(kinds), self._sample, draws)

    def called(self, kinds: list[MetricKind], draws: Draws, crew: Crew | None, stop: Stop | None) -> Found:
        """Return what the bootstrap finds of metrics that others wrote; its draws are the same."""
        question = Question(
            [kind.name for kind in kinds],
            self._candidate,
            self._baseline,
            [self._parts.rows(name) for name in self._parts.names],
            self._sample,
            draws.seed,
            draws.chunk_bytes,
        )
        return called(self._entries(kinds), question, draws, crew, stop)

    @cached_property
    def _sample(self) -> Sample:
        return RowSample(self._candidate.rows) if self._numbers is None else GroupSample(self._numbers)

    def _entries(self, kinds: list[MetricKind]) -> list[Entry]:
        entries = []
        for name in self._parts.names:
            rows = self._parts.rows(name)
            models = [self._candidate, self._baseline]
            batteries = [
                None if model is None else Battery([_built(kind, _taken(model, rows)) for kind in kinds])
                for model in models
            ]
            tally = self._tallies[name]
            places = [self._place(kind, name, tally) for kind in kinds]
            if batteries[0] is not None:
                entries.append(Entry(places, rows, batteries[0], batteries[1]))
        return entries

    @cached_property
    def _tallies(self) -> dict[str | None, Tally]:
        """How rows add up, for each part."""
        return {name: self._tally(name) for name in self._parts.names}

    @cached_property
    def _cells(self) -> tuple[Cells, dict[str | None, Tally]]:
        cells = Cells(self._baseline, self._candidate)
        if self._numbers is not None:
            numbers = self._numbers
            parts = {name: self._parts.rows(name) for name in self._parts.names}
            return cells, {name: cells.of_groups(rows, numbers) for name, rows in parts.items()}
        found: dict[str | None, Tally] = {}
        for division in self._parts.divisions:
            found.update(zip(division.names, cells.on(division, self._unit), strict=True))
        return cells, found

    def _of(self, rows: Positions | None) -> Positions | None:
        return self._numbers if self._numbers is None or rows is None else self._numbers[rows]

    def _tally(self, name: str | None) -> Tally:
        if self._numbers is None:
            return RowTally(self._parts.size(name), self._unit)
        rows = self._parts.rows(name)
        return GroupTally(self._numbers if rows is None else self._numbers[rows])

    def _place(self, kind: MetricKind, name: str | None, tally: Tally) -> Place:
        return Place(kind, name, tally, kind.span_on(self._candidate), self._confidence)

    def _areas(self, kind: MetricKind) -> Iterator[tuple[Place, Finding]]:
        check_kind(kind, self._candidate)
        build, divisions = CURVES[kind.name][0], self._parts.divisions
        grouped = self._numbers is not None
        after = areas(build, self._candidate, divisions, grouped=grouped)
        before: Iterable[Sequence[Area | None]]
        before = ([None] * len(division.names) for division in divisions)
        if self._baseline is not None:
            before = areas(build, self._baseline, divisions, grouped=grouped)
        pairs = at_once(after, before, 1 if self._candidate.rows > _ROOM else self._workers)
        for division in divisions:
            yield from self._on_division(kind, division, *next(pairs))

    def _on_division(
        self, kind: MetricKind, division: Division, after: list[Area], before: Sequence[Area | None]
    ) -> Iterator[tuple[Place, Finding]]:
        """Yield what is found of areas; they are as large as the rows, and gone before the next are made."""
        rests = resting(kind.name, self._candidate, division)
        for name, candidate, baseline, (support, strata) in zip(
            division.names, after, before, rests, strict=True
        ):
            place = self._place(kind, name, self._tallies[name])
            yield place, area_finding(place, candidate, baseline, strata, place.tally.units(support))

    def _on_parts(self, kind: MetricKind, finding: _Finding) -> Iterator[tuple[Place, Finding]]:
        """Yield what a function of both models' scores finds on each part."""
        check_kind(kind, self._candidate)
        for name, tally in self._tallies.items():
            rows, place = self._parts.rows(name), self._place(kind, name, tally)
            before = None if self._baseline is None else _taken(self._baseline, rows)
            yield finding(place, _taken(self._candidate, rows), before, self._of(rows))

    def _on_cells(self, kind: MetricKind) -> Iterator[tuple[Place, Finding]]:
        cells, tallies = self._cells
        candidate = _built(kind, cells.candidate)
        baseline = None if cells.baseline is None else _built(kind, cells.baseline)
        if not isinstance(candidate, Sums) or not isinstance(baseline, Sums | None):
            raise TypeError(f"{kind.name} is no smooth function of a table")
        for name, tally in tallies.items():
            place = self._place(kind, name, tally)
            yield place, Smooth(place, candidate, baseline).finding()

    def _on_rows(
        self, kind: MetricKind, candidate: Sums, baseline: Sums | None
    ) -> Iterator[tuple[Place, Finding]]:
        def found(name: str | None) -> tuple[Place, Finding]:
            rows, place = self._parts.rows(name), self._place(kind, name, self._tallies[name])
            before = None if baseline is None else _of_rows(baseline, rows)
            after = _of_rows(candidate, rows)
            if not candidate.smooth:
                return place, sizes_finding(place, after, before)
            return place, Smooth(place, after, before).finding()

        yield from each(found, list(self._tallies), self._workers)

    def _on_means(self, kind: MetricKind, metric: Sums) -> Iterator[tuple[Place, Finding]]:
        loss, before = metric.columns[:, 0].copy(), None
        del metric  # holds a column of ones too
        if self._baseline is not None and isinstance(other := _built(kind, self._baseline), Sums):
            before = other.columns[:, 0].copy()
            del other

        def found(division: Division) -> list[tuple[Place, Finding]]:
            mine = division.apart(division.taken(loss))
            theirs = [None] * len(mine) if before is None else division.apart(division.taken(before))
            places = [self._place(kind, name, self._tallies[name]) for name in division.names]
            sides = zip(places, mine, theirs, strict=True)
            return [(place, mean_finding(place, one, other)) for place, one, other in sides]

        for on_parts in each(found, self._parts.divisions, self._workers):
            yield from on_parts

    @property
    def _workers(self) -> int:
        """How many threads are worth while: one for few rows, which are done before a thread has begun."""
        return 1 if self._candidate.rows < _MANY else self._threads


def _built(kind: MetricKind, scores: Scores) -> Statistic:
    check_kind(kind, scores)
    return kind.build(scores)


def _of_rows(metric: Sums, rows: Positions | None) -> Sums:
    """Return the metric on some rows."""
    if rows is None:
        return metric
    return replace(metric, columns=metric.columns.take(rows, axis=0), support=metric.support.take(rows))


def _taken(scores: Scores, rows: Positions | None) -> Scores:
    return scores if rows is None else scores.take(rows)


def _without_equal_weights(scores: Scores) -> Scores:
    """Return scores without weights when all weights are equal: they then say nothing."""
    weight = scores.weight
    if weight is None or not np.all(weight == weight[0]) or weight[0] == 0:
        return scores
    same = replace(scores, weight=None)
    same.__dict__.update({name: scores.__dict__[name] for name in Scores.CACHED if name in scores.__dict__})
    return same


def _with_labels_of(candidate: Scores, baseline: Scores) -> Scores:
    """Return the baseline with the candidate's weights and looked-up labels, which are the same."""
    same = replace(baseline, weight=candidate.weight)
    if candidate.classes is not None:
        same.__dict__["label_codes"] = candidate.label_codes
    return same
