"""Leaks are counted exactly: against plain Python sets, whatever the types of the files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.core.errors import MlciError
from mlci.core.files import Digests
from mlci.core.inputs import DataInputs
from mlci.core.status import Status
from mlci.guards import LeakageLimits, leakage_checks, look_for_leaks, shared_rows
from mlci.guards.findings import Findings
from mlci.guards.shared_rows import SharedRows
from mlci.guards.shared_values import shared_values
from mlci.guards.time_order import time_order

ROW = st.tuples(
    st.sampled_from([0, 1, 2, None]),
    st.sampled_from(["a", "b", None, "nan"]),
    st.booleans(),
    st.integers(0, 1),
)
NAMES = ["number", "word", "flag", "label"]


def written(folder: Path, rows: list[Any], name: str, names: list[str] = NAMES) -> Path:
    path = folder / name
    frame = pd.DataFrame(rows, columns=names)
    frame.to_csv(path, index=False) if name.endswith(".csv") else frame.to_parquet(path, index=False)
    return path


@settings(max_examples=60, deadline=None)
@given(train=st.lists(ROW, min_size=1, max_size=25), evaluate=st.lists(ROW, min_size=1, max_size=25))
def test_shared_rows_are_those_of_plain_sets(
    tmp_path_factory: pytest.TempPathFactory, train: list[Any], evaluate: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    found = shared_rows.shared_rows(
        written(folder, train, "train.parquet"),
        written(folder, evaluate, "evaluate.parquet"),
        NAMES[:3],
        ["label"],
    )
    whole, features = set(train), {row[:3] for row in train}
    # Not asked for where no row of the evaluation is like another one.
    assert found.usual in (sum(train.count(row) > 1 for row in train) / len(train), 0.0)
    assert found._replace(usual=0.0) == SharedRows(
        with_label=sum(row in whole for row in evaluate),
        other_label=sum(row[:3] in features and row not in whole for row in evaluate),
        repeated=len(evaluate) - len(set(evaluate)),
    )


def test_a_collision_of_hashes_is_no_duplicate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(number, "a", True, 0) for number in range(20)]
    train, evaluate = written(tmp_path, rows[:12], "train.csv"), written(tmp_path, rows[10:], "evaluate.csv")

    def always_the_same(path: Path, features: list[str], total: Any = None) -> Any:
        return np.zeros(len(pd.read_csv(path)), dtype=np.uint64)

    monkeypatch.setattr(shared_rows, "_hashes", always_the_same)
    found = shared_rows.shared_rows(train, evaluate, NAMES[:3], ["label"])
    assert found._replace(usual=0.0) == SharedRows(2, 0, 0)


def test_whole_numbers_and_floats_of_two_formats_are_equal(tmp_path: Path) -> None:
    train = written(tmp_path, [(1, "a", True, 0), (None, "b", False, 1)], "train.csv")
    evaluate = written(tmp_path, [(1, "a", True, 0), (2, "b", False, 1)], "evaluate.parquet")
    assert shared_rows.shared_rows(train, evaluate, NAMES[:3], ["label"]) == SharedRows(1, 0, 0)


def test_keys_that_only_number_the_rows_are_told_apart(tmp_path: Path) -> None:
    first = written(tmp_path, [(number,) for number in range(5)], "first.csv", ["key"])
    second = written(tmp_path, [(number,) for number in range(3)], "second.csv", ["key"])
    third = written(tmp_path, [(7,), (3,), (4,)], "third.csv", ["key"])
    words = written(tmp_path, [("3",), ("x",), (None,)], "words.parquet", ["key"])
    assert shared_values(first, second, "key") == (3, 3, True)
    assert shared_values(first, third, "key") == (2, 2, False)
    assert shared_values(first, words, "key") == (1, 1, False)


UTC = dt.UTC
TIMES = [
    ("text", ["2026-01-01", "2026-01-03T10:00:00"], ["2026-01-02", "2026-01-03T10:00:00", "2026-02-01"], 1),
    ("zones", ["2026-01-03T10:00:00+02:00"], ["2026-01-03T07:59:59Z", "2026-01-03T08:00:00Z"], 1),
    (
        "stamps",
        [pd.Timestamp("2026-01-02")],
        [pd.Timestamp("2026-01-01"), pd.NaT, pd.Timestamp("2026-01-05")],
        1,
    ),
    ("mixed", [dt.datetime(2026, 1, 2, tzinfo=UTC)], ["2026-01-01", "2026-01-03"], 1),
    ("days", [dt.date(2026, 1, 2)], [dt.date(2026, 1, 1), dt.date(2026, 1, 2)], 1),
    ("years", [2019, 2020], [2018, 2020, 2021], 1),
]


@pytest.mark.parametrize(
    ("train", "evaluate", "older"), [case[1:] for case in TIMES], ids=[c[0] for c in TIMES]
)
def test_rows_before_the_newest_training_row_are_older(
    tmp_path: Path, train: list[Any], evaluate: list[Any], older: int
) -> None:
    for name, values in {"train": train, "evaluate": evaluate}.items():
        pd.DataFrame({"when": values}).to_parquet(tmp_path / f"{name}.parquet")
    found = time_order(tmp_path / "train.parquet", tmp_path / "evaluate.parquet", "when")
    assert found.older == older
    assert found.unknown == sum(value is pd.NaT for value in evaluate)


@pytest.mark.parametrize(
    ("train", "evaluate", "says"),
    [
        (["yesterday", "2026-01-01"], ["2026-01-01"], "no time in 1 rows"),
        (["2026-01-01"], [None], "empty in all rows"),
        ([2020], ["2026-01-01"], "a number in one of"),
    ],
)
def test_a_column_without_times_is_an_error(
    tmp_path: Path, train: list[Any], evaluate: list[Any], says: str
) -> None:
    for name, values in {"train": train, "evaluate": evaluate}.items():
        column = pd.Series(values, dtype="str" if values == [None] else None)
        pd.DataFrame({"when": column}).to_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(MlciError, match=says) as caught:
        time_order(tmp_path / "train.parquet", tmp_path / "evaluate.parquet", "when")
    assert caught.value.code == "data.bad-time"


@pytest.mark.parametrize(
    ("shared", "rows", "usual", "allowed", "status"),
    [
        (1, 75, 0.0, 0.01, Status.WARNED),  # the iris of one garden: 1.3 % that prove nothing
        (5, 75, 0.0, 0.01, Status.FAILED),
        (1, 75, 0.0, 0.0, Status.FAILED),
        (75, 75, 0.0, 0.01, Status.FAILED),
        (1_000, 1_000, 1.0, 0.01, Status.PASSED),  # a table of few distinct values
        (400, 1_000, 0.42, 0.01, Status.PASSED),
        (430, 1_000, 0.42, 0.01, Status.WARNED),
        (600, 1_000, 0.42, 0.01, Status.FAILED),
        (0, 75, 0.0, 0.0, Status.PASSED),
    ],
)
def test_equal_rows_fail_where_they_prove_a_leak(
    shared: int, rows: int, usual: float, allowed: float, status: Status
) -> None:
    found = Findings(features=4, rows=(shared, 0, 0, usual))
    check = leakage_checks(found, DataInputs(), rows, LeakageLimits("fail", allowed))[0]
    assert check.status is status
    warned = leakage_checks(found, DataInputs(), rows, LeakageLimits("warn", allowed))[0]
    assert warned.status is (Status.WARNED if status is Status.FAILED else status)


def test_rows_of_few_distinct_values_are_told_of(tmp_path: Path) -> None:
    rows = [(number % 4, "a", True, 0) for number in range(40)]
    train, evaluate = written(tmp_path, rows, "train.csv"), written(tmp_path, rows[:20], "evaluate.parquet")
    assert shared_rows.shared_rows(train, evaluate, NAMES[:3], ["label"]) == SharedRows(20, 0, 16, 1.0)


def statuses(root: Path, limits: LeakageLimits, **settings: Any) -> dict[str, Status]:
    data = DataInputs(train="train.csv", evaluate="evaluate.csv", label="label", **settings)
    found = look_for_leaks(data, root, Digests(), root / "cache")
    rows = len(pd.read_csv(root / "evaluate.csv"))
    return {check.name: check.status for check in leakage_checks(found, data, rows, limits)}


def test_shares_decide_and_findings_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    names = ["key", "a", "b", "site", "label"]
    rows = [(f"r{n}", *chance.normal(size=2), n // 50, n % 2) for n in range(400)]
    written(tmp_path, rows[:210], "train.csv", names)
    written(tmp_path, rows[200:], "evaluate.csv", names)
    roles = {"key": "key", "group": "site"}
    found = statuses(tmp_path, LeakageLimits("fail", 0.01), **roles)
    assert found == {
        "no evaluation row is a training row": Status.FAILED,
        "no evaluation row is repeated": Status.PASSED,
        "no key is in both files": Status.FAILED,
        "no group is in both files": Status.WARNED,
    }

    # What was found once is not looked for again: the files are not even read.
    def never(*arguments: Any) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(shared_rows, "read_table", never)
    assert (
        statuses(tmp_path, LeakageLimits("fail", 0.05), **roles)["no key is in both files"] is Status.WARNED
    )
    again = statuses(tmp_path, LeakageLimits("warn", 0.0), **roles)
    assert again["no evaluation row is a training row"] is Status.WARNED
    with pytest.raises(AssertionError, match="read again"):  # another question is another look
        statuses(tmp_path, LeakageLimits("warn", 0.0), **roles, ignore=["b"])


def test_without_training_rows_nothing_is_looked_for(tmp_path: Path) -> None:
    written(tmp_path, [(1, "a", True, 0)], "evaluate.csv")
    assert statuses(tmp_path, LeakageLimits("fail", 0.0)) == {"leakage": Status.SKIPPED}
    (tmp_path / "train.csv").mkdir()
    assert statuses(tmp_path, LeakageLimits("fail", 0.0)) == {"leakage": Status.SKIPPED}
