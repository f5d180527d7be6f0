"""Parquet files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError, first_line

_SOURCE = re.compile(r"Could not open Parquet input source '.*?': ")


class ParquetReader:
    """Reads one Parquet file, or a folder of them, by pyarrow."""

    suffixes: Sequence[str] = (".parquet", ".pq")

    def read(self, path: Path) -> Any:
        """Return the whole file as a DataFrame."""
        import pandas as pd

        try:
            return pd.read_parquet(path).reset_index(drop=True)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error

    def columns(self, path: Path) -> list[str]:
        """Return the column names from the file's footer."""
        from pyarrow import parquet

        try:
            return [str(name) for name in parquet.ParquetDataset(path).schema.names]
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> MlciError:
    return MlciError(
        "data.unreadable",
        f"'{path.name}' is not a whole Parquet file: {_SOURCE.sub('', first_line(error))}",
        "write the file again (an interrupted copy or download cuts off the footer)",
    )


reader = ParquetReader()
