"""Slices of the rows: by mask, or by a column whose every value is a slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.tally import Positions


@dataclass(frozen=True, eq=False)
class Column:
    """A column that puts each row into one slice: a number for each row, and the slices' names.

    A number below 0 puts a row into no slice.
    """

    numbers: NDArray[np.integer[Any]]
    names: Sequence[str]


Slices = Mapping[str, NDArray[Any]] | Sequence[Column]


class Parts:
    """All rows (under the name None) and each slice, as positions of rows."""

    def __init__(self, slices: Slices | None, rows: int) -> None:
        """Raises ValueError for a mask that does not fit, and for two slices of one name."""
        self._rows = rows
        self._found: dict[str | None, Positions | None] = {None: None}
        self._columns: list[tuple[NDArray[Any], Sequence[str]]] = []
        self._masks: dict[str, NDArray[np.bool_]] = {}
        if slices is None:
            return
        if isinstance(slices, Mapping):
            for name, mask in slices.items():
                self._add_mask(name, np.asarray(mask))
            return
        for column in slices:
            self._add_column(column)

    @property
    def names(self) -> list[str | None]:
        """The names of the parts; None, for all rows, comes first."""
        return list(self._found)

    def rows(self, name: str | None) -> Positions | None:
        """Return the rows of a part in their order; None for all."""
        return self._found[name]

    def take(self, rows: Positions) -> Parts:
        """Return the parts of some rows, numbered anew."""
        taken = Parts(None, len(rows))
        for name, mask in self._masks.items():
            taken._add_mask(name, mask[rows])
        for numbers, names in self._columns:
            taken._add_column(Column(numbers[rows].astype(np.int64) - 1, names))
        return taken

    def sorted(self, order: Positions) -> Iterator[tuple[str | None, Positions | None]]:
        """Yield the places of each part in a sorted list of rows (None: all places).

        No part is sorted again, and places ascend, so that what is fetched from them lies in order.
        """
        yield None, None
        for name, mask in self._masks.items():
            yield name, np.flatnonzero(mask.take(order))
        for numbers, names in self._columns:
            # Few distinct small numbers are sorted in one pass (radix), which keeps the order inside.
            yield from _pieces(numbers, names, np.argsort(numbers.take(order), kind="stable"))

    def _add_mask(self, name: str, mask: NDArray[Any]) -> None:
        if mask.dtype != np.bool_ or mask.shape != (self._rows,):
            raise ValueError(f"slice '{name}' must be {self._rows} booleans, one for each row")
        self._masks[name] = mask
        self._found[name] = np.flatnonzero(mask)

    def _add_column(self, column: Column) -> None:
        if np.shape(column.numbers) != (self._rows,):
            raise ValueError(f"a slice column must be {self._rows} numbers, one for each row")
        taken = [name for name in column.names if name in self._found]
        if taken or len(set(column.names)) < len(column.names):
            raise ValueError(f"two slices have one name: {taken or list(column.names)}")
        # From 1, and 0 for no slice, in as few bytes as will do: fewer bytes are sorted faster.
        small = next(
            kind for kind in (np.uint8, np.uint16, np.uint32) if len(column.names) <= np.iinfo(kind).max
        )
        numbers = (np.maximum(column.numbers, -1) + 1).astype(small)
        self._columns.append((numbers, column.names))
        for name, rows in _pieces(numbers, column.names, np.argsort(numbers, kind="stable")):
            self._found[name] = rows


def _pieces(
    numbers: NDArray[Any], names: Sequence[str], by_slice: Positions
) -> Iterator[tuple[str, Positions]]:
    sizes = np.bincount(numbers, minlength=len(names) + 1)
    ends = np.cumsum(sizes)
    for index, name in enumerate(names):
        yield name, by_slice[ends[index] : ends[index + 1]]
