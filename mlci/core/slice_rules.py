"""An entry of data.slices: which rows are judged on their own, as it is written in mlci.yaml."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.config import JsonDict

from mlci.core.expressions import LONGEST, parse
from mlci.core.section import Inputs

AND = " & "
"""Stands between the parts of a crossed slice."""
MOST_BINS = 100

_SHAPES: JsonDict = {
    "oneOf": [
        {"required": ["where", "name"], "properties": {"where": {"type": "string"}}},
        {"required": ["column"], "properties": {"column": {"type": "string"}}},
        {"required": ["cross"], "properties": {"cross": {"type": "array"}}},
    ]
}


def _written_as(value: Any) -> str:
    """Return which way an entry is written in; a tag with a bracket is no part of a key."""
    return "[rule]" if isinstance(value, dict | Inputs) else "str"


class SliceRule(Inputs):
    """Slices by an expression (where), by one column (bins, edges or values of it), or by crossing entries."""

    model_config = ConfigDict(json_schema_extra=_SHAPES)

    name: str | None = Field(
        None,
        min_length=1,
        description="How the report calls it; needed with where, else the column's name, or those that are crossed.",
    )
    where: str | None = Field(
        None,
        max_length=LONGEST,
        description="Rows on which an expression over columns of data.evaluate is true, such as "
        "distance > 1000 and origin == 'JFK'.",
    )
    column: str | None = Field(None, description="Column whose values, or ranges of values, are slices.")
    bins: int | None = Field(
        None, ge=2, le=MOST_BINS, description="Number of ranges that hold about equally many evaluation rows."
    )
    edges: list[float] | None = Field(
        None,
        min_length=1,
        max_length=MOST_BINS,
        description="Where one range ends and the next begins, ascending.",
    )
    values: list[str | int | float | bool] | None = Field(
        None,
        min_length=1,
        description="The values that are judged; each must be there, or the comparison fails.",
    )
    cross: list[SliceEntry] | None = Field(
        None, min_length=2, description="Entries of which every combination that has rows is a slice."
    )

    @field_validator("where")
    @classmethod
    def _is_understood(cls, where: str | None) -> str | None:
        if where is not None:
            parse(where)
        return where

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what was not written, so that an entry reads in a report as it does in the file."""
        return {key: value for key, value in dump(self).items() if value is not None}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [key for key in ("where", "column", "cross") if getattr(self, key) is not None]
        if len(given) != 1:
            found = f" (given: {', '.join(given)})" if given else ""
            raise ValueError(f"a slice needs exactly one of where, column, cross{found}")
        cuts = [key for key in ("bins", "edges", "values") if getattr(self, key) is not None]
        if cuts and self.column is None:
            raise ValueError(f"{cuts[0]} goes with column")
        if len(cuts) > 1:
            raise ValueError(f"only one of bins, edges, values can be given (given: {', '.join(cuts)})")
        if self.where is not None and self.name is None:
            raise ValueError("a slice with where needs a name")
        _refuse_disorder(self)
        return self


SliceEntry: TypeAlias = Annotated[
    Annotated[str, Tag("str")] | Annotated[SliceRule, Tag("[rule]")], Discriminator(_written_as)
]
"""An entry of data.slices: a column whose every value is a slice, or a rule."""


def _refuse_disorder(rule: SliceRule) -> None:
    edges = rule.edges or []
    if any(later <= earlier for earlier, later in itertools.pairwise(edges)):
        raise ValueError("edges must ascend, without a repetition")
    texts = [str(value) for value in rule.values or []]
    if len(set(texts)) < len(texts):
        raise ValueError("a value stands twice")
    crossed = rule.cross or []
    if any(isinstance(entry, SliceRule) and entry.cross for entry in crossed):
        raise ValueError("crossed entries cannot be crossed again; write all of them in one list")
    labels = [label_of(entry) for entry in crossed]
    if len(set(labels)) < len(labels):
        raise ValueError("two crossed entries have one name; give one of them another")


def label_of(entry: str | SliceRule) -> str:
    """Return what an entry is called: its name, its column, or what is crossed."""
    if isinstance(entry, str):
        return entry
    return entry.name or entry.column or AND.join(label_of(part) for part in entry.cross or [])


def columns_of(entries: Sequence[str | SliceRule]) -> list[str]:
    """Return the columns of the evaluation file that entries read, each once, in their order."""
    found: dict[str, None] = {}
    for entry in entries:
        if isinstance(entry, str):
            found.setdefault(entry)
        elif entry.where is not None:
            found.update(dict.fromkeys(parse(entry.where).columns.values()))
        elif entry.column is not None:
            found.setdefault(entry.column)
        else:
            found.update(dict.fromkeys(columns_of(entry.cross or [])))
    return list(found)
