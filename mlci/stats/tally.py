"""How rows add up to a sum and its variance: row by row, as counted cells, or group by group."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mlci.stats.statistic import Floats, Mask

Positions = NDArray[np.intp]


_SHAPED = 50_000
"""With more units than this a sum of effects is as good as normal, and its shape is not asked for."""

_RARE = 10_000
"""With fewer units than this in one stratum the sum of both is shaped, however many are in the other."""


def never_shaped(rows: int, rarer: int | None) -> bool:
    """Return whether so many independent rows have no shape that is asked for; `rarer` are in the smaller stratum."""
    return rows > _SHAPED and (rarer is None or rarer > _RARE)


class Spread(NamedTuple):
    """The variance of a sum of effects, and the degrees of freedom that it was estimated with.

    `third` is the third cumulant of the sum and `fourth` the fourth; both are 0 where `shaped` says
    that they were not asked for.
    """

    variance: float
    freedom: float
    third: float = 0.0
    fourth: float = 0.0
    shaped: bool = False


class Tally(Protocol):
    """Lines (rows, or cells of equal rows) and how they stand for independent units.

    An effect is what a line adds to an estimate, for each time and unit of weight that it stands there.
    """

    @property
    def unit(self) -> str:
        """What is independent: rows or groups."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    def totals(self, columns: Floats) -> Floats:
        """Return the sums of columns (lines × k) over all rows."""

    def units(self, mask: Mask | None = None) -> int:
        """Return how many independent units the marked lines belong to; all without a mask."""

    def spread(self, effects: Floats, strata: Mask | None = None) -> Spread:
        """Return the variance of the sum of effects over independent units.

        With `strata` the lines are of two kinds whose numbers are fixed, as positives and negatives
        are for an area under a curve.
        """

    def of_units(self, effects: Floats) -> Floats:
        """Return for each row the sum of effects over its independent unit."""

    def along(self, columns: Floats, effects: Floats) -> Floats:
        """Return the sums of columns where each row counts as often as its unit has effects."""

    def products(self, columns: Floats) -> Floats:
        """Return the sums over units of all products of two columns (k × k)."""


@dataclass(frozen=True, eq=False)
class RowTally:
    """Each line is a row, and independent of the others."""

    rows: int
    unit: str = "rows"

    def totals(self, columns: Floats) -> Floats:
        """Return the sums of the columns."""
        return column_sums(columns)

    def units(self, mask: Mask | None = None) -> int:
        """Return the number of marked rows."""
        return self.rows if mask is None else int(np.count_nonzero(mask))

    def spread(self, effects: Floats, strata: Mask | None = None) -> Spread:
        """Return the variance of the sum, by the sample variance (of each stratum)."""
        if strata is None:
            return _of_units(effects)
        return _added([_of_units(effects.compress(mask), ours=True) for mask in (strata, ~strata)])

    def of_units(self, effects: Floats) -> Floats:
        """Return the effects: each row is a unit."""
        return effects

    def along(self, columns: Floats, effects: Floats) -> Floats:
        """Return the sums of columns times effects."""
        return np.asarray(np.einsum("ij,i->j", columns, effects))

    def products(self, columns: Floats) -> Floats:
        """Return the sums of products over rows."""
        return np.asarray(np.einsum("ij,ik->jk", columns, columns))


@dataclass(frozen=True, eq=False)
class CellTally:
    """Each line is a cell of equal rows: `counts` of them, with sums of weights and of their squares."""

    counts: Floats
    weights: Floats
    squares: Floats
    unit: str = "rows"

    @property
    def rows(self) -> int:
        """How many rows the cells hold."""
        return int(self.counts.sum())

    def totals(self, columns: Floats) -> Floats:
        """Return the sums of the columns over all rows."""
        return np.asarray(self.weights @ columns)

    def units(self, mask: Mask | None = None) -> int:
        """Return the number of rows in the marked cells."""
        return self.rows if mask is None else int(self.counts[mask].sum())

    def spread(self, effects: Floats, strata: Mask | None = None) -> Spread:  # noqa: ARG002 one signature
        """Return the variance of the sum over rows."""
        total, squares = float(self.weights @ effects), float(self.squares @ effects**2)
        rows = self.rows
        return Spread(max(0.0, squares - total**2 / rows) * _correction(rows), rows - 1)

    def of_units(self, effects: Floats) -> Floats:
        """Return the effects: each row is a unit."""
        return effects

    def along(self, columns: Floats, effects: Floats) -> Floats:
        """Return the sums of columns times effects."""
        return np.asarray((self.squares * effects) @ columns)

    def products(self, columns: Floats) -> Floats:
        """Return the sums of products over rows."""
        return np.asarray(columns.T @ (self.squares[:, None] * columns))


