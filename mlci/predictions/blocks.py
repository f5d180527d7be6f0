"""Puts predictions beside the evaluation rows in as little memory as they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_SHARE = "probability"


def with_answers(
    rows: pd.DataFrame, table: pd.DataFrame, names: Sequence[str], where: NDArray[np.intp] | None
) -> pd.DataFrame:
    """Return the rows with columns of a table beside them, taken out of it one by one.

    `where` says at which place of the table each row stands; None for the same order. Probabilities of
    one type of number are one block, sorted by name: whoever wants them as an array, rows × classes,
    gets that block and no copy.
    """
    shares = sorted(name for name in names if name.startswith(_SHARE))
    kinds = {table[name].dtype for name in shares}
    block = shares if len(shares) > 1 and len(kinds) == 1 and _is_plain_float(kinds.pop()) else []
    joined = rows.copy(deep=False)
    for name in names:
        if name not in block:
            values = table.pop(name).array
            joined[name] = values if where is None else values.take(where)
    if not block:
        return joined
    return beside(joined, block, (_placed(table.pop(name).to_numpy(), where) for name in block))


def beside(frame: pd.DataFrame, names: Sequence[str], columns: Any) -> pd.DataFrame:
    """Return a frame with columns of floats beside it that lie in one block of memory."""
    import numpy as np
    import pandas as pd

    block: NDArray[Any] | None = None
    for index, values in enumerate(columns):
        if block is None:
            block = np.empty((len(names), len(frame)), dtype=values.dtype)
        block[index] = values
    added = pd.DataFrame(
        None if block is None else block.T, columns=list(names), index=frame.index, copy=False
    )
    return pd.concat([frame, added], axis=1)


def give_back_memory() -> None:
    """Give back what Arrow keeps of the memory that it read a file with."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _placed(values: NDArray[Any], where: NDArray[np.intp] | None) -> NDArray[Any]:
    return values if where is None else values.take(where)


def _is_plain_float(kind: Any) -> bool:
    import numpy as np

    return isinstance(kind, np.dtype) and kind.kind == "f"
