"""Tables are read strictly: what is in the file, or an error that names the row and no value."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlci.core.errors import MlciError
from mlci.readers import READERS, read_columns, read_table, reader_for


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path) -> MlciError:
    with pytest.raises(MlciError) as caught:
        read_table(path)
    return caught.value


@pytest.mark.parametrize("name", ["t.csv", "t.CSV", "t.csv.gz", "t.tsv", "t.tsv.gz"])
def test_text_tables_of_every_ending(tmp_path: Path, name: str) -> None:
    text = 'id,name,share\n1,"a, b",0.5\n2,ß,\n'
    if ".tsv" in name:
        text = "id\tname\tshare\n1\ta, b\t0.5\n2\tß\t\n"
    data = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    path = write(tmp_path / name, data)
    frame = read_table(path)
    assert frame["id"].tolist() == [1, 2]
    assert frame["name"].tolist() == ["a, b", "ß"]
    assert frame["share"][0] == 0.5
    assert pd.isna(frame["share"][1])
    assert read_columns(path) == ["id", "name", "share"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", b"\xef\xbb\xbfid,b\n1,2\n")
    assert list(read_table(path).columns) == read_columns(path) == ["id", "b"]


def test_quoted_fields_hold_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'id,text\n1,"two\nlines"\n2,"say ""no"""\n3,"a,b"\r\n4,x\n')
    assert read_table(path)["text"].tolist() == ["two\nlines", 'say "no"', "a,b", "x"]


def test_a_column_whose_type_changes_is_read_as_text(tmp_path: Path) -> None:
    rows = [f"{number},{number}" for number in range(200_000)]
    path = write(tmp_path / "t.csv", "id,code\n" + "\n".join(rows) + "\n200000,A7\n")
    frame = read_table(path)
    assert frame["id"].tolist()[-1] == 200_000
    assert frame["code"].tolist()[-1] == "A7"
    assert frame["code"].tolist()[0] == "0"


@pytest.mark.parametrize(("row", "got"), [("7,SECRET", "got 2"), ("7,SECRET,3,4", "got 4")])
def test_a_row_with_too_few_or_too_many_fields_is_named_without_its_values(
    tmp_path: Path, row: str, got: str
) -> None:
    error = refused(write(tmp_path / "t.csv", f"a,b,c\n1,2,3\n{row}\n4,5,6\n"))
    assert error.code == "data.unreadable"
    assert "Row #3" in error.message
    assert got in error.message
    assert "SECRET" not in error.message + error.hint


@pytest.mark.parametrize("text", ["name\ncaf\xe9\n", "caf\xe9\nx\n"])
def test_latin_1_says_how_to_convert_it(tmp_path: Path, text: str) -> None:
    error = refused(write(tmp_path / "t.csv", text.encode("latin-1")))
    assert error.code == "data.unreadable"
    assert "not UTF-8" in error.message
    assert "iconv" in error.hint


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_an_empty_file_is_empty_not_damaged(tmp_path: Path, text: str) -> None:
    assert refused(write(tmp_path / "t.csv", text)).code == "data.empty"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv.gz", b"no gzip"),
        ("t.parquet", b"PAR1 cut off"),
        ("t.parquet", b""),
        ("t.csv", b"\xff\xfea\x00"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    error = refused(write(tmp_path / name, data))
    assert error.code == "data.unreadable"
    assert f"'{name}'" in error.message
    assert error.hint


def test_missing_files_and_unknown_endings(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv").code == "data.missing"
    error = refused(write(tmp_path / "t.xlsx", "x"))
    assert error.code == "data.unknown-format"
    assert ".parquet" in error.hint


def test_parquet_file_and_folder(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": [1, 2, 3], "text": ["a", None, "c"], "when": pd.to_datetime(["2024-01-01"] * 3)}
    )
    frame.set_index("id", drop=False).rename_axis("row").to_parquet(tmp_path / "one.parquet")
    one = read_table(tmp_path / "one.parquet")
    assert one["id"].tolist() == [1, 2, 3]
    assert list(one.index) == [0, 1, 2]
    folder = tmp_path / "many.parquet"
    folder.mkdir()
    frame[:2].to_parquet(folder / "part-0.parquet", index=False)
    frame[2:].to_parquet(folder / "part-1.parquet", index=False)
    many = read_table(folder)
    assert many["id"].tolist() == [1, 2, 3]
    assert list(many.index) == [0, 1, 2]
    assert read_columns(folder) == ["id", "text", "when"]


def test_every_reader_is_found_by_its_endings() -> None:
    for reader in READERS:
        for suffix in reader.suffixes:
            assert reader_for(Path(f"some{suffix}")) is reader


# No carriage return: pandas writes it without quotes, and then it is the end of a row.
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=8).map(
    lambda text: f"t {text} t"
)
columns = st.sampled_from(
    [st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), words]
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.integers(1, 6), st.sampled_from([".csv", ".tsv", ".parquet"]))
def test_a_frame_of_simple_types_survives_a_file(data: Any, rows: int, ending: str) -> None:
    kinds = data.draw(st.lists(columns, min_size=1, max_size=4))
    frame = pd.DataFrame(
        {
            f"c{place}": data.draw(st.lists(kind, min_size=rows, max_size=rows))
            for place, kind in enumerate(kinds)
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        if ending == ".parquet":
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
        found = read_table(path)
    for name in frame:
        assert found[name].tolist() == frame[name].tolist()


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_only_the_columns_that_are_asked_for_are_loaded(tmp_path: Path, name: str) -> None:
    whole = pd.DataFrame({"key": ["a", "b"], "x": [1.5, 2.5], "label": [0, 1]})
    path = tmp_path / name
    whole.to_csv(path, index=False) if name.endswith("csv") else whole.to_parquet(path)
    pd.testing.assert_frame_equal(read_table(path, ["label", "key"]), whole[["label", "key"]])


def test_a_quote_left_open_in_a_column_that_is_not_asked_for_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'a,b\n1,x\n2,"y\n3,z\n')
    with pytest.raises(MlciError, match="never closed"):
        read_table(path, ["a"])


def test_a_named_index_of_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"key": ["b", "a"], "x": [1, 2]}).set_index("key").to_parquet(path)
    assert sorted(read_columns(path)) == ["key", "x"]
    assert read_table(path)["key"].tolist() == ["b", "a"]
    assert read_table(path, ["x", "key"]).columns.tolist() == ["x", "key"]
    pd.DataFrame({"x": [1, 2, 3]}).iloc[[2, 0]].to_parquet(path)
    assert read_columns(path) == ["x"]
    assert read_table(path)["x"].tolist() == [3, 1]
