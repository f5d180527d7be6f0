"""Entries of data.slices over a table: for each entry which rows are in which slice, and what slices are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlci.core.errors import MlciError
from mlci.core.expressions import parse
from mlci.core.names import nearest
from mlci.core.slice_rules import AND, SliceEntry, SliceRule, columns_of, label_of
from mlci.slicing.evaluating import holds_on
from mlci.slicing.ranges import quantile_edges, range_names
from mlci.stats.slices import Column

if TYPE_CHECKING:
    import pandas as pd

MOST_SLICES = 1000
"""More slices than this are no slices any more: none could be shown to be worse, and nobody reads them."""

Where = Callable[[str], str | None]
Numbers = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Sliced:
    """The slices of one entry. `moves` says that the slices themselves depend on the rows (quantile bins).

    `declared` says that the entry names its slices: one without rows is then a slice that is missing.
    """

    label: str
    column: Column
    moves: bool = False
    declared: bool = False


def _nowhere(key: str) -> str | None:  # noqa: ARG001 - the signature of a look-up
    return None


def check_columns(
    entries: Sequence[SliceEntry], known: Sequence[str], file: str, where: Where = _nowhere
) -> None:
    """Refuse an entry that reads a column which is not there; raises MlciError `data.missing-column`."""
    for number, entry in enumerate(entries):
        for column in columns_of([entry]):
            if column in known:
                continue
            place = where(f"data.slices.{number}")
            raise MlciError(
                "data.missing-column",
                f"'{file}' has no column '{column}', which data.slices asks for"
                + (f" ({place})" if place else ""),
                nearest(column, known),
            )


def sliced(entries: Sequence[SliceEntry], table: pd.DataFrame, where: Where = _nowhere) -> list[Sliced]:
    """Return the slices of each entry in their order; `table` holds the columns that entries read.

    Rows without a value are a slice of their own, `column=(empty)`, and are on no side of an expression.
    Raises MlciError `config.invalid` for an entry that does not fit its column, and for too many slices.
    """
    found: list[Sliced] = []
    for number, entry in enumerate(entries):
        try:
            found.append(_in_few_bytes(_slices_of(entry, table)))
        except ValueError as error:
            place = where(f"data.slices.{number}")
            raise MlciError(
                "config.invalid",
                f"data.slices: {error}" + (f" ({place})" if place else ""),
                "see docs/verdict.md for what a slice can be",
            ) from error
    _refuse_unusable(found)
    return found


def _in_few_bytes(found: Sliced) -> Sliced:
    """Return slices whose numbers take as little memory as they can: there is one for each row."""
    names = found.column.names
    numbers = found.column.numbers.astype(np.min_scalar_type(-max(1, len(names))), copy=False)
    return replace(found, column=Column(numbers, names))


def sizes(found: Sequence[Sliced]) -> dict[str, int]:
    """Return the number of rows of each slice."""
    return dict(pair for each in found for pair in _counted(each.column))


def _counted(column: Column) -> Iterator[tuple[str, int]]:
    counts = np.bincount(column.numbers.astype(np.intp) + 1, minlength=len(column.names) + 1)[1:]
    return zip(column.names, (int(count) for count in counts), strict=True)


def _slices_of(entry: SliceEntry, table: pd.DataFrame) -> Sliced:
    label = label_of(entry)
    if isinstance(entry, str):
        return Sliced(label, _by_value(table[entry], label))
    if entry.where is not None:
        holds = holds_on(parse(entry.where), table)
        return Sliced(label, Column(np.where(holds, 0, -1), [label]), declared=True)
    if entry.cross is not None:
        parts = [_slices_of(part, table) for part in entry.cross]
        prefix = f"{entry.name}: " if entry.name else ""
        moves = any(part.moves for part in parts)
        return Sliced(label, _crossed([part.column for part in parts], prefix), moves=moves)
    column = table[entry.column or ""]
    if entry.values is not None:
        return Sliced(label, _of_values(column, [str(value) for value in entry.values], label), declared=True)
    if entry.bins is None and entry.edges is None:
        return Sliced(label, _by_value(column, label))
    return Sliced(label, _by_range(column, entry, label), moves=entry.bins is not None)


def _by_value(column: pd.Series, label: str) -> Column:
    """Return a slice for each value as it is written, and one for rows without any."""
    numbers, texts = _written(column)
    order = np.argsort(np.asarray(texts, dtype=object), kind="stable") if texts else np.arange(0)
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    placed = np.where(numbers >= 0, rank[numbers] if len(texts) else 0, -1)
    return _with_empty(placed, [f"{label}={texts[index]}" for index in order], label, column)


def _of_values(column: pd.Series, values: Sequence[str], label: str) -> Column:
    """Return a slice for each declared value, also for one without rows; others are in no slice."""
    numbers, texts = _written(column)
    places = {value: index for index, value in enumerate(values)}
    # A whole number may stand in a column of decimals, where it is written with a point.
    of_texts = [places.get(text, places.get(text.removesuffix(".0"), -1)) for text in texts]
    placed = np.where(numbers >= 0, np.asarray([*of_texts, -1], dtype=np.int64)[numbers], -1)
    return Column(placed, [f"{label}={value}" for value in values])


def _written(column: pd.Series) -> tuple[Numbers, list[str]]:
    """Return for each row the number of its value's text, −1 without a value, and the texts."""
    import pandas as pd

    numbers, values = pd.factorize(column, use_na_sentinel=True)
    texts: dict[str, int] = {}
    of_values = [texts.setdefault(str(value), len(texts)) for value in values.tolist()]
    return np.asarray([*of_values, -1], dtype=np.int64)[numbers], list(texts)


