"""Says in words what an input is: its type, its default, how it is written."""

from __future__ import annotations

import json
import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mlci.core.inputs import choices, shape

_SHAPES = {
    "text": "",
    "flag": "true or false.",
    "number": "",
    "lines": "One item a line.",
    "yaml": "YAML or JSON.",
}
_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    dict: "mapping",
    Any: "any value",
}


def default_text(field: FieldInfo) -> str:
    """Return the default as it would stand in mlci.yaml; empty when there is none to show."""
    value = field.get_default(call_default_factory=True)
    if field.is_required() or value is None or value in ([], {}):
        return ""
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value


def described(field: FieldInfo) -> str:
    """Return a field's description with its choices, its default and how it is written in one text."""
    parts = [field.description or ""]
    allowed = choices(field.annotation)
    if allowed:
        parts.append(f"One of: {', '.join(allowed)}.")
    parts.append(_SHAPES[shape(field.annotation)])
    if default_text(field):
        parts.append(f"Default: {default_text(field)}.")
    return " ".join(part for part in parts if part)


def type_text(annotation: Any) -> str:
    """Return a type in words, such as 'list of texts'."""
    members = [kind for kind in _members(annotation) if kind is not type(None)]
    if set(members) >= {int, float, str}:
        return "text, number, or true or false" if bool in members else "text or number"
    return " or ".join(_one(kind) for kind in members)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that items of this type are made of."""
    found: list[type[BaseModel]] = []
    for kind in _members(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found.append(kind)
        elif typing.get_origin(kind) is not typing.Literal:
            for inner in typing.get_args(kind):
                found += models_in(inner)
    return found


def limits_text(field: FieldInfo) -> str:
    """Return the bounds of a number, such as '> 0, < 0.5'."""
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    found = [
        f"{sign} {getattr(rule, name):g}"
        for rule in field.metadata
        for name, sign in signs.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(found)


def _members(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _one(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " · ".join(f"`{value}`" for value in inner)
    if origin is list:
        return f"list of {_plural(inner[0])}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{kind.__name__.lower()}](#{kind.__name__.lower()})"
    return _WORDS[origin or kind]


def _plural(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if set(_members(kind)) >= {int, float, str}:
        return "values"
    if len(_members(kind)) > 1:
        return " or ".join(_plural(member) for member in _members(kind))
    word = _one(kind)
    if kind is str:
        return "texts"
    return word.replace("](", "s](", 1) if word.startswith("[") else f"{word}s"
