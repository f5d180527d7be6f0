"""From entries to slices: every row where it belongs, names that say so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.slicing import check_columns, sizes, sliced
from mlci.slicing.ranges import quantile_edges, range_names
from mlci.stats.slices import Parts

TABLE = pd.DataFrame(
    {
        "c": ["b", "a", None, "a", "b", "a"],
        "age": [17.0, 30.0, 65.0, np.nan, 18.0, 40.0],
        "code": pd.array([1, 2, None, 1, 2, 3], dtype="Int64"),
    }
)


def entries(*written):
    return DataInputs.model_validate({"slices": list(written)}, strict=True, by_name=False).slices


def rows(*written):
    """Return the rows of each slice, as the statistics see them."""
    found = sliced(entries(*written), TABLE)
    parts = Parts([each.column for each in found], len(TABLE))
    return {name: parts.rows(name).tolist() for name in parts.names if name is not None}


def test_every_kind_of_entry():
    assert rows("c") == {"c=a": [1, 3, 5], "c=b": [0, 4], "c=(empty)": [2]}
    assert rows({"name": "old", "where": "age >= 30 and c == 'a'"}) == {"old": [1, 5]}
    assert rows({"column": "age", "edges": [18, 30, 65]}) == {
        "age<18": [0], "age=18..30": [4], "age=30..65": [1, 5], "age>=65": [2], "age=(empty)": [3]
    }  # fmt: skip
    assert rows({"column": "code", "values": [2, 9]}) == {"code=2": [1, 4], "code=9": []}
    assert rows({"cross": ["c", {"name": "years", "column": "age", "edges": [30]}]}) == {
        "c=a & years>=30": [1, 5],
        "c=a & years=(empty)": [3],
        "c=b & years<30": [0, 4],
        "c=(empty) & years>=30": [2],
    }


def test_values_that_read_the_same_are_one_slice():
    table = pd.DataFrame({"c": ["1", 1, 2, None]})
    assert sizes(sliced(["c"], table)) == {"c=1": 2, "c=2": 1, "c=(empty)": 1}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.integers(0, 3).map(float)), min_size=1, max_size=200),
    st.integers(2, 10),
)
def test_quantile_bins_hold_every_row_once_and_none_is_empty(values, bins):
    values = np.asarray(values)
    edges = quantile_edges(values, bins)
    assert edges == sorted(set(edges))
    assert len(edges) < bins
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    assert counts.min() > 0
    names = range_names("x", edges)
    assert len(set(names)) == len(names) == len(edges) + 1
    assert all(float(name.partition("..")[2]) in edges for name in names if ".." in name)


def test_quantile_bins_are_about_equal_and_readable():
    values = np.random.default_rng(3).normal(40, 12, 10_000)
    edges = quantile_edges(values, 4)
    counts = np.bincount(np.searchsorted(edges, values, side="right"))
    assert np.all(np.abs(counts - 2500) <= 2 * 0.01 * 10_000)
    assert all(len(f"{edge:g}") <= 4 for edge in edges)


@pytest.mark.parametrize(
    ("written", "table", "said"),
    [
        ({"column": "c", "bins": 3}, TABLE, "bins need a column of numbers"),
        ({"cross": ["a", "b"]}, pd.DataFrame({"a": range(2000), "b": range(2000)}), "2,000 slices"),
        ("a", pd.DataFrame({"a": range(1001)}), "1,001 slices, and at most 1,000"),
        ({"name": "x", "where": "c > 1"}, TABLE, "compares a text with a number"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(written, table, said):
    with pytest.raises(MlciError) as caught:
        sliced(entries(written), table, lambda key: f"mlci.yaml:7 {key}")
    assert said in caught.value.message
    assert "mlci.yaml:7" in caught.value.message or "slices" in said


def test_a_column_that_is_not_there_is_named_with_its_line_and_the_nearest():
    wanted = entries("c", {"name": "x", "where": "`the agee` > 1"})
    with pytest.raises(MlciError) as caught:
        check_columns(wanted, ["c", "the age"], "rows.csv", lambda key: f"mlci.yaml:9 {key}")
    assert "'the agee'" in caught.value.message
    assert "mlci.yaml:9 data.slices.1" in caught.value.message
    assert caught.value.hint == "did you mean 'the age'?"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"column": "a", "where": "b > 1", "name": "x"}, "exactly one of where, column, cross"),
        ({"where": "b > 1"}, "needs a name"),
        ({"name": "x", "where": "f(b)"}, "only function"),
        ({"column": "a", "bins": 2, "edges": [1.0]}, "only one of bins, edges, values"),
        ({"name": "x", "where": "b > 1", "bins": 2}, "bins goes with column"),
        ({"column": "a", "edges": [2.0, 1.0]}, "edges must ascend"),
        ({"column": "a", "values": ["x", "x"]}, "a value stands twice"),
        ({"cross": ["a", "a"]}, "two crossed entries have one name"),
        ({"cross": ["a", {"cross": ["b", "c"]}]}, "cannot be crossed again"),
    ],
)
def test_an_entry_that_means_nothing_is_refused(written, said):
    with pytest.raises(ValueError, match=said):
        entries(written)


def test_two_entries_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two entries are called 'age'"):
        entries("age", {"column": "age", "bins": 4})