@dataclass(frozen=True, eq=False)
class GroupTally:
    """Rows come in groups, and only groups are independent (Liang & Zeger 1986).

    `groups` numbers the group of each row from 0. `lines` says which line each row belongs to when lines
    are cells, and `weight` how much each row counts in its cell.
    """

    groups: Positions
    lines: NDArray[np.integer[Any]] | None = None
    weight: Floats | None = None
    unit: str = "groups"

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.groups)

    def totals(self, columns: Floats) -> Floats:
        """Return the sums of the columns over all rows."""
        if self.lines is None:
            return column_sums(columns)
        return np.asarray(np.bincount(self.lines, self.weight, minlength=len(columns)) @ columns)

    def units(self, mask: Mask | None = None) -> int:
        """Return the number of groups with a marked row."""
        of_rows = mask if mask is None or self.lines is None else mask[self.lines]
        groups = self.groups if of_rows is None else self.groups[of_rows]
        return int(np.count_nonzero(np.bincount(groups))) if len(groups) else 0

    def spread(self, effects: Floats, strata: Mask | None = None) -> Spread:
        """Return the variance between groups, with G / (G − 1) for small numbers of groups G.

        With strata: the clustered area of Obuchowski (1997), where a group may hold both kinds.
        """
        of_rows, groups = self._of_rows(effects), self.units()
        if strata is None:
            sums = np.bincount(self.groups, of_rows).astype(np.float64)
            return _of_units(sums[np.bincount(self.groups) > 0])
        kinds = [(self._by_group(of_rows, mask), self.units(mask)) for mask in (strata, ~strata)]
        within = _added([Spread(_correction(units) * float(sums @ sums), units - 1) for sums, units in kinds])
        across = 2 * _correction(groups) * float(kinds[0][0] @ kinds[1][0])
        both = (kinds[0][0] + kinds[1][0])[np.bincount(self.groups) > 0]
        return _of_units(both)._replace(variance=max(0.0, within.variance + across), freedom=within.freedom)

    def of_units(self, effects: Floats) -> Floats:
        """Return for each row the sum over its group."""
        return np.asarray(np.bincount(self.groups, self._of_rows(effects))[self.groups], dtype=np.float64)

    def along(self, columns: Floats, effects: Floats) -> Floats:
        """Return the sums of columns times the sum of effects over the row's group."""
        counts = self.of_units(effects)
        if self.lines is None:
            return np.asarray(np.einsum("ij,i->j", columns, counts))
        counts = counts if self.weight is None else counts * self.weight
        return np.asarray(np.bincount(self.lines, counts, minlength=len(columns)) @ columns)

    def products(self, columns: Floats) -> Floats:
        """Return the sums over groups of products of the groups' sums."""
        sums = np.array([np.bincount(self.groups, self._of_rows(column)) for column in columns.T])
        return np.asarray(sums @ sums.T)

    def _of_rows(self, of_lines: Floats) -> Floats:
        if self.lines is None:
            return of_lines
        of_rows = of_lines[self.lines]
        return of_rows if self.weight is None else np.asarray(of_rows * self.weight, dtype=np.float64)

    def _by_group(self, of_rows: Floats, mask: Mask) -> Floats:
        return np.bincount(self.groups, np.where(mask, of_rows, 0.0)).astype(np.float64)


def column_sums(columns: Floats) -> Floats:
    """Return the sum of each column: one by one, as numpy is slow across many short lines."""
    return np.array([column.sum() for column in columns.T])


def group_numbers(groups: NDArray[Any]) -> tuple[Positions, int]:
    """Return the group of each row as a number from 0, and how many groups there are.

    Raises ValueError when a group is missing, or groups are of several types.
    """
    missing = sum(_is_missing(group) for group in groups.tolist())
    if missing:
        raise ValueError(f"groups have {missing} missing values")
    try:
        distinct, numbers = np.unique(groups, return_inverse=True)
    except TypeError:
        raise ValueError("groups hold values of several types, such as text and numbers") from None
    return numbers, len(distinct)


def _is_missing(group: object) -> bool:
    return group is None or (isinstance(group, float) and math.isnan(group))


def _of_units(effects: Floats, *, ours: bool = False) -> Spread:
    """Return the spread of a sum of independent effects; those that are `ours` may be changed."""
    units = len(effects)
    if units < 2:
        return Spread(0.0, units - 1)
    centred = np.subtract(effects, effects.mean(), out=effects if ours else None)
    # Not a product by BLAS: its threads wait for each other when other work is going on.
    squares = float(np.einsum("i,i->", centred, centred))
    spread = Spread(squares * _correction(units), units - 1)
    if units > _SHAPED:
        return spread
    squared = centred * centred
    third = float(np.einsum("i,i->", squared, centred))
    fourth = float(np.einsum("i,i->", squared, squared)) - 3 * squares**2 / units
    return Spread(spread.variance, spread.freedom, third, fourth, shaped=True)


def _added(parts: list[Spread]) -> Spread:
    """Add sums of several kinds of units; the degrees of freedom are those of Satterthwaite (1946)."""
    variance = sum(part.variance for part in parts)
    doubt = sum(part.variance**2 / max(1, part.freedom) for part in parts)
    return Spread(
        variance,
        variance**2 / doubt if doubt > 0 else 1.0,
        sum(part.third for part in parts),
        sum(part.fourth for part in parts),
        shaped=any(part.shaped and part.freedom < _RARE for part in parts),
    )


def _correction(units: int) -> float:
    return units / (units - 1) if units > 1 else 1.0
