"""Finds the rows of one table in another by their key: exact, by whole columns, and lean in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_EXACT = 1 << 53
"""Up to here a float holds every whole number exactly."""

_DENSE = 4
"""Whole numbers that are as close as this many to a row are looked up in a table instead of sorted."""


@dataclass
class UnmatchedError(Exception):
    """Two tables do not hold the same keys: rows of `given` that repeat a key, lack one, or have another."""

    repeated: int
    missing: int
    extra: int


def repeats(keys: pd.Series) -> int:
    """Return how many rows have the key of an earlier row. Sorted keys are told in one pass, without a copy."""
    import numpy as np

    values = keys.to_numpy() if _sortable(keys) else None
    if values is None:
        return int(keys.duplicated().sum())
    if len(values) < 2 or bool((values[1:] > values[:-1]).all()):
        return 0
    values = np.sort(values)
    return int((values[1:] == values[:-1]).sum())


def places(wanted: pd.Series, given: pd.Series) -> NDArray[np.intp] | None:
    """Return where in `given` each key of `wanted` stands; None when both are in the same order.

    `wanted` has no empty and no repeated key. Numbers are matched by a table or by sorting both sides, text by
    Arrow's hash join without a Python object for each row, anything else by pandas.
    Raises UnmatchedError unless `given` has exactly these keys, each once.
    """
    if _text(wanted) and _text(given):
        return _by_hash(wanted, given)
    left, right = _comparable(wanted, given)
    if left is None or right is None:
        return _by_objects(wanted, given)
    return _by_sorting(left, right)


def both_text_or_neither(wanted: pd.Series, given: pd.Series) -> bool:
    """Return whether two key columns can have a key in common: text is never equal to a number."""
    from pandas.api.types import is_numeric_dtype

    return not ((_text(wanted) and is_numeric_dtype(given)) or (is_numeric_dtype(wanted) and _text(given)))


def _text(keys: pd.Series) -> bool:
    from pandas.api.types import is_string_dtype

    return bool(is_string_dtype(keys.dtype)) and keys.dtype != object


def _sortable(keys: pd.Series) -> bool:
    import numpy as np

    return isinstance(keys.dtype, np.dtype) and keys.dtype.kind in "iufM"


def _comparable(wanted: pd.Series, given: pd.Series) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """Return both as arrays of one kind; None where a comparison of numbers would not be exact."""
    if not (_sortable(wanted) and _sortable(given)):
        return None, None
    left, right = wanted.to_numpy(), given.to_numpy()
    kinds = {left.dtype.kind, right.dtype.kind}
    if "M" in kinds and len(kinds) > 1:
        return None, None
    return (_whole(left), _whole(right)) if "f" in kinds and len(kinds) > 1 else (left, right)


def _whole(values: NDArray[Any]) -> NDArray[Any] | None:
    """Return whole numbers that are written as floats; None where there are others."""
    import numpy as np

    if values.dtype.kind != "f":
        return values
    if not bool((np.abs(values) <= _EXACT).all()):
        return None
    whole = values.astype(np.int64)
    return whole if bool((whole == values).all()) else None


def _by_sorting(wanted: NDArray[Any], given: NDArray[Any]) -> NDArray[np.intp] | None:
    import numpy as np

    if np.array_equal(wanted, given):
        return None
    if (found := _by_table(wanted, given)) is not None:
        return found
    order = np.argsort(given)
    in_order = given[order]
    at = None if bool((wanted[1:] > wanted[:-1]).all()) else np.argsort(wanted)
    if not np.array_equal(wanted if at is None else wanted[at], in_order):
        raise UnmatchedError(
            repeated=int((in_order[1:] == in_order[:-1]).sum()),
            missing=int((~np.isin(wanted, given)).sum()),
            extra=int((~np.isin(given, wanted)).sum()),
        )
    if at is None:
        return order
    found = np.empty_like(order)
    found[at] = order
    return found


def _by_table(wanted: NDArray[Any], given: NDArray[Any]) -> NDArray[np.intp] | None:
    """Return the places by a table of all keys between the least and the greatest; None where that is no way."""
    import numpy as np

    if len(wanted) != len(given) or not len(given) or {wanted.dtype.kind, given.dtype.kind} - {"i", "u"}:
        return None
    low, high = int(given.min()), int(given.max())
    if high - low > _DENSE * len(given) or int(wanted.min()) < low or int(wanted.max()) > high:
        return None
    table = np.full(high - low + 1, -1, dtype=np.int32 if len(given) < 1 << 31 else np.int64)
    table[given - low] = np.arange(len(given), dtype=table.dtype)
    found: NDArray[np.intp] = table[wanted - low]
    # As many different keys were found as there are rows, so none of `given` is repeated or left over.
    return found if bool((found >= 0).all()) else None


def _by_hash(wanted: pd.Series, given: pd.Series) -> NDArray[np.intp] | None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    left, right = (pa.array(keys, type=pa.large_string()) for keys in (wanted, given))
    if left.equals(right):
        return None
    found = pc.index_in(left, value_set=right)
    if len(left) == len(right) and found.null_count == 0:
        rows = np.asarray(found)
        if bool((np.bincount(rows, minlength=len(right)) == 1).all()):
            return rows
    raise _unmatched(wanted, given)


def _by_objects(wanted: pd.Series, given: pd.Series) -> NDArray[np.intp] | None:
    import numpy as np
    import pandas as pd

    left, right = pd.Index(wanted.astype(object)), pd.Index(given.astype(object))
    if right.is_unique and len(left) == len(right):
        found = right.get_indexer(left)
        if bool((found >= 0).all()):
            return None if bool((found == np.arange(len(found))).all()) else found
    raise _unmatched(wanted.astype(object), given.astype(object))


def _unmatched(wanted: pd.Series, given: pd.Series) -> UnmatchedError:
    return UnmatchedError(
        repeated=int(given.duplicated().sum()),
        missing=int((~wanted.isin(given)).sum()),
        extra=int((~given.isin(wanted)).sum()),
    )
