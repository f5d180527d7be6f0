"""Parquet files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError, first_line

_SOURCE = re.compile(r"Could not open Parquet input source '.*?': ")

_UNNAMED_INDEX = "__index_level_"


class ParquetReader:
    """Reads one Parquet file, or a folder of them, by pyarrow."""

    suffixes: Sequence[str] = (".parquet", ".pq")

    def read(self, path: Path, columns: Sequence[str] | None = None) -> Any:
        """Return the file, or some of its columns, as a DataFrame.

        Columns are handed over one by one, so that no second copy of the table is held meanwhile.
        """
        from pyarrow import parquet

        try:
            table = parquet.read_table(path, columns=None if columns is None else list(columns))
            stored = set(table.column_names)
            frame = table.to_pandas(split_blocks=True, self_destruct=True)
            # What pandas wrote as a named index is a column like any other.
            frame = frame.reset_index(drop=not stored.issuperset(frame.index.names))
            return frame if columns is None else frame[list(columns)]
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error

    def columns(self, path: Path) -> list[str]:
        """Return the column names from the file's footer."""
        from pyarrow import parquet

        try:
            names = [str(name) for name in parquet.ParquetDataset(path).schema.names]
            return [name for name in names if not name.startswith(_UNNAMED_INDEX)]
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> MlciError:
    return MlciError(
        "data.unreadable",
        f"'{path.name}' is not a whole Parquet file: {_SOURCE.sub('', first_line(error))}",
        "write the file again (an interrupted copy or download cuts off the footer)",
    )


reader = ParquetReader()
