"""Reads data files: one file of this folder for each format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.core.errors import MlciError
from mlci.core.ports import Reader
from mlci.core.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

READERS: Registry[Reader] = Registry("mlci.readers", "reader")


def reader_for(path: Path) -> Reader:
    """Return the reader for a file by its ending; raises MlciError `data.unknown-format`."""
    known: list[str] = []
    for reader in READERS:
        if path.name.lower().endswith(tuple(reader.suffixes)):
            return reader
        known += reader.suffixes
    raise MlciError(
        "data.unknown-format",
        f"'{path.name}' has no ending that is known",
        f"known endings: {', '.join(known)}",
    )


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a data file as a frame: rows in the order of the file, a fresh 0…n−1 index.

    With `columns`, which the file must have, nothing else is loaded.
    Raises MlciError `data.missing`, `data.unreadable`, `data.empty` or `data.unknown-format`.
    """
    if not path.exists():
        raise MlciError(
            "data.missing", f"'{path}' does not exist", "make the file first, or correct its path"
        )
    frame: pd.DataFrame = reader_for(path).read(path, columns)
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise MlciError(
            "data.unreadable",
            f"'{path.name}' has several columns named '{repeated[0]}'",
            "give each column a name of its own",
        )
    if not len(frame):
        raise MlciError(
            "data.empty",
            f"'{path.name}' has {len(read_columns(path))} columns and no rows",
            "write at least one row, or look at what made the file",
        )
    return frame


def read_columns(path: Path) -> list[str]:
    """Return the names of a data file's columns without reading its rows; raises as `read_table` does."""
    if not path.exists():
        raise MlciError(
            "data.missing", f"'{path}' does not exist", "make the file first, or correct its path"
        )
    return reader_for(path).columns(path)
