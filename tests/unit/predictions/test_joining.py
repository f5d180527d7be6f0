"""The join by key is exact: against a join written as a dictionary, for every kind of key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.predictions.joining import UnmatchedError, places, repeats

KEYS = {
    "whole numbers": st.integers(-(2**63), 2**63 - 1),
    "few whole numbers": st.integers(0, 30),
    "text": st.text(max_size=3),
    "moments": st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2030-01-01")),
    "days": st.dates(),
}


def column(values: list[Any]) -> pd.Series:
    return pd.Series(values, dtype=object).infer_objects() if values else pd.Series([], dtype="int64")


@pytest.mark.parametrize("kind", KEYS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_join_is_that_of_a_dictionary(kind: str, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(KEYS[kind], unique=True, min_size=1, max_size=40))
    other = data.draw(st.one_of(st.permutations(wanted), st.lists(KEYS[kind], min_size=1, max_size=40)))
    if sorted(map(str, wanted)) == sorted(map(str, other)):
        found = places(column(wanted), column(other))
        place = {value: index for index, value in enumerate(other)}
        here = list(range(len(wanted))) if found is None else found.tolist()
        assert here == [place[value] for value in wanted]
        assert (found is None) == (wanted == other)
        return
    with pytest.raises(UnmatchedError) as caught:
        places(column(wanted), column(other))
    assert caught.value.repeated == len(other) - len(set(other))
    assert caught.value.missing == len(set(wanted) - set(other))
    assert caught.value.extra == sum(value not in set(wanted) for value in other)


@pytest.mark.parametrize("kind", KEYS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_repeated_keys_are_counted(kind: str, data: st.DataObject) -> None:
    keys = data.draw(st.lists(KEYS[kind], min_size=1, max_size=40))
    assert repeats(column(keys)) == len(keys) - len(set(keys))


def test_whole_numbers_written_as_floats_are_the_same_keys() -> None:
    assert places(pd.Series([3, 1, 2]), pd.Series([1.0, 2.0, 3.0])).tolist() == [2, 0, 1]
    with pytest.raises(UnmatchedError) as caught:
        places(pd.Series([3, 1, 2]), pd.Series([1.0, 2.0, 3.5]))
    assert (caught.value.repeated, caught.value.missing, caught.value.extra) == (0, 1, 1)


def test_large_keys_are_not_rounded_to_floats() -> None:
    large = 2**53
    with pytest.raises(UnmatchedError):
        places(pd.Series([large + 1]), pd.Series([float(large)]))
    with pytest.raises(UnmatchedError):
        places(pd.Series([large + 1, 1]), pd.Series(np.array([large, 1], dtype=np.uint64)))


def test_an_empty_key_among_the_predictions_is_another_key() -> None:
    with pytest.raises(UnmatchedError) as caught:
        places(pd.Series(["a", "b"]), pd.Series(["a", None]))
    assert (caught.value.missing, caught.value.extra) == (1, 1)
    with pytest.raises(UnmatchedError) as caught:
        places(pd.Series([1, 2]), pd.Series([1.0, np.nan]))
    assert (caught.value.missing, caught.value.extra) == (1, 1)


def test_predictions_keep_their_text_without_python_objects() -> None:
    from mlci.core.inputs import DataInputs
    from mlci.predictions import align

    data = DataInputs(label="label", key="key")
    rows = pd.DataFrame({"key": ["x", "y"], "label": ["a", "b"]})
    table = pd.DataFrame({"key": ["y", "x"], "prediction": ["b", "a"], "probability_b": [0.9, 0.2]})
    joined = align(table, rows, data, "candidate")
    assert joined["prediction"].tolist() == ["a", "b"]
    assert joined["probability_b"].tolist() == [0.2, 0.9]
    assert joined["prediction"].dtype == rows["label"].dtype
