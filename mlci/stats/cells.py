"""The table of label and predicted classes: all that metrics of classes see of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.scores import Scores
from mlci.stats.slices import Division
from mlci.stats.statistic import Floats
from mlci.stats.tally import CellTally, GroupTally, Positions, Tally

_MOST = 1 << 20
"""Tables with more cells than this are made by sorting rows, smaller ones by counting."""
_BLOCK = 1 << 18
"""So many rows are counted at a time, in little memory."""


class Cells:
    """Rows with the same label and the same two predictions are one cell.

    Rows that no metric of classes can tell apart are added up once; everything after that costs what
    the table costs, whatever the number of rows.
    """

    def __init__(self, baseline: Scores | None, candidate: Scores) -> None:
        classes = candidate.classes or ()
        size = len(classes)
        before = candidate.prediction_codes if baseline is None else baseline.prediction_codes
        codes = np.array(candidate.label_codes, dtype=np.min_scalar_type(max(1, size**3 - 1)))
        for one in (candidate.prediction_codes, before):
            codes *= codes.dtype.type(size)
            codes += one.astype(codes.dtype)
        few = size**3 <= _MOST
        occupied = np.flatnonzero(np.bincount(codes)) if few else np.unique(codes).astype(np.intp)
        label, after, before = occupied // size**2, occupied // size % size, occupied % size
        mirrored = (label * size + before) * size + after
        lines = occupied if baseline is None else np.unique(np.concatenate([occupied, mirrored]))
        self._lines = _looked_up(lines, codes, size**3) if few else np.searchsorted(lines, codes)
        self._size = len(lines)
        label, after, before = lines // size**2, lines // size % size, lines % size
        self.candidate = _coded(label, after, candidate)
        self.baseline = None if baseline is None else _coded(label, before, baseline)
        self._weight = candidate.weight

    def on(self, division: Division, unit: str = "rows") -> list[Tally]:
        """Return how the cells stand for each part: all parts are counted in one pass over the rows."""
        counts = self._sums(division, None)
        if self._weight is None:
            return [CellTally(each, each, each, unit) for each in counts]
        weight = np.asarray(self._weight, dtype=np.float64)
        sums, squares = self._sums(division, weight), self._sums(division, weight**2)
        return [CellTally(*each, unit) for each in zip(counts, sums, squares, strict=True)]

    def of_groups(self, rows: Positions | None, groups: Positions) -> Tally:
        """Return how the cells stand for the groups of some rows (all when None), of the groups of all rows."""
        weight = None if self._weight is None else np.asarray(self._weight, dtype=np.float64)
        if rows is None:
            return GroupTally(groups, self._lines, weight)
        return GroupTally(groups[rows], self._lines[rows], None if weight is None else weight[rows])

    def _sums(self, division: Division, weight: Floats | None) -> Floats:
        """Return the rows, or their weights, in each part and cell."""
        numbers, outside = division.numbers, division.numbers is not None
        cells = (len(division.names) + outside) * self._size
        found = np.zeros(cells)
        block = max(_BLOCK, cells)
        for start in range(0, division.rows, block):
            rows = slice(start, start + block)
            where = self._lines[rows].astype(np.intp)
            if numbers is not None:
                where += numbers[rows].astype(np.intp) * self._size
            found += np.bincount(where, None if weight is None else weight[rows], minlength=cells)
        return found.reshape(-1, self._size)[int(outside) :]


def _looked_up(lines: Positions, codes: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the line of each row, by a table of all codes."""
    table = np.zeros(size, dtype=np.min_scalar_type(len(lines)))
    table[lines] = np.arange(len(lines))
    return table.take(codes)


def _coded(label: NDArray[Any], prediction: NDArray[Any], like: Scores) -> Scores:
    """Return scores with one row a cell, without weights: those are in the tally."""
    names = np.empty(len(like.classes or ()), dtype=object)
    names[:] = like.classes
    scores = Scores(names[label], names[prediction], None, like.classes, like.positive)
    scores.__dict__.update(label_codes=label, prediction_codes=prediction)
    return scores
