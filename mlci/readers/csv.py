"""Comma- and tab-separated text, read strictly: a row with too few or too many fields is an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError, first_line

_BAD_COLUMN = re.compile(r"In CSV column #(\d+)")


class CsvReader:
    """Reads one text table by pyarrow, which unlike pandas does not fill up short rows in silence."""

    suffixes: Sequence[str] = (".csv", ".tsv", ".csv.gz", ".tsv.gz")

    def read(self, path: Path) -> Any:
        """Return the whole file as a DataFrame.

        A column whose later rows contradict the type of its first ones is read as text.
        """
        import pyarrow as pa

        as_text: dict[str, Any] = {}
        while True:
            try:
                table = _read(path, as_text)
            except pa.ArrowInvalid as error:
                bad = _BAD_COLUMN.search(str(error))
                names = self.columns(path)
                if bad is None or (name := names[int(bad.group(1))]) in as_text:
                    raise _unreadable(path, error) from error
                as_text[name] = pa.string()
            except (OSError, ValueError) as error:
                raise _unreadable(path, error) from error
            else:
                _refuse_bytes(path, table)
                return table.to_pandas()

    def columns(self, path: Path) -> list[str]:
        """Return the names in the first row."""
        from pyarrow import csv

        try:
            with csv.open_csv(path, parse_options=csv.ParseOptions(delimiter=_delimiter(path))) as stream:
                return [str(name) for name in stream.schema.names]
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error


def _read(path: Path, as_text: dict[str, Any], *, threads: bool = True) -> Any:
    from pyarrow import csv

    return csv.read_csv(
        path,
        read_options=csv.ReadOptions(use_threads=threads),
        parse_options=csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=as_text, strings_can_be_null=True),
    )


def _delimiter(path: Path) -> str:
    return "\t" if ".tsv" in path.name.lower() else ","


def _refuse_bytes(path: Path, table: Any) -> None:
    import pyarrow as pa

    bad = [field.name for field in table.schema if pa.types.is_binary(field.type)]
    if bad:
        raise MlciError(
            "data.unreadable",
            f"'{path.name}' is not UTF-8 text (column {', '.join(bad)})",
            "convert it, for example `iconv -f latin1 -t utf-8`",
        )


def _cause(path: Path, error: Exception) -> str:
    """Return what is wrong and in which row; never the row's values, which may be private."""
    try:
        _read(path, {}, threads=False)  # only a single thread knows the number of the row
    except (OSError, ValueError) as numbered:
        error = numbered
    return re.sub(r"(got \d+):.*", r"\1", first_line(error)).removeprefix("CSV parse error: ")


def _unreadable(path: Path, error: Exception) -> MlciError:
    if path.stat().st_size == 0 or "Empty CSV file" in str(error):
        return MlciError("data.empty", f"'{path.name}' is empty", "write a header line and at least one row")
    return MlciError(
        "data.unreadable",
        f"'{path.name}' is not a sound table: {_cause(path, error)}",
        "correct the row named above; fields with a comma or a line break need quotes",
    )


reader = CsvReader()
