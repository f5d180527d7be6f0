"""How rows are drawn again: one by one, by group, or by cell of equal rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlci.stats.statistic import Floats, Mask


class Sample(Protocol):
    """Rows (or cells of equal rows), and how often each is drawn in a bootstrap replicate."""

    @property
    def multiplicity(self) -> Floats:
        """How often each row stands in the data: ones, unless rows are cells."""

    @property
    def unit(self) -> str:
        """What is drawn: rows or groups."""

    def units(self, mask: Mask) -> int:
        """Return how many independent units the marked rows belong to."""

    def draws(self, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts (replicates × rows), in pieces of about `chunk_bytes`.

        The numbers depend on the seed only, not on the size of the pieces.
        """


class RowSample:
    """Each row is drawn by itself, with replacement (Efron 1979)."""

    unit = "rows"

    def __init__(self, rows: int) -> None:
        self.multiplicity: Floats = np.ones(rows)

    def units(self, mask: Mask) -> int:
        """Return the number of marked rows."""
        return int(np.sum(mask))

    def draws(self, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts of rows."""
        return _counts(len(self.multiplicity), replicates, seed, chunk_bytes)


class GroupSample:
    """Groups are drawn with replacement; the rows of a group come together (Field & Welsh 2007)."""

    unit = "groups"

    def __init__(self, groups: NDArray[Any]) -> None:
        """Raises ValueError when a group is missing, or groups are of several types."""
        self.multiplicity: Floats = np.ones(len(groups))
        missing = sum(_is_missing(group) for group in groups.tolist())
        if missing:
            raise ValueError(f"groups have {missing} missing values")
        try:
            distinct, self._codes = np.unique(groups, return_inverse=True)
        except TypeError:
            raise ValueError("groups hold values of several types, such as text and numbers") from None
        self.groups = len(distinct)

    def units(self, mask: Mask) -> int:
        """Return the number of groups with a marked row."""
        return len(np.unique(self._codes[mask]))

    def draws(self, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts of rows, each that of its group."""
        pieces = _chunks(len(self._codes), replicates, chunk_bytes)
        generator = np.random.default_rng(seed)
        for size in pieces:
            yield _draw(generator, self.groups, size).take(self._codes, axis=1)


class CellSample:
    """Rows that no metric can tell apart are one cell; counts of cells are multinomial.

    This is the law of the row bootstrap itself, not an approximation: drawing n rows and tabulating
    them is a multinomial draw. Its cost does not grow with the number of rows.
    """

    unit = "rows"

    def __init__(self, sizes: NDArray[np.int64]) -> None:
        self.multiplicity: Floats = sizes.astype(np.float64)
        self._rows = int(sizes.sum())

    def units(self, mask: Mask) -> int:
        """Return the number of rows in the marked cells."""
        return int(self.multiplicity[mask].sum())

    def draws(self, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts of cells."""
        share = self.multiplicity / self._rows
        # A stream of its own: the same seed must not give row and cell draws that resemble each other.
        generator = np.random.default_rng([seed, 1])
        for size in _chunks(len(share), replicates, chunk_bytes):
            yield generator.multinomial(self._rows, share, size=size).astype(np.float64)


def cells(columns: Sequence[NDArray[Any]], most: int) -> tuple[NDArray[np.intp], CellSample] | None:
    """Gather rows that are equal in all `columns`; None when there are more than `most` cells.

    Returns one row of each cell, in the order of first appearance (so that the draws do not depend on
    the order of the columns), and the sample of cells.
    """
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        distinct, inverse = np.unique(column, return_inverse=True)
        if len(distinct) > most:
            return None
        found, codes = np.unique(codes * len(distinct) + inverse, return_inverse=True)
        if len(found) > most:
            return None
    _, first, sizes = np.unique(codes, return_index=True, return_counts=True)
    order = np.argsort(first)
    return first[order], CellSample(sizes[order].astype(np.int64))


def _is_missing(group: object) -> bool:
    return group is None or (isinstance(group, float) and math.isnan(group))


def _counts(units: int, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
    generator = np.random.default_rng(seed)
    for size in _chunks(units, replicates, chunk_bytes):
        yield _draw(generator, units, size)


def _draw(generator: np.random.Generator, units: int, replicates: int) -> Floats:
    drawn = generator.integers(0, units, size=(replicates, units))
    # One count for all replicates: each has its own range of numbers.
    drawn += np.arange(0, replicates * units, units)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=replicates * units)
    return counts.reshape(replicates, units).astype(np.float64)


def _chunks(width: int, replicates: int, chunk_bytes: int) -> Iterator[int]:
    """Yield how many replicates of `width` numbers each piece holds; at least one."""
    most = max(1, chunk_bytes // (8 * max(1, width)))
    for start in range(0, replicates, most):
        yield min(most, replicates - start)
