"""A gate: the rule that turns a metric into a verdict, as it is written in mlci.yaml."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from mlci.core.inputs import Inputs
from mlci.core.names import kebab
from mlci.core.quantities import BUDGETS, WITH_UNIT, in_base_unit, in_words

LIMITS = ("no_worse_than", "better_by", "at_least", "at_most")


def _given(*names: str) -> JsonDict:
    """Return the schema of a gate with one of these limits; a limit of null counts as not given."""
    return {
        "oneOf": [
            {"required": [kebab(name)], "properties": {kebab(name): {"type": ["number", "string"]}}}
            for name in names
        ]
    }


_RELATIVE: JsonDict = {"properties": {"relative": {"const": True}}, "required": ["relative"]}
_RULES: JsonDict = {
    **_given(*LIMITS),
    "if": _RELATIVE,
    "then": _given("no_worse_than", "better_by"),
}


def _or_with_unit(schema: JsonDict) -> None:
    """Let the schema take a limit of a budget with its unit, such as 50MB."""
    kinds = schema.get("anyOf")
    if isinstance(kinds, list):
        kinds.append({"type": "string", "pattern": WITH_UNIT})


class Gate(Inputs):
    """One rule on one metric. Exactly one of the four limits is given."""

    model_config = ConfigDict(json_schema_extra=_RULES)

    metric: str = Field(description="Name of a metric; `mlci list` shows them.")
    no_worse_than: float | None = Field(
        None,
        gt=0,
        description="Largest loss against the baseline that is accepted, in the metric's unit.",
        json_schema_extra=_or_with_unit,
    )
    better_by: float | None = Field(
        None, ge=0, description="Smallest gain over the baseline that is asked for."
    )
    at_least: float | None = Field(
        None, description="Smallest value that is accepted, with or without a baseline."
    )
    at_most: float | None = Field(
        None,
        description="Largest value that is accepted, with or without a baseline.",
        json_schema_extra=_or_with_unit,
    )
    relative: bool = Field(False, description="The limit is a share of the baseline's value (0.01 is 1 %).")
    per_slice: bool | list[str] = Field(
        False,
        description="Judge every slice too, adjusted for their number; a list names entries of data.slices.",
    )
    worst_slice: bool | list[str] = Field(
        False,
        description="Judge the worst slice in place of all rows; passes when every slice passes. "
        "A list names entries of data.slices.",
    )
    correction: Literal["holm", "benjamini-hochberg"] = Field(
        "holm",
        description="How the p-values of slices are adjusted: holm bounds the chance of any false alarm, "
        "benjamini-hochberg the share of false ones among the alarms.",
    )
    on: Literal["estimate", "bound"] = Field(
        "estimate",
        description="Judge at-least and at-most by the value itself, or by the bound of its interval.",
    )
    advisory: bool = Field(False, description="Report only: a failure warns and never blocks.")
    on_inconclusive: Literal["pass", "warn", "fail"] | None = Field(
        None,
        description="What an unclear verdict does; default: the stage's on-inconclusive, and pass for slices.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_units(cls, given: Any) -> Any:
        """Turn the limits of a budget, such as 50MB or 20ms, into bytes and seconds."""
        if not isinstance(given, dict) or given.get("metric") not in BUDGETS:
            return given
        limits = {*LIMITS, *map(kebab, LIMITS)}
        if given.get("relative") and any(isinstance(given.get(key), str) for key in limits):
            raise ValueError("a relative limit is a share of the baseline's value and has no unit")
        return {
            key: in_base_unit(value, BUDGETS[given["metric"]])
            if key in limits and isinstance(value, str)
            else value
            for key, value in given.items()
        }

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        given = [name for name in LIMITS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "a gate needs exactly one of no-worse-than, better-by, at-least, at-most"
                + (f" (given: {', '.join(given)})" if given else "")
            )
        if self.relative and given[0] in ("at_least", "at_most"):
            raise ValueError("relative goes with no-worse-than or better-by only")
        self._refuse_slices_that_contradict()
        if self.is_budget and (given[0] not in ("no_worse_than", "at_most") or self.sliced):
            raise ValueError(f"{self.metric} goes with no-worse-than or at-most, and is not judged per slice")
        return self

    def _refuse_slices_that_contradict(self) -> None:
        if self.per_slice and self.worst_slice:
            raise ValueError("per-slice and worst-slice contradict each other; write two gates")
        if [] in (self.per_slice, self.worst_slice):
            raise ValueError("an empty list names no slices; write true for all of them")
        if self.worst_slice and self.correction != "holm":
            raise ValueError("worst-slice asks whether any slice is worse, which only holm answers")

    @property
    def sliced(self) -> bool:
        """Whether this gate judges slices."""
        return bool(self.per_slice or self.worst_slice)

    def judges(self, label: str) -> bool:
        """Return whether this gate judges the slices of the entry of data.slices that is called `label`."""
        chosen = self.per_slice or self.worst_slice
        return bool(chosen) if isinstance(chosen, bool) else label in chosen

    @property
    def is_budget(self) -> bool:
        """Whether this gate is about what a model costs, and not about what it answers."""
        return self.metric in BUDGETS

    @property
    def limit_text(self) -> str:
        """The limit as a person writes it: a budget with its unit, a share of the baseline as it is."""
        if self.is_budget and not self.relative:
            return in_words(self.limit, BUDGETS[self.metric])
        return f"{self.limit:g}"

    @property
    def kind(self) -> str:
        """Which of the limits is set."""
        return next(name for name in LIMITS if getattr(self, name) is not None)

    @property
    def limit(self) -> float:
        """The value of the limit."""
        value: float = getattr(self, self.kind)
        return value

    @property
    def needs_baseline(self) -> bool:
        """Whether this gate can be judged only against another model."""
        return self.kind in ("no_worse_than", "better_by")
