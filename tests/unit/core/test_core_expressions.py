"""Expressions are read and never executed: whatever is written, there is a tree or a clear error."""

from __future__ import annotations

import builtins
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.core.expressions import LONGEST, parse

PIECES = st.sampled_from(
    [
        "a", "b", "`c d`", "isnull", "(", ")", "[", "]", "{", "}", ",", ".", ":", " and ", " or ", " not ", " in ",
        "==", "<", ">=", "!=", "+", "-", "*", "**", "/", "//", "%", "1", "2.5", "1e999", "'x'", '"y"', "True", "None",
        "lambda", "__import__", "eval", "exec", "print", " if ", " else ", " for ", ":=", "f'{a}'", "b'x'", "3j", "...",
        "`", "'", "\\", "\n", "\x00", "é", "@", "await ", "yield ", "import os", ";", "#", "~", "&", "|", "is ",
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("distance > 1000 and origin == 'JFK'", ["distance", "origin"]),
        ("`dep delay` >= 2 or not isnull(x)", ["dep delay", "x"]),
        ("1 < a <= b * 2 - c / 3", ["a", "b", "c"]),
        ("city in ['a`b', \"c\"] and city not in ('d',)", ["city"]),
        ("a == 'it\\'s `not` a column'", ["a"]),
        ("column0 > 1 and `column` > 2", ["column0", "column"]),
    ],
)
def test_the_columns_of_an_expression_are_known(text, columns):
    assert sorted(parse(text).columns.values()) == sorted(columns)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 1000 characters"),
        ("a" * (LONGEST + 1), "1 to 1000 characters"),
        ("a >", "invalid syntax"),
        ("1 < 2", "names no column"),
        ("a & b", "write `and`"),
        ("a is None", "isnull(column)"),
        ("a == None", "isnull(column)"),
        ("a.b > 1", "a dot has no meaning"),
        ("len(a) > 1", "only function"),
        ("isnull(a + 1)", "only function"),
        ("a ** 9 > 1", "powers"),
        ("(lambda: a)()", "only function"),
        ("a if b else c", "IfExp is not allowed"),
        ("[x for x in a]", "ListComp is not allowed"),
        ("(a := 3) > 1", "NamedExpr is not allowed"),
        ("f'{a}' == 'x'", "JoinedStr is not allowed"),
        ("a == b'x'", "only numbers and texts"),
        ("`a > 3", "backtick"),
        ("(" * 300 + "a" + ")" * 300 + " > 1", "not understood"),
        ("not " * 200 + "a", "nested too deeply"),
    ],
)
def test_what_is_not_understood_is_said(text, said):
    with pytest.raises(ValueError, match=r".") as caught:
        parse(text)
    assert said in str(caught.value)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text(max_size=60)))
def test_whatever_is_written_there_is_a_tree_or_a_clear_error(text):
    touched = set(sys.modules), set(vars(builtins))
    said = ""
    try:
        columns = parse(text).columns
    except ValueError as error:
        columns, said = {}, str(error)
    assert bool(columns) is not bool(said)
    assert (set(sys.modules), set(vars(builtins))) == touched
