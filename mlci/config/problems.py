"""Turns pydantic's findings into errors that name the key, the line and the way out."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from mlci.core import names
from mlci.core.errors import MlciError
from mlci.core.inputs import Inputs, fields_of


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a hint with the known key nearest to `word`, however it was written."""
    return names.nearest(names.kebab(word.lower()), known)


def invalid(
    section: str, inputs: type[Inputs], error: ValidationError, origin: Callable[[str], str]
) -> MlciError:
    """Return the error for a section; `origin` tells where a dotted key was set."""
    problems = [_problem(section, inputs, item, origin) for item in error.errors()]
    first = problems[0]
    also = "".join(f"\nalso: {problem.message}" for problem in problems[1:])
    return MlciError(first.code, first.message + also, first.hint)


def _problem(section: str, inputs: type[Inputs], item: Any, origin: Callable[[str], str]) -> MlciError:
    location = [str(part) for part in item["loc"] if not _is_branch(part)]
    key = ".".join([section, *location])
    if item["type"] == "extra_forbidden":
        parent = ".".join([section, *location[:-1]])
        known = list(fields_of(_model_at(inputs, location[:-1])))
        return MlciError(
            "config.unknown-key",
            f"unknown key '{location[-1]}' in '{parent}' of {origin(key)}",
            nearest(location[-1], known),
        )
    if item["type"] == "missing":
        return MlciError("config.invalid", f"'{key}' is missing in {origin(key)}", f"add {location[-1]}")
    value = item.get("input")
    shown = "" if isinstance(value, dict | list) or value is None else f" {value!r}"
    text = item["msg"].removeprefix("Value error, ")
    return MlciError(
        "config.invalid",
        f"'{key}':{shown} {text[:1].lower()}{text[1:]} ({origin(key)})",
        f"see `mlci explain {section}.{location[0]}`" if location else "",
    )


def _is_branch(part: object) -> bool:
    """Return whether pydantic put the name of a union's branch into a location."""
    return isinstance(part, str) and (part in ("str", "int", "float", "bool") or "[" in part)


def _model_at(inputs: type[Inputs], location: Sequence[str]) -> type[Inputs]:
    model = inputs
    for part in location:
        if part.isdigit():
            continue
        field = fields_of(model).get(part)
        inner = _models_in(field.annotation) if field is not None else []
        if not inner:
            return model
        model = inner[0]
    return model


def _models_in(annotation: Any) -> list[type[Inputs]]:
    if isinstance(annotation, type) and issubclass(annotation, Inputs):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models_in(part)]
