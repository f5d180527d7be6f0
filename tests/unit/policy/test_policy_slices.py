"""What a change of slices, or of the gates that judge them, does to a policy."""

from __future__ import annotations

from typing import Any

import pytest

from mlci.core.gates import Gate
from mlci.policy.gates import gate_changes
from mlci.policy.slices import slices_effect
from mlci.stages.compare_to_baseline import CompareInputs

BINS = {"column": "age", "bins": 4}
FAR = {"name": "far", "where": "distance > 1000"}


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        (["a", "b"], ["a"], "weaker"),
        (["a"], ["a", FAR], "stronger"),
        (["a", BINS], ["a"], "weaker"),
        ([BINS], [{**BINS, "bins": 5}], "changed"),
        ([FAR], [{**FAR, "where": "distance > 2000"}], "changed"),
        ([FAR], [{**FAR, "where": "distance > 2000"}, "a"], "changed"),
        ([FAR, "a"], [{**FAR, "where": "distance > 2000"}], "weaker"),
        (["a"], [{"column": "a", "values": ["x"]}], "weaker"),
        ([{"column": "a", "values": ["x", "y"]}], [{"column": "a", "values": ["x"]}], "weaker"),
        ([{"column": "a", "values": ["x"]}], [{"column": "a", "values": ["x", "y"]}], "stronger"),
        ([{"column": "a", "values": ["x"]}], ["a"], "changed"),
        ([{"cross": ["a", "b"]}], [{"cross": ["a", BINS]}], "weaker"),
        (["a", "b"], ["b", "a"], "changed"),
    ],
)
def test_fewer_rows_judged_on_their_own_is_weaker(old: list[Any], new: list[Any], effect: str) -> None:
    assert slices_effect(old, new) == effect


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ({"per-slice": True}, {"per-slice": ["a"]}, "weaker"),
        ({"per-slice": ["a"]}, {"per-slice": True}, "stronger"),
        ({"per-slice": ["a", "b"]}, {"per-slice": ["a"]}, "weaker"),
        ({"per-slice": ["a"]}, {"per-slice": ["a", "b"]}, "stronger"),
        ({"per-slice": ["a"]}, {}, "weaker"),
        ({"worst-slice": True}, {"worst-slice": ["a"]}, "weaker"),
        ({"worst-slice": True}, {}, "changed"),
        (
            {"per-slice": True, "correction": "benjamini-hochberg"},
            {"per-slice": True},
            "weaker",
        ),
    ],
)
def test_gates_that_judge_fewer_slices_are_weaker(old: Any, new: Any, effect: str) -> None:
    sections = [
        CompareInputs.model_validate({"gates": [{"metric": "recall", "no-worse-than": 0.1, **each}]})
        for each in (old, new)
    ]
    assert [change.effect for change in gate_changes(*sections)] == [effect]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"per-slice": True, "worst-slice": True}, "contradict each other"),
        ({"per-slice": []}, "an empty list names no slices"),
        ({"worst-slice": True, "correction": "benjamini-hochberg"}, "only holm answers"),
    ],
)
def test_gates_that_mean_nothing_are_refused(rule: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Gate.model_validate({"metric": "recall", "no-worse-than": 0.1, **rule})
