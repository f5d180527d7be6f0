"""One pydantic model is the source of the option, the variable, the key and the page."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError

from mlci.core.gates import LIMITS, Gate
from mlci.core.inputs import DataInputs, Inputs, choices, fields_of, kebab, shape, unimportant


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, "text"),
        (str | None, "text"),
        (bool, "flag"),
        (bool | None, "flag"),
        (int, "number"),
        (float | None, "number"),
        (int | float, "number"),
        (Literal["a", "b"], "text"),
        (Literal["a"] | None, "text"),
        (list[str], "lines"),
        (list[str] | None, "lines"),
        (list[int], "yaml"),
        (list[Gate], "yaml"),
        (list[dict[str, Any]], "yaml"),
        (dict[str, Any], "yaml"),
        (str | int | float | bool | None, "yaml"),
    ],
)
def test_shape_of_every_kind_of_field(annotation: Any, kind: str) -> None:
    assert shape(annotation) == kind


def test_choices_are_those_of_a_literal() -> None:
    assert choices(Literal["a", "b"] | None) == ("a", "b")
    assert choices(str) == choices(list[str]) == choices(Literal["a"] | Literal["b"])[2:] == ()


def test_keys_are_kebab_case() -> None:
    class Section(Inputs):
        some_long_name: int = 3
        silent: float = Field(1.0, json_schema_extra={"affects-result": False})

    fields = fields_of(Section)
    assert list(fields) == ["some-long-name", "silent"]
    assert kebab("a_b") == "a-b"
    assert Section.model_validate({"some-long-name": 5}).some_long_name == 5
    assert unimportant(fields["silent"])
    assert not unimportant(fields["some-long-name"])


def test_inputs_are_frozen_and_refuse_unknown_keys() -> None:
    with pytest.raises(ValidationError, match="lable"):
        DataInputs.model_validate({"lable": "x"})
    with pytest.raises(ValidationError, match="frozen"):
        DataInputs().label = "x"  # type: ignore[misc] # on purpose


@pytest.mark.parametrize("kind", LIMITS)
def test_a_gate_has_exactly_one_limit(kind: str) -> None:
    gate = Gate.model_validate({"metric": "m", kebab(kind): 0.5})
    assert (gate.kind, gate.limit) == (kind, 0.5)
    assert gate.needs_baseline is (kind in ("no_worse_than", "better_by"))
    for other in set(LIMITS) - {kind}:
        with pytest.raises(ValidationError, match="exactly one of"):
            Gate.model_validate({"metric": "m", kebab(kind): 0.5, kebab(other): 0.5})
    with pytest.raises(ValidationError, match="exactly one of"):
        Gate(metric="m")


def test_a_limit_of_zero_counts_as_given() -> None:
    assert Gate(metric="m", better_by=0).kind == "better_by"
    assert Gate(metric="m", at_least=0).limit == 0


@pytest.mark.parametrize("kind", ["at_least", "at_most"])
def test_only_limits_against_a_baseline_can_be_relative(kind: str) -> None:
    with pytest.raises(ValidationError, match="relative goes with"):
        Gate.model_validate({"metric": "m", kind: 1, "relative": True})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("no-worse-than", 0),
        ("no-worse-than", -0.1),
        ("better-by", -0.1),
        ("at-least", float("nan")),
        ("at-most", float("inf")),
    ],
)
def test_limits_that_say_nothing_are_refused(key: str, value: float) -> None:
    with pytest.raises(ValidationError, match=key):
        Gate.model_validate({"metric": "m", key: value})
