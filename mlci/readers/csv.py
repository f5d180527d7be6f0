"""Comma- and tab-separated text, read strictly: a row with too few or too many fields is an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError, first_line

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BAD_COLUMN = re.compile(r"In CSV column #(\d+)")


class CsvReader:
    """Reads one text table by pyarrow, which unlike pandas does not fill up short rows in silence."""

    suffixes: Sequence[str] = (".csv", ".tsv", ".csv.gz", ".tsv.gz")

    def read(self, path: Path, columns: Sequence[str] | None = None) -> Any:
        """Return the file, or some of its columns, as a DataFrame; every row is checked all the same.

        A column whose later rows contradict the type of its first ones is read as text.
        """
        import pyarrow as pa

        _refuse_other_files(path)
        as_text: dict[str, Any] = {}
        names = self.columns(path)
        if len(set(names)) < len(names):  # pyarrow would only say that it cannot choose
            twice = next(name for name in names if names.count(name) > 1)
            raise MlciError(
                "data.unreadable",
                f"'{path.name}' has several columns named '{twice}'",
                "give each column a name of its own",
            )
        # The last column shows whether a quote was left open.
        wanted = (
            None if columns is None else [*columns, *(name for name in names[-1:] if name not in columns)]
        )
        while True:
            try:
                table = _read(path, as_text, wanted)
            except pa.ArrowInvalid as error:
                bad = _BAD_COLUMN.search(str(error))
                if bad is None or (name := names[int(bad.group(1))]) in as_text:
                    raise _unreadable(path, error) from error
                as_text[name] = pa.string()
            except (OSError, ValueError) as error:
                raise _unreadable(path, error) from error
            else:
                _refuse_bytes(path, table)
                _refuse_open_quote(path, table, names)
                frame = table.to_pandas(split_blocks=True, self_destruct=True)
                return frame if columns is None else frame[list(columns)]

    def columns(self, path: Path) -> list[str]:
        """Return the names in the first row."""
        from pyarrow import csv

        _refuse_other_files(path)
        try:
            with csv.open_csv(path, parse_options=csv.ParseOptions(delimiter=_delimiter(path))) as stream:
                return [str(name) for name in stream.schema.names]
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error


def _read(
    path: Path, as_text: dict[str, Any], columns: Sequence[str] | None = None, *, threads: bool = True
) -> Any:
    from pyarrow import csv

    return csv.read_csv(
        path,
        read_options=csv.ReadOptions(use_threads=threads),
        parse_options=csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=as_text,
            strings_can_be_null=True,
            include_columns=None if columns is None else list(columns),
        ),
    )


def _delimiter(path: Path) -> str:
    return "\t" if ".tsv" in path.name.lower() else ","


def _refuse_other_files(path: Path) -> None:
    """Refuse what a parser of text would describe in misleading words."""
    if path.is_dir():
        raise MlciError("data.unreadable", f"'{path.name}' is a folder, not a file", "name a file in it")
    with path.open("rb") as stream:
        if stream.read(2) in _UTF_16:
            raise _not_utf_8(path, "it begins like UTF-16", "utf-16")


def _refuse_bytes(path: Path, table: Any) -> None:
    import pyarrow as pa

    try:
        names = table.column_names
    except UnicodeDecodeError as error:
        raise _not_utf_8(path, "a column's name") from error
    bad = [name for name, field in zip(names, table.schema, strict=True) if pa.types.is_binary(field.type)]
    if bad:
        raise _not_utf_8(path, f"column {', '.join(bad)}")


def _refuse_open_quote(path: Path, table: Any, names: Sequence[str]) -> None:
    """Refuse a file whose last field is quoted and never closed: it has swallowed the rows after it."""
    last = table.column(names[-1])[-1].as_py() if table.num_rows else None
    if not isinstance(last, str) or "\n" not in last or path.name.lower().endswith(".gz"):
        return
    import csv

    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream, delimiter=_delimiter(path), strict=True)
        start = 1
        try:
            for _ in rows:
                start = rows.line_num + 1
        except csv.Error as error:
            raise MlciError(
                "data.unreadable",
                f"'{path.name}' is not a sound table: a quoted field that begins in line {start} is never closed",
                "close the quote, or double it if it is part of the text",
            ) from error


def _not_utf_8(path: Path, where: str, encoding: str = "latin1") -> MlciError:
    return MlciError(
        "data.unreadable",
        f"'{path.name}' is not UTF-8 text ({where})",
        f"convert it, for example `iconv -f {encoding} -t utf-8`",
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
    if isinstance(error, UnicodeDecodeError):
        return _not_utf_8(path, "a column's name")
    cause = _cause(path, error)
    hint = "write the file again (an interrupted copy or download cuts it short)"
    if "Row #" in cause:
        hint = "correct the row named above; fields with a comma or a line break need quotes"
    return MlciError("data.unreadable", f"'{path.name}' is not a sound table: {cause}", hint)


reader = CsvReader()
