"""Slices of the rows: by mask, or by a column whose every value is a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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


class Division:
    """Rows put into parts, no row into two: all rows as the one part None, a mask, or a column.

    What is asked of every part is done for all of them in one pass, so that a column costs the same
    whatever the number of its slices.
    """

    def __init__(self, numbers: NDArray[Any] | None, names: Sequence[str | None], rows: int) -> None:
        """`numbers` are small and whole: 0 for a row in no part, else the part's place in `names`, plus 1."""
        self.numbers = numbers
        self.names = names
        self.rows = rows

    @cached_property
    def starts(self) -> list[int]:
        """Where each part begins among the rows part by part, and where the last one ends."""
        if self.numbers is None:
            return [0, self.rows]
        sizes = np.bincount(self.numbers, minlength=len(self.names) + 1)[1:]
        return [0, *np.cumsum(sizes).tolist()]

    @cached_property
    def places(self) -> NDArray[np.integer[Any]] | None:
        """The rows part by part, ascending in each; None for all rows as they are."""
        found = self.ordered(None)
        # Kept for every metric, so in half the memory where that will do.
        return found if found is None or self.rows > np.iinfo(np.int32).max else found.astype(np.int32)

    def ordered(self, order: NDArray[np.integer[Any]] | None) -> Positions | None:
        """Return places in a list of rows (None: as they are) part by part, ascending in each; None for all.

        No part is sorted again: few distinct small numbers are sorted in one pass (radix), which keeps
        the order inside.
        """
        if self.numbers is None:
            return None
        numbers = self.numbers if order is None else self.numbers.take(order)
        if len(self.names) == 1:
            return np.flatnonzero(numbers)
        return np.argsort(numbers, kind="stable")[len(numbers) - self.starts[-1] :]

    def apart(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Return views of values that stand part by part, one for each part."""
        return [values[self.starts[index] : self.starts[index + 1]] for index in range(len(self.names))]

    def taken(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of all rows part by part; the same array where that is their order."""
        return values if self.places is None else values.take(self.places)


class Parts:
    """All rows (under the name None) and each slice, as positions of rows."""

    def __init__(self, slices: Slices | None, rows: int) -> None:
        """Raises ValueError for a mask that does not fit, and for two slices of one name."""
        self._rows = rows
        self._where: dict[str | None, tuple[Division, int]] = {}
        self.divisions: list[Division] = []
        self._add(Division(None, [None], rows))
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
        return list(self._where)

    def rows(self, name: str | None) -> Positions | None:
        """Return the rows of a part in their order; None for all."""
        division, index = self._where[name]
        if division.places is None:
            return None
        return division.places[division.starts[index] : division.starts[index + 1]].astype(np.intp)

    def size(self, name: str | None) -> int:
        """Return how many rows a part has."""
        division, index = self._where[name]
        return division.starts[index + 1] - division.starts[index]

    def take(self, rows: Positions) -> Parts:
        """Return the parts of some rows, numbered anew."""
        taken = Parts(None, len(rows))
        for division in self.divisions:
            if division.numbers is not None:
                taken._add(Division(division.numbers.take(rows), division.names, len(rows)))
        return taken

    def _add(self, division: Division) -> None:
        self.divisions.append(division)
        self._where.update({name: (division, index) for index, name in enumerate(division.names)})

    def _add_mask(self, name: str, mask: NDArray[Any]) -> None:
        if mask.dtype != np.bool_ or mask.shape != (self._rows,):
            raise ValueError(f"slice '{name}' must be {self._rows} booleans, one for each row")
        self._add(Division(mask.view(np.uint8), [name], self._rows))

    def _add_column(self, column: Column) -> None:
        if np.shape(column.numbers) != (self._rows,):
            raise ValueError(f"a slice column must be {self._rows} numbers, one for each row")
        taken = [name for name in column.names if name in self._where]
        if taken or len(set(column.names)) < len(column.names):
            raise ValueError(f"two slices have one name: {taken or list(column.names)}")
        # From 1, and 0 for no slice, in as few bytes as will do: fewer bytes are sorted faster.
        small = next(
            kind for kind in (np.uint8, np.uint16, np.uint32) if len(column.names) <= np.iinfo(kind).max
        )
        numbers = np.zeros(self._rows, dtype=small)
        inside = np.asarray(column.numbers) >= 0
        np.add(column.numbers, 1, out=numbers, where=inside, dtype=np.int64, casting="unsafe")
        self._add(Division(numbers, column.names, self._rows))