def _by_range(column: pd.Series, rule: SliceRule, label: str) -> Column:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if not is_numeric_dtype(column) or is_bool_dtype(column):
        kind = "edges" if rule.edges is not None else "bins"
        raise ValueError(f"{kind} need a column of numbers, and '{rule.column}' is none")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(values)
    edges = rule.edges if rule.edges is not None else quantile_edges(values[known], rule.bins or 1)
    numbers = np.where(known, np.searchsorted(edges, values, side="right"), -1)
    return _with_empty(numbers, range_names(label, edges), label, column)


def _with_empty(numbers: Numbers, names: list[str], label: str, column: pd.Series) -> Column:
    if not column.isna().any():
        return Column(numbers, names)
    empty = f"{label}=(empty)"
    place = names.index(empty) if empty in names else len(names)
    return Column(np.where(numbers < 0, place, numbers), list(dict.fromkeys([*names, empty])))


def _crossed(columns: Sequence[Column], prefix: str) -> Column:
    """Return a slice for each combination that has rows; a row in no slice of one side is in none."""
    sizes_of = [max(1, len(column.names)) for column in columns]
    inside = np.all([column.numbers >= 0 for column in columns], axis=0)
    codes = np.zeros(len(columns[0].numbers), dtype=np.int64)
    for column, size in zip(columns, sizes_of, strict=True):
        codes = codes * size + np.maximum(column.numbers, 0)
    used, numbers = np.unique(codes[inside], return_inverse=True)
    placed = np.full(len(codes), -1, dtype=np.int64)
    placed[inside] = numbers
    if len(used) > MOST_SLICES:
        raise ValueError(_too_many(len(used)))
    names = [
        prefix + AND.join(column.names[int(place)] for column, place in zip(columns, index, strict=True))
        for index in zip(*np.unravel_index(used, sizes_of), strict=True)
    ]
    return Column(placed, names)


def _refuse_unusable(found: Sequence[Sliced]) -> None:
    names = [name for each in found for name in each.column.names]
    if len(names) > MOST_SLICES:
        each_has = ", ".join(f"{each.label}: {len(each.column.names):,}" for each in found)
        raise MlciError("config.invalid", f"data.slices: {_too_many(len(names))} ({each_has})", _FEWER)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise MlciError(
            "config.invalid", f"data.slices: two slices are called '{twice[0]}'", "give an entry another name"
        )


_FEWER = "use bins or values in place of every value, or cross fewer columns"


def _too_many(count: int) -> str:
    return f"there would be {count:,} slices, and at most {MOST_SLICES:,} are judged"
