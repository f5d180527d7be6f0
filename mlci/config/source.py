"""Reads YAML 1.2 values together with the line that each one stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


_KNOWN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "map", "seq", "merge")
}
_DEEPEST = 50
_MOST_KEYS = 50_000


def _whole_number(loader: yaml.SafeLoader, node: yaml.Node) -> int:
    text = str(loader.construct_scalar(node))  # type: ignore[arg-type] # the resolver gives scalars only
    # YAML 1.1 reads 010 as eight; version 1.2 and people read ten.
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


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
    """Return the value of YAML text, and the line (from 1) of each dotted key.

    Raises MlciError `config.unreadable`.
    """
    lines: dict[str, int] = {}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None, lines
            _note_lines(node, "", lines, origin, depth=0)
            return loader.construct_document(node), lines
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, KeyError, RecursionError) as error:
        # A tag that contradicts its text (`!!int x`) leaves PyYAML as a plain ValueError or KeyError.
        raise MlciError(
            "config.unreadable", _explain(error, origin), "check indentation, quotes and brackets"
        ) from error


def _note_lines(node: yaml.Node, prefix: str, lines: dict[str, int], origin: str, *, depth: int) -> None:
    line = node.start_mark.line + 1
    if node.tag not in _KNOWN_TAGS:
        raise MlciError(
            "config.unreadable", f"tag {node.tag} in {origin} (line {line}) is not known", "leave it out"
        )
    if depth > _DEEPEST or len(lines) > _MOST_KEYS:  # aliases inside aliases may have no end
        raise MlciError(
            "config.unreadable", f"{origin} (line {line}) is nested too deeply or too large", "flatten it"
        )
    if isinstance(node, yaml.MappingNode):
        for name, key, value in _named(node, prefix, origin):
            lines[name] = key.start_mark.line + 1
            _note_lines(value, name, lines, origin, depth=depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[f"{prefix}.{index}"] = item.start_mark.line + 1
            _note_lines(item, f"{prefix}.{index}", lines, origin, depth=depth + 1)


def _named(
    node: yaml.MappingNode, prefix: str, origin: str
) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
    """Yield the dotted name, the key and the value of each entry of a mapping."""
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag not in _KNOWN_TAGS:
            raise MlciError(
                "config.unreadable", f"a key in {origin} (line {line}) is not text", "write KEY: VALUE"
            )
        name = f"{prefix}.{key.value}" if prefix else str(key.value)
        if key.value in seen:
            raise MlciError(
                "config.unreadable",
                f"key '{name}' stands twice in {origin} (line {line})",
                "keep one of them",
            )
        seen.add(key.value)
        yield name, key, value


def _explain(error: Exception, origin: str) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{origin}, line {error.problem_mark.line + 1}: {error.problem}"
    return f"{origin} is not valid YAML"
