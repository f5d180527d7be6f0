"""In which columns some rows differ from others: by shares of values, or above and below the middle of a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlci.stats.two_groups import share_difference

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

ALPHA = 0.05
_MOST = 5
_MOST_VALUES = 50
_FEWEST = 5


@dataclass(frozen=True)
class Difference:
    """How much more often the rows have a value than the others have it, with bounds adjusted for all looked at."""

    column: str
    value: str
    share: float
    share_of_others: float
    low: float
    high: float

    @property
    def size(self) -> float:
        """The difference of the shares."""
        return self.share - self.share_of_others

    def sentence(self, show_values: bool) -> str:
        """Return it as a person reads it."""
        what = f"{self.column} {self.value}" if show_values else f"{self.column} (one of its values)"
        return (
            f"{what}: {self.share:.1%} of the changed rows, {self.share_of_others:.1%} of the others, "
            f"difference {100 * self.size:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        ).replace("-", "−")

    def facts(self, show_values: bool) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "column": self.column,
            "value": self.value if show_values else None,
            "share": self.share,
            "share_of_others": self.share_of_others,
            "low": self.low,
            "high": self.high,
        }


def differences(table: pd.DataFrame, rows: Mask, others: Mask) -> list[Difference]:
    """Return the clearest differences between some rows of a table and others, one for each column, largest first.

    Only those whose interval excludes 0, with an error that is divided by the number of values looked at.
    Columns with more values than can be read are left out. Nothing for fewer than 5 rows on either side.
    """
    count, count_of_others = int(rows.sum()), int(others.sum())
    if min(count, count_of_others) < _FEWEST:
        return []
    looked_at = [
        (column, value, int((mask & rows).sum()), int((mask & others).sum()))
        for column in table.columns
        for value, mask in _values(table[column], rows | others)
    ]
    alpha = ALPHA / 2 / max(1, len(looked_at))
    best: dict[str, Difference] = {}
    for column, value, here, there in looked_at:
        size, low, high = share_difference((here, count), (there, count_of_others), alpha)
        kept = best.get(str(column))
        if (low > 0 or high < 0) and (kept is None or abs(size) > abs(kept.size)):
            best[str(column)] = Difference(
                str(column), value, here / count, there / count_of_others, low, high
            )
    return sorted(best.values(), key=lambda each: -abs(each.size))[:_MOST]


def _values(column: pd.Series, looked_at: Mask) -> Iterator[tuple[str, Mask]]:
    """Yield the values of a column with their rows; for a number of many values, those above its middle."""
    import numpy as np
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    inside = column[looked_at]
    distinct = inside.nunique(dropna=True)
    if inside.isna().any():
        yield "is empty", column.isna().to_numpy(dtype=np.bool_)
    if distinct > _MOST_VALUES and is_numeric_dtype(column) and not is_bool_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        middle = float(np.nanmedian(values[looked_at]))
        yield f"> {middle:.4g}", values > middle
    elif 1 < distinct <= _MOST_VALUES:
        for value in inside.dropna().unique():
            yield f"= {value}", (column == value).fillna(False).to_numpy(dtype=np.bool_)
