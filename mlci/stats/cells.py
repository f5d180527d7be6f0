"""The table of label and predicted classes: all that metrics of classes see of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats
from mlci.stats.tally import CellTally, GroupTally, Positions, Tally

_MOST = 1 << 20
"""Tables with more cells than this are made by sorting rows, smaller ones by counting."""


class Cells:
    """Rows with the same label and the same two predictions are one cell.

    Rows that no metric of classes can tell apart are added up once; everything after that costs what
    the table costs, whatever the number of rows.
    """

    def __init__(self, baseline: Scores | None, candidate: Scores) -> None:
        classes = candidate.classes or ()
        size = len(classes)
        before = candidate.prediction_codes if baseline is None else baseline.prediction_codes
        codes = (candidate.label_codes * size + candidate.prediction_codes) * size + before
        few = size**3 <= _MOST
        occupied = np.flatnonzero(np.bincount(codes)) if few else np.unique(codes)
        label, after, before = occupied // size**2, occupied // size % size, occupied % size
        mirrored = (label * size + before) * size + after
        lines = occupied if baseline is None else np.unique(np.concatenate([occupied, mirrored]))
        self._lines = np.searchsorted(lines, codes).astype(np.int32)
        self._size = len(lines)
        label, after, before = lines // size**2, lines // size % size, lines % size
        self.candidate = _coded(label, after, candidate)
        self.baseline = None if baseline is None else _coded(label, before, baseline)
        self._weight = candidate.weight

    def tally(self, rows: Positions | None, groups: Positions | None, unit: str = "rows") -> Tally:
        """Return how the cells stand for some rows (all when None), or for their groups."""
        lines = self._lines if rows is None else self._lines[rows]
        weight = None if self._weight is None else np.asarray(self._weight, dtype=np.float64)
        if weight is not None and rows is not None:
            weight = weight[rows]
        if groups is not None:
            return GroupTally(groups, lines, weight)
        counts = self._sum(lines, None)
        if weight is None:
            return CellTally(counts, counts, counts, unit)
        return CellTally(counts, self._sum(lines, weight), self._sum(lines, weight**2), unit)

    def _sum(self, lines: NDArray[Any], weight: Floats | None) -> Floats:
        return np.bincount(lines, weight, minlength=self._size).astype(np.float64)


def _coded(label: NDArray[Any], prediction: NDArray[Any], like: Scores) -> Scores:
    """Return scores with one row a cell, without weights: those are in the tally."""
    names = np.empty(len(like.classes or ()), dtype=object)
    names[:] = like.classes
    scores = Scores(names[label], names[prediction], None, like.classes, like.positive)
    scores.__dict__.update(label_codes=label, prediction_codes=prediction)
    return scores
