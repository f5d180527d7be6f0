"""Typed inputs: one pydantic model is the source of the option, the variable, the key and the page."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic.fields import FieldInfo

from mlci.core.names import kebab
from mlci.core.section import Inputs
from mlci.core.slice_rules import SliceEntry, label_of

__all__ = [
    "ChangesInputs",
    "DataInputs",
    "Inputs",
    "TrackingInputs",
    "choices",
    "fields_of",
    "lines_in",
    "shape",
    "unimportant",
]


class DataInputs(Inputs):
    """Which rows a model is trained and judged on, and what their columns mean."""

    train: str | None = Field(None, description="File with the training rows (CSV or Parquet).")
    evaluate: str | None = Field(None, description="File with the rows that every model is judged on.")
    label: str | None = Field(None, description="Column that the model predicts.")
    labels: list[str] = Field(
        [],
        description="Columns of 0 and 1 that the model predicts all at once (multi-label), in place of label.",
    )
    key: str | None = Field(
        None, description="Column that identifies a row, so that two models are compared on the same rows."
    )
    features: list[str] = Field(
        [],
        description="Columns that a model may use; default: all but label, key, weight, group and ignored ones.",
    )
    ignore: list[str] = Field([], description="Columns that are never features.")
    slices: list[SliceEntry] = Field(
        [],
        description="Columns whose values are judged one by one, and rules: where, bins, edges, values, cross.",
    )
    group: str | None = Field(
        None, description="Column of rows that belong together; they are resampled as one."
    )
    time: str | None = Field(
        None,
        description="Column with the time of a row (timestamp, date, ISO 8601 text or number); evaluation rows "
        "that are older than training rows are then leakage.",
    )
    query: str | None = Field(
        None,
        description="Column of the query that a row is ranked for, by its prediction; the label is its relevance.",
    )
    weight: str | None = Field(None, description="Column with the weight of a row.")
    task: Literal["classification", "regression"] | None = Field(
        None,
        description="What is predicted; default: classes when labels are text, booleans or few whole numbers.",
    )
    positive: str | int | float | bool | None = Field(
        None,
        description="Label value that counts as positive in a two-class problem; default: the larger one.",
    )

    @field_validator("slices")
    @classmethod
    def _names_differ(cls, entries: list[SliceEntry]) -> list[SliceEntry]:
        labels = [label_of(entry) for entry in entries]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise ValueError(f"two entries are called '{twice}'; give one of them a name")
        return entries

    @model_validator(mode="after")
    def _one_kind_of_label(self) -> Self:
        if self.labels and self.label:
            raise ValueError(
                "label and labels exclude each other: name one label, or several columns of 0 and 1"
            )
        if self.labels and len(set(self.labels)) < max(2, len(self.labels)):
            raise ValueError("labels needs at least two different columns; name one as label")
        if self.labels and (self.query or self.positive is not None or self.task == "regression"):
            raise ValueError("query, positive and task: regression have no meaning beside labels")
        if self.query and self.task == "classification":
            raise ValueError("query asks for a ranking, where the label is a number; leave task out")
        return self

    @property
    def label_columns(self) -> list[str]:
        """The columns that the model predicts."""
        return list(self.labels) if self.labels else [self.label] if self.label else []


class TrackingInputs(Inputs):
    """Where runs and model versions are recorded."""

    uri: str | None = Field(
        None,
        description="MLflow tracking server or database; default: MLFLOW_TRACKING_URI, "
        "else SQLite and a folder under .mlci, without a server.",
    )
    experiment: str | None = Field(None, description="MLflow experiment; default: the project's name.")


class ChangesInputs(Inputs):
    """Which changed files a plan takes into account, beside those that it knows by itself."""

    watch: list[str] = Field(
        [],
        description="Patterns of files that results depend on although they are elsewhere, such as shared/*; "
        "from the top of the repository or from the project.",
    )
    ignore: list[str] = Field(
        [],
        description="Patterns of files that no result depends on, such as notebooks/*; documentation is known.",
    )


def unimportant(field: FieldInfo) -> bool:
    """Return whether a field cannot change a stage's result, so that a change of it skips nothing."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("affects-result") is False


def shape(annotation: Any) -> Literal["text", "flag", "number", "lines", "yaml"]:
    """Return how a value of this type is written in an option, a variable or a CI input.

    `lines` is one item a line; `yaml` is YAML (and so JSON) text for everything with structure.
    """
    kinds = _members(annotation)
    if kinds <= {str}:
        return "text"
    if kinds <= {bool}:
        return "flag"
    if kinds <= {int, float}:
        return "number"
    if any(typing.get_origin(kind) is Literal for kind in kinds):
        return "text"
    if any(typing.get_origin(kind) is list and typing.get_args(kind) == (str,) for kind in kinds):
        return "lines"
    return "yaml"


def lines_in(text: str, annotation: Any) -> list[str] | None:
    """Return the lines of a text that stands for a list with one item a line; None when it is to be read as YAML."""
    others = {"lines": ("[",), "yaml": ("[", "-", "{") if _holds_text(annotation) else ("",)}
    if text.lstrip().startswith(others.get(shape(annotation), ("",))):
        return None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _holds_text(annotation: Any) -> bool:
    """Return whether this is a list whose items may be text beside other things."""
    lists = [kind for kind in _members(annotation) if typing.get_origin(kind) is list]
    return any(_may_be_text(item) for kind in lists for item in typing.get_args(kind))


def _may_be_text(item: Any) -> bool:
    return item is str or any(_may_be_text(part) for part in typing.get_args(item))


def choices(annotation: Any) -> tuple[str, ...]:
    """Return the values that a Literal annotation allows; empty for any other type."""
    return tuple(
        str(value)
        for kind in _members(annotation)
        if typing.get_origin(kind) is Literal
        for value in typing.get_args(kind)
    )


def _members(annotation: Any) -> set[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return {kind for kind in typing.get_args(annotation) if kind is not type(None)}
    return {annotation}


def fields_of(inputs: type[Inputs]) -> Mapping[str, FieldInfo]:
    """Return the fields of a section by their key in mlci.yaml."""
    return {kebab(name): field for name, field in inputs.model_fields.items()}
