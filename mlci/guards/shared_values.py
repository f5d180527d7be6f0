"""Keys and groups that stand in the training and in the evaluation file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.readers import read_table

if TYPE_CHECKING:
    import pandas as pd


class SharedValues(NamedTuple):
    """Evaluation rows whose value training rows have too, and how many values these are.

    `numbering` says that both files merely number their rows, so that equal values mean nothing.
    """

    rows: int
    values: int
    numbering: bool


def shared_values(train: Path, evaluate: Path, column: str) -> SharedValues:
    """Count what the files share in a column; an empty value is shared with nothing."""
    from pandas.api.types import is_string_dtype

    here, there = (read_table(path, [column])[column].dropna() for path in (evaluate, train))
    if is_string_dtype(here.dtype) != is_string_dtype(there.dtype):
        here, there = here.astype(str), there.astype(str)
    shared = here[here.isin(there.unique())]
    return SharedValues(len(shared), int(shared.nunique()), _numbers_rows(here) and _numbers_rows(there))


def _numbers_rows(keys: pd.Series) -> bool:
    """Return whether keys are 0, 1, 2 … or 1, 2, 3 … in the order of the file."""
    import numpy as np
    from pandas.api.types import is_integer_dtype

    if not is_integer_dtype(keys.dtype) or not len(keys) or keys.iloc[0] not in (0, 1):
        return False
    return bool((keys.to_numpy() - keys.iloc[0] == np.arange(len(keys))).all())
