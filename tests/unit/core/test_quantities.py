"""Quantities with units: what people write, in base units and back, and in a gate."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from mlci.core.gates import Gate
from mlci.core.quantities import WITH_UNIT, in_base_unit, in_words
from mlci.core.results import PolicyChange
from mlci.policy.gates import gate_changes
from mlci.stages.compare_to_baseline import CompareInputs


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("50MB", "bytes", 50e6),
        ("1.5 GiB", "bytes", 1.5 * 2**30),
        ("12kB", "bytes", 12e3),
        ("20ms", "seconds", 0.02),
        ("300 us", "seconds", 0.0003),
        ("2s", "seconds", 2),
    ],
)
def test_a_quantity_is_read(text: str, unit: Any, value: float) -> None:
    assert in_base_unit(text, unit) == pytest.approx(value)
    assert re.search(WITH_UNIT, text)


@pytest.mark.parametrize(
    ("text", "unit"), [("50", "bytes"), ("20ms", "bytes"), ("5 parsecs", "seconds"), ("-1s", "seconds")]
)
def test_what_is_no_quantity_is_refused_with_an_example(text: str, unit: Any) -> None:
    with pytest.raises(ValueError, match="is no quantity in"):
        in_base_unit(text, unit)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (50e6, "bytes", "50 MB"),
        (999, "bytes", "999 B"),
        (0.02, "seconds", "20 ms"),
        (-0.0003, "seconds", "-300 µs"),
    ],
)
def test_a_quantity_is_written_short(value: float, unit: Any, text: str) -> None:
    assert in_words(value, unit) == text


def test_a_gate_holds_base_units_whichever_way_it_was_written() -> None:
    written = Gate.model_validate({"metric": "model_size", "at-most": "50MB"}, strict=True)
    assert written == Gate.model_validate({"metric": "model_size", "at-most": 50_000_000}, strict=True)
    assert written.limit == 50e6
    assert written.limit_text == "50 MB"
    assert Gate.model_validate({"metric": "predict_latency_p95", "no-worse-than": "5ms"}).limit == 0.005


@pytest.mark.parametrize(
    ("gate", "phrase"),
    [
        ({"metric": "model_size", "at-most": "20ms"}, "no quantity in bytes"),
        ({"metric": "model_size", "at-least": 5}, "goes with no-worse-than or at-most"),
        ({"metric": "predict_memory", "at-most": 5, "per-slice": True}, "not judged per slice"),
        ({"metric": "model_size", "no-worse-than": "5MB", "relative": True}, "has no unit"),
        ({"metric": "accuracy", "at-most": "50MB"}, "valid number"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(gate: dict[str, Any], phrase: str) -> None:
    with pytest.raises(ValidationError, match=phrase):
        Gate.model_validate(gate)


def test_a_larger_budget_weakens_the_policy() -> None:
    def change(old: str, new: str) -> list[PolicyChange]:
        before, after = (
            CompareInputs.model_validate({"gates": [{"metric": "model_size", "at-most": limit}]})
            for limit in (old, new)
        )
        return gate_changes(before, after)

    (weaker,) = change("900kB", "1MB")
    assert weaker.effect == "weaker"
    assert weaker.message == "at-most 900 kB → 1 MB"
    assert [found.effect for found in change("1GB", "1MB")] == ["stronger"]
    assert change("1000kB", "1MB") == []


def test_a_misspelt_budget_is_told_its_name() -> None:
    with pytest.raises(ValidationError, match="did you mean 'predict_memory'"):
        CompareInputs.model_validate({"gates": [{"metric": "predict_memroy", "at-most": 5}]})
