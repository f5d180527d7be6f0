"""How rows are drawn again: one by one, or by group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlci.stats.statistic import Floats
from mlci.stats.tally import Positions, group_numbers

BLOCK = 50
"""Replicates with one stream of random numbers: the smallest piece of work for a core."""
_LEFT_OUT = 200
"""Blocks of rows that are left out, one at a time, to see how skew the metric is."""


class Sample(Protocol):
    """Rows, and how often each is drawn in a bootstrap replicate."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def left_out(self) -> int:
        """How many lines `without` yields in all."""

    def draws(self, block: int, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts (replicates × rows) of one block, in pieces of about `chunk_bytes`.

        The numbers depend on the seed and the block only, not on the size of the pieces.
        """

    def without(self, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts (any × rows) that are 0 for one block of rows and 1 for the others."""


class RowSample:
    """Each row is drawn by itself, with replacement (Efron 1979)."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.left_out = min(rows, _LEFT_OUT)

    def draws(self, block: int, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts of rows."""
        generator = np.random.default_rng([seed, block])
        for size in _chunks(self.rows, replicates, chunk_bytes):
            yield _draw(generator, self.rows, size)

    def without(self, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts without one block of rows each."""
        yield from _without(_blocks(self.rows, seed), chunk_bytes)


class GroupSample:
    """Groups are drawn with replacement; the rows of a group come together (Field & Welsh 2007)."""

    def __init__(self, groups: NDArray[Any]) -> None:
        """Raises ValueError when a group is missing, or groups are of several types."""
        self._numbers, self._groups = group_numbers(groups)
        self.rows = len(groups)
        self.left_out = min(self._groups, _LEFT_OUT)

    def draws(self, block: int, replicates: int, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts of rows, each that of its group."""
        generator = np.random.default_rng([seed, block])
        for size in _chunks(self.rows, replicates, chunk_bytes):
            yield _draw(generator, self._groups, size).take(self._numbers, axis=1)

    def without(self, seed: int, chunk_bytes: int) -> Iterator[Floats]:
        """Yield counts without one block of groups each."""
        yield from _without(_blocks(self._groups, seed)[self._numbers], chunk_bytes)


def _draw(generator: np.random.Generator, units: int, replicates: int) -> Floats:
    drawn = generator.integers(0, units, size=(replicates, units))
    # One count for all replicates: each has its own range of numbers.
    drawn += np.arange(0, replicates * units, units)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=replicates * units)
    return counts.reshape(replicates, units).astype(np.float64)


def _blocks(units: int, seed: int) -> Positions:
    """Return the block of each unit, at random, in blocks of equal size."""
    return np.random.default_rng([seed]).permutation(units) % min(units, _LEFT_OUT)


def _without(blocks: Positions, chunk_bytes: int) -> Iterator[Floats]:
    last, start = int(blocks.max(initial=-1)) + 1, 0
    for size in _chunks(len(blocks), last, chunk_bytes):
        yield (blocks != np.arange(start, start + size)[:, None]).astype(np.float64)
        start += size


def _chunks(width: int, replicates: int, chunk_bytes: int) -> Iterator[int]:
    """Yield how many replicates of `width` numbers each piece holds; at least one."""
    most = max(1, chunk_bytes // (8 * max(1, width)))
    for start in range(0, replicates, most):
        yield min(most, replicates - start)
