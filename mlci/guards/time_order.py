"""Evaluation rows that are older than the newest training row: a model that has seen the future."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.core.errors import MlciError
from mlci.readers import read_table

if TYPE_CHECKING:
    import pandas as pd


class TimeOrder(NamedTuple):
    """How many evaluation rows are older than the newest training row, and the two ends as text.

    `unknown` counts the evaluation rows without a time.
    """

    older: int
    unknown: int
    newest_train: str
    oldest_evaluate: str


def time_order(train: Path, evaluate: Path, column: str) -> TimeOrder:
    """Compare the times of two files; rows of the same moment are not older.

    Raises MlciError `data.bad-time` for a column that holds no times, or different kinds of them.
    """
    there, here = (moments(read_table(path, [column])[column], path.name) for path in (train, evaluate))
    if there.dtype.kind != here.dtype.kind:
        raise MlciError(
            "data.bad-time",
            f"time '{column}' is a number in one of '{train.name}' and '{evaluate.name}' and a date in the other",
            "write it the same way in both files",
        )
    newest = there.max()
    known = here.dropna()
    return TimeOrder(int((known < newest).sum()), len(here) - len(known), _text(newest), _text(known.min()))


def moments(values: pd.Series, file: str) -> pd.Series:
    """Return times as moments in UTC, numbers (years, seconds) as numbers.

    Times are timestamps, dates, or text in ISO 8601; without a zone they count as UTC.
    Raises MlciError `data.bad-time`.
    """
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    if is_numeric_dtype(values) and not is_bool_dtype(values):
        found: pd.Series = values.astype("float64")
        bad = 0
    else:
        if is_datetime64_any_dtype(values):
            found = pd.to_datetime(values, utc=True)
        else:
            text = values.astype(str).where(values.notna())
            found = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
        bad = int((found.isna() & values.notna()).sum())
    if bad or found.isna().all():
        what = f"no time in {bad:,} rows" if bad else "empty in all rows"
        raise MlciError(
            "data.bad-time",
            f"time '{values.name}' of '{file}' is {what}",
            "write timestamps, dates or ISO 8601 text (2026-01-31T08:00:00), or numbers that grow with time",
        )
    return found


def _text(moment: object) -> str:
    import pandas as pd

    return moment.isoformat() if isinstance(moment, pd.Timestamp) else f"{moment:.12g}"
