"""Reads YAML 1.2 values together with the line that each one stands on."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from mlci.core.errors import MlciError


class _Loader(yaml.SafeLoader):
    """YAML with the scalars of version 1.2: `no` is text, 1e-3 is a number, a date is text."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def _whole_number(loader: yaml.SafeLoader, node: yaml.Node) -> int:
    # YAML 1.1 reads 010 as eight; version 1.2 and people read ten.
    return int(loader.construct_scalar(node))  # type: ignore[arg-type] # the resolver gives scalars only


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def parse_text(text: str, origin: str) -> Any:
    """Return the value of YAML text; raises MlciError `config.unreadable`."""
    return read_yaml(text, origin)[0]


def read_file(path: Path) -> tuple[Any, dict[str, int]]:
    """Return a YAML file's value, and the line (from 1) of each dotted key.

    Raises MlciError `config.unreadable`.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise MlciError("config.unreadable", f"{path.name} is not UTF-8 text", "save it as UTF-8") from error
    return read_yaml(text, path.name)


def read_yaml(text: str, origin: str) -> tuple[Any, dict[str, int]]:
    """Return the value of YAML text, and the line (from 1) of each dotted key."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[str, int] = {}
        if node is None:
            return None, lines
        _note_lines(node, "", lines, origin)
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        raise MlciError(
            "config.unreadable", _explain(error, origin), "check indentation, quotes and brackets"
        ) from error
    finally:
        loader.dispose()


def _note_lines(node: yaml.Node, prefix: str, lines: dict[str, int], origin: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key, value in node.value:
            name = f"{prefix}.{key.value}" if prefix else str(key.value)
            if key.value in seen:
                raise MlciError(
                    "config.unreadable",
                    f"key '{name}' stands twice in {origin} (line {key.start_mark.line + 1})",
                    "keep one of them",
                )
            seen.add(key.value)
            lines[name] = key.start_mark.line + 1
            _note_lines(value, name, lines, origin)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[f"{prefix}.{index}"] = item.start_mark.line + 1
            _note_lines(item, f"{prefix}.{index}", lines, origin)


def _explain(error: yaml.YAMLError, origin: str) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{origin}, line {error.problem_mark.line + 1}: {error.problem}"
    return f"{origin} is not valid YAML"
