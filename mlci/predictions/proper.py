"""Refuses probabilities that do not add up, relevances that are no numbers, and rows of no query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = 1 << 18
_ROUNDING = 0.01
"""How far probabilities may be from adding up to 1: those that were written with two or three digits are."""


def refuse_improper_shares(table: pd.DataFrame, whose: str) -> None:
    """Raise MlciError `predictions.unreadable` where the columns `probability_<class>` do not add up to 1.

    One column alone is left as it is: the other class has the rest.
    """
    import numpy as np

    shares = [str(name) for name in table.columns if str(name).startswith("probability_")]
    if len(shares) < 2:
        return
    columns = [table[name].to_numpy(dtype=float) for name in shares]
    wrong, first = 0, 0.0
    for start in range(0, len(table), _BLOCK):  # sums of all rows at once would be as large as a column
        total = np.sum([column[start : start + _BLOCK] for column in columns], axis=0)
        found = total[np.abs(total - 1) > _ROUNDING]
        first = float(found[0]) if len(found) and not wrong else first
        wrong += len(found)
    if wrong:
        raise MlciError(
            "predictions.unreadable",
            f"the {whose}'s probabilities do not add up to 1 in {wrong:,} of {len(table):,} rows"
            f" (the first: {first:.4g})",
            "write probability_<class> for every class; of several labels that may hold at once, set data.labels",
        )


def refuse_bad_queries(frame: pd.DataFrame, data: DataInputs) -> None:
    """Raise MlciError `data.bad-label` for a row of no query, and for a relevance that is no number from 0 on."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if not data.query or not data.label:
        return
    empty = int(frame[data.query].isna().sum())
    if empty:
        raise MlciError(
            "data.bad-label",
            f"query '{data.query}' of '{data.evaluate}' is empty in {empty:,} rows",
            "each row is a document of a query",
        )
    label = frame[data.label]
    if not (is_numeric_dtype(label) or is_bool_dtype(label)):
        raise MlciError(
            "data.bad-label",
            f"label '{data.label}' of '{data.evaluate}' is text, and the relevance of a document is a number",
            "write 0 for irrelevant, and more for more relevant",
        )
