"""What a run's values become within MLflow's limits."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as some

from mlci.trackers._runs import allowed, flattened, tags_of

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
)


def test_nesting_becomes_dots_and_lists_become_json() -> None:
    params = {"model": {"depth": 3, "deep": {"x": None}}, "columns": ["a", 1], "none": {}, "flag": True}
    assert flattened(params) == {
        "model.depth": "3",
        "model.deep.x": "None",
        "columns": '["a", 1]',
        "none": "{}",
        "flag": "True",
    }


@given(some.dictionaries(some.text(), VALUES, max_size=5))
def test_everything_stays_within_the_limits(params: dict[str, object]) -> None:
    for name, value in flattened(params).items():
        assert len(name) <= 250
        assert len(value) <= 6000
        assert name == allowed(name)


def test_forbidden_signs_become_underscores() -> None:
    assert allowed("recall[region=LATAM]@5%") == "recall_region_LATAM__5_"
    assert allowed(string.ascii_letters + "_-. :/") == string.ascii_letters + "_-. :/"


def test_tags_are_cut() -> None:
    assert tags_of({"a=b": "x" * 9000}) == {"a_b": "x" * 8000}
