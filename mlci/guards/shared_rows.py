"""Rows that stand in the training and in the evaluation file, or several times in the latter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.readers import read_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_BY_COLUMN = (".parquet", ".pq")
"""Files of which one column can be read without the others."""
_FACTOR = 1_000_003
_EMPTY = 0x9E3779B97F4A7C15
"""What an empty value is hashed to: a column that is empty in one file has no type there."""


class SharedRows(NamedTuple):
    """Evaluation rows, counted: equal to a training row; equal but for the label; equal to an earlier one.

    `usual` is the share of training rows that are equal to another training row, label included: so many
    evaluation rows of the same kind would be equal to a training row without any leak.
    """

    with_label: int
    other_label: int
    repeated: int
    usual: float = 0.0


def shared_rows(
    train: Path | None, evaluate: Path, features: Sequence[str], labels: Sequence[str]
) -> SharedRows:
    """Count the evaluation rows that are equal to others in all `features`, empty values being equal.

    A hash of the features, made column by column, finds the rows that may be equal; only these are read
    whole and compared by their values. Without `train` only repeated rows are counted.
    Raises TypeError for values that cannot be hashed (lists).
    """
    import numpy as np

    here = _hashes(evaluate, features)
    there = _hashes(train, features) if train else here[:0]
    twice = _in_both(here, there) | _repeated(here)
    candidates = np.flatnonzero(twice)
    if not len(candidates):
        return SharedRows(0, 0, 0)
    usual = float(_repeated(_hashes(train, labels, there)).mean()) if train and len(there) else 0.0
    names = [*features, *labels]
    ours = read_table(evaluate, names).iloc[candidates]
    theirs = read_table(train, names).iloc[np.flatnonzero(_in_both(there, here))] if train else ours[:0]
    same, both = _codes(ours, theirs, features), _codes(ours, theirs, names)
    count = len(ours)
    by_features, with_label = (np.isin(codes[:count], codes[count:]) for codes in (same, both))
    _, first = np.unique(both[:count], return_index=True)
    other_label = int((by_features & ~with_label).sum())
    return SharedRows(int(with_label.sum()), other_label, count - len(first), usual)


def _hashes(
    path: Path, features: Sequence[str], total: NDArray[np.uint64] | None = None
) -> NDArray[np.uint64]:
    """Return one number for each row; equal features give equal numbers, and seldom do others.

    `total` are the numbers of other columns of the file, which are added to.
    """
    import numpy as np
    from pandas.util import hash_array

    for values in _columns(path, features):
        plain = _plain(values)
        # Text of any kind of value: the hash only has to be the same in both files.
        content = plain.astype(str).to_numpy(dtype=object) if plain.dtype == object else plain.to_numpy()
        found = np.where(values.isna().to_numpy(), np.uint64(_EMPTY), hash_array(content))
        total = found if total is None else total * np.uint64(_FACTOR) + found
    assert total is not None  # noqa: S101 - the caller names at least one feature
    return total


def _columns(path: Path, features: Sequence[str]) -> Iterator[pd.Series]:
    by_column = path.name.lower().endswith(_BY_COLUMN)
    for names in [[name] for name in features] if by_column else [list(features)]:
        frame = read_table(path, names)
        for name in names:
            yield frame.pop(name)


def _plain(values: pd.Series) -> pd.Series:
    """Return numbers as floats and all else as text, so that the types of the two files do not matter."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_numeric_dtype(values) or is_bool_dtype(values) or values.isna().all():
        return (values.astype("float64") + 0.0).fillna(float("nan"))  # −0 is 0
    return values.astype(object).where(values.notna(), None)


def _in_both(mine: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> NDArray[np.bool_]:
    import pandas as pd

    return pd.Series(mine).isin(theirs).to_numpy()


def _repeated(hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    import pandas as pd

    return pd.Series(hashes).duplicated(keep=False).to_numpy()


def _codes(ours: pd.DataFrame, theirs: pd.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each row of both tables; the same number if and only if all values are equal."""
    import numpy as np
    import pandas as pd

    both = pd.concat(
        [pd.DataFrame({name: _plain(table[name]) for name in names}) for table in (ours, theirs)],
        ignore_index=True,
    )
    return np.asarray(both.groupby(list(names), dropna=False, sort=False).ngroup(), dtype=np.int64)
