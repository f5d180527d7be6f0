"""Data that cannot be used ends the run with the file, the place in it, and never with its values."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from tiny_project import CONFIG, PREDICTS, Project, rows

HEADER = "key,a,b,region,label\n"
PRIVATE = "Jane-Doe-1234"
"""A value of the data, which no error may show."""


def parquet(project: Project) -> bytes:
    """Return the evaluation rows as a Parquet file."""
    import pandas as pd

    path = project.root / "whole.parquet"
    pd.read_csv(project.root / "data/evaluate.csv").to_parquet(path)
    return path.read_bytes()


def evaluate_from(project: Project, name: str) -> Project:
    """Let the project be judged on another file, and only validated."""
    return project.configure(data={**CONFIG["data"], "evaluate": name}, validate_data={})


def test_a_missing_file_is_named_with_its_key(project: Project) -> None:
    evaluate_from(project, "data/evaluat.csv")
    project.mlci("run").refused("data.missing", 3, "'data/evaluat.csv' (data.evaluate)", "dvc pull")
    project.nothing_half_written()


@pytest.mark.parametrize(
    ("role", "stage", "says"),
    [
        ("label", "validate-data", "'labl'"),
        ("key", "validate-data", "'labl'"),
        ("slices", "validate-data", "'labl'"),
        ("label", "train", "labl"),
        ("slices", "train", "labl"),
    ],
)
def test_a_missing_column_is_named_with_its_file(project: Project, role: str, stage: str, says: str) -> None:
    project.write("train.py", PREDICTS)
    project.configure(
        data={**CONFIG["data"], role: ["labl"] if role == "slices" else "labl"},
        validate_data={},
        train={"command": "python train.py", "predictions": "predictions.csv"},
    )
    file = "data/train.csv" if stage == "validate-data" else "data/evaluate.csv"
    project.mlci(stage).refused("data.missing-column", 3, f"'{file}' has no column", says)
    assert not project.passed(stage)
    project.nothing_half_written()


TOO_LONG = rows(6, 0) + f"9,{PRIVATE},1,N,1,7\n" + rows(3, 90)[len(HEADER) :]
ACCENT = HEADER.replace("region", "région") + "1,1,1,N,1\n"
BROKEN: list[tuple[str, Any, str, tuple[str, ...]]] = [
    ("nothing.csv", b"", "data.empty", ("is empty", "header line")),
    ("blank.csv", b"\n\n", "data.empty", ("is empty",)),
    ("header.csv", HEADER, "data.empty", ("5 columns and no rows",)),
    ("long.csv", TOO_LONG, "data.unreadable", ("Row #8", "got 6")),
    ("short.csv", rows(3, 0) + PRIVATE + "\n", "data.unreadable", ("Row #5", "got 1")),
    ("quote.csv", rows(3, 0) + f'7,1,1,N,"{PRIVATE}\n8,1,1,N,1\n', "data.unreadable", ("line 5", "never closed")),
    ("twice.csv", rows(3, 0).replace("region", "label"), "data.unreadable", ("several columns named 'label'",)),
    ("latin.csv", (HEADER + "1,1,1,café,1\n").encode("latin1"), "data.unreadable", ("not UTF-8", "region", "iconv")),
    ("latin-header.csv", ACCENT.encode("latin1"), "data.unreadable", ("not UTF-8",)),
    ("wide.csv", rows(3, 0).encode("utf-16"), "data.unreadable", ("not UTF-8", "iconv -f utf-16")),
    ("cut.csv.gz", gzip.compress(rows(99, 0).encode())[:300], "data.unreadable", ("Truncated",)),
    ("text.parquet", rows(3, 0), "data.unreadable", ("not a whole Parquet file",)),
    ("nothing.parquet", b"", "data.unreadable", ("not a whole Parquet file", "0 bytes")),
    ("table.xlsx", b"PK", "data.unknown-format", (".csv", ".parquet")),
    ("table", b"a", "data.unknown-format", (".csv", ".parquet")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "code", "says"), BROKEN, ids=[name for name, *_ in BROKEN])
def test_a_file_that_is_no_sound_table_is_refused(
    project: Project, name: str, content: str | bytes, code: str, says: tuple[str, ...]
) -> None:
    project.write(name, content)
    done = evaluate_from(project, name).mlci("validate-data")
    done.refused(code, 2 if code == "data.unknown-format" else 3, f"'{name}'", *says)
    assert PRIVATE not in done.text
    assert not project.passed("validate-data")
    project.nothing_half_written()


@pytest.mark.parametrize("share", [0.2, 0.9, 0.999])
def test_a_parquet_file_that_was_cut_short_is_refused(project: Project, share: float) -> None:
    whole = parquet(project)
    project.write("cut.parquet", whole[: int(len(whole) * share)])
    done = evaluate_from(project, "cut.parquet").mlci("validate-data")
    done.refused("data.unreadable", 3, "'cut.parquet' is not a whole Parquet file", "interrupted copy")


def test_a_folder_in_place_of_a_file_is_refused(project: Project) -> None:
    (project.root / "folder.csv").mkdir()
    done = evaluate_from(project, "folder.csv").mlci("validate-data")
    done.refused("data.unreadable", 3, "'folder.csv' is a folder")


@pytest.mark.parametrize(
    ("broken", "code", "says"),
    [
        ({"label": ""}, "data.bad-label", "'label' of 'data/evaluate.csv' is empty in 1 rows"),
        ({"key": "1000"}, "data.bad-key", "'key' of 'data/evaluate.csv' is empty or repeated in 1 rows"),
    ],
)
def test_labels_and_keys_that_cannot_be_used_stop_the_training(
    project: Project, broken: dict[str, str], code: str, says: str
) -> None:
    lines = [
        dict(zip(HEADER.strip().split(","), line.split(","), strict=True))
        for line in rows(9, 1000).splitlines()[1:]
    ]
    lines[3] |= broken
    project.write("data/evaluate.csv", HEADER + "".join(",".join(line.values()) + "\n" for line in lines))
    project.write("train.py", PREDICTS)
    project.configure(
        validate_data=None, train={"command": "python train.py", "predictions": "predictions.csv"}
    )
    project.mlci("run").refused(code, 3, says)
    project.nothing_half_written()


def test_a_broken_file_leaves_earlier_results_as_they_were(finished: Project) -> None:
    before = {path: path.read_bytes() for path in (finished.out / "train").rglob("*") if path.is_file()}
    finished.write("data/evaluate.csv", HEADER + "1,2\n")
    finished.mlci("run").refused("data.unreadable", 3, "Row #2: Expected 5 columns, got 2")
    assert not finished.passed("validate-data")
    assert {path: path.read_bytes() for path in before} == before
    finished.nothing_half_written()
