"""Expressions over columns, such as `distance > 1000 and origin == 'JFK'`: read into a tree, never executed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST = 1000
"""Characters of an expression; more is a table, not a rule."""
_DEEPEST = 40
_QUOTES = "'\""
_IS_NULL = "isnull"
_NODES = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.BinOp, ast.Add, ast.Sub,
    ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt,
    ast.GtE, ast.In, ast.NotIn, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple, ast.Set,
)  # fmt: skip
_INSTEAD = {
    ast.BitAnd: "write `and`, not `&`",
    ast.BitOr: "write `or`, not `|`",
    ast.Invert: "write `not`, not `~`",
    ast.Is: "write `isnull(column)` to ask for rows without a value, and `==` to compare",
    ast.IsNot: "write `not isnull(column)` to ask for rows with a value, and `!=` to compare",
    ast.Attribute: "a dot has no meaning here; write a column with other signs in `backticks`",
    ast.Call: "isnull(column) is the only function",
    ast.Pow: "powers are not known",
}


@dataclass(frozen=True)
class Expression:
    """A tree of comparisons, and the columns that stand in it.

    `columns` maps the names in the tree to columns of the file: they differ where a column was written
    in backticks.
    """

    text: str
    tree: ast.expr = field(repr=False, compare=False)
    columns: dict[str, str] = field(compare=False)


def parse(text: str) -> Expression:
    """Return the tree of an expression.

    Allowed are comparisons, `and`, `or`, `not`, `in`, arithmetic, numbers, texts, True, False, columns
    (any name in backticks) and `isnull(column)`. Nothing is looked up or called. Raises ValueError, which
    says what is not understood, for anything else.
    """
    if not text.strip() or len(text) > LONGEST:
        raise ValueError(f"an expression has 1 to {LONGEST} characters, not {len(text.strip())}")
    plain, quoted = _without_backticks(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of odd escapes, which are no matter here
            tree = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        found = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ValueError(f"'{_shown(text)}' is not understood: {found}") from error
    names = _checked(tree, text)
    if not names:
        raise ValueError(f"'{_shown(text)}' names no column")
    return Expression(text, tree, {name: quoted.get(name, name) for name in names})


def _without_backticks(text: str) -> tuple[str, dict[str, str]]:
    """Return the text with a plain name in place of each name in backticks, and what these stand for."""
    stem = "column"
    while stem in text:
        stem += "_"
    found: dict[str, str] = {}
    parts: list[str] = []
    quote, place = "", 0
    while place < len(text):
        letter = text[place]
        if not quote and letter == "`":
            end = text.find("`", place + 1)
            if end <= place + 1:
                raise ValueError(f"'{_shown(text)}' has a backtick without a name and a second one")
            name = text[place + 1 : end]
            found.setdefault(name, f"{stem}{len(found)}")
            parts.append(f" {found[name]} ")
            place = end + 1
            continue
        if quote and letter == "\\":
            parts.append(text[place : place + 2])
            place += 2
            continue
        if letter in _QUOTES:
            quote = "" if quote == letter else quote or letter
        parts.append(letter)
        place += 1
    return "".join(parts), {plain: name for name, plain in found.items()}


def _checked(tree: ast.expr, text: str) -> list[str]:
    """Return the names in a tree, in their order; raises ValueError for what is not allowed."""
    names: dict[str, None] = {}
    for node, depth in _nodes(tree):
        if depth > _DEEPEST:
            raise ValueError(f"'{_shown(text)}' is not understood: it is nested too deeply")
        if isinstance(node, ast.Name):
            names.setdefault(node.id)
        elif not isinstance(node, _NODES) and not is_null_call(node):
            kind = type(node)
            hint = _INSTEAD.get(kind, f"{kind.__name__} is not allowed")
            raise ValueError(f"'{_shown(text)}' is not understood: {hint}")
        if isinstance(node, ast.Constant) and type(node.value) not in (bool, int, float, str):
            hint = "write isnull(column)" if node.value is None else "only numbers and texts are values"
            raise ValueError(f"'{_shown(text)}' is not understood: {hint}")
    return list(names)


def is_null_call(node: ast.AST) -> bool:
    """Return whether a node is isnull(column)."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == _IS_NULL
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Name)
        and not node.keywords
    )


def _nodes(tree: ast.expr) -> Iterator[tuple[ast.AST, int]]:
    """Yield all nodes with their depth, from left to right; the name of a function is no column."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        inside = (
            node.args if isinstance(node, ast.Call) and is_null_call(node) else ast.iter_child_nodes(node)
        )
        waiting += [(child, depth + 1) for child in reversed(list(inside))]


def _shown(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
