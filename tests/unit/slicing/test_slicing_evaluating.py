"""Expressions over a table, against a row-by-row evaluation in plain Python with three truth values."""

from __future__ import annotations

import ast
import operator

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlci.core.expressions import parse
from mlci.slicing.evaluating import holds_on

TABLE = pd.DataFrame(
    {
        "n": [1.0, 2.0, np.nan, 4.0, -1.0, 0.0],
        "m": pd.array([3, None, 1, 4, 0, 2], dtype="Int64"),
        "t": ["x", "y", None, "x", "z", "y"],
        "f": pd.array([True, False, None, True, None, False], dtype="boolean"),
    }
)
COMPARED = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge
}  # fmt: skip

NUMBERS = st.sampled_from(["n", "m", "1", "2.5", "(n + m)", "(m - 1)", "(n * 2)", "(n / m)"])
TEXTS = st.sampled_from(["t", "'x'", "'y'"])
ATOMS = st.one_of(
    st.tuples(NUMBERS, st.sampled_from(list(COMPARED)), NUMBERS).map(" ".join),
    st.tuples(TEXTS, st.sampled_from(list(COMPARED)), TEXTS).map(" ".join),
    st.sampled_from(["f", "isnull(n)", "isnull(t)", "t in ['x', 'z']", "n not in [1, 4]", "0 < n <= m"]),
)
RULES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda parts: f"({''.join(parts)})"),
    ),
    max_leaves=6,
)


def by_row(node, row):
    """Return the value of a node on one row; None for unknown."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return row[name]
        case ast.Call(args=[ast.Name(id=name)]):
            return row[name] is None
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            value = by_row(inner, row)
            return None if value is None else not value
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            value = by_row(inner, row)
            return None if value is None else -value
        case ast.BoolOp(op=op, values=values):
            found = [by_row(value, row) for value in values]
            settling = isinstance(op, ast.Or)
            return settling if settling in found else None if None in found else not settling
        case ast.BinOp(left=left, op=op, right=right):
            return reckoned(by_row(left, row), op, by_row(right, row))
        case ast.Compare(left=left, ops=ops, comparators=rights):
            found = []
            for op, right in zip(ops, rights, strict=True):
                found.append(compared(by_row(left, row), op, right, row))
                left = right
            return False if False in found else None if None in found else True
    raise AssertionError(node)


def reckoned(left, op, right):
    if left is None or right is None:
        return None
    with np.errstate(all="ignore"):
        names = {
            ast.Add: operator.add,
            ast.Sub: operator.sub,
            ast.Mult: operator.mul,
            ast.Div: operator.truediv,
        }
        value = names[type(op)](np.float64(left), np.float64(right))
    return None if np.isnan(value) else value


def compared(left, op, right, row):
    if isinstance(op, ast.In | ast.NotIn):
        if left is None:
            return None
        return (left in [item.value for item in right.elts]) is isinstance(op, ast.In)
    other = by_row(right, row)
    if left is None or other is None:
        return None
    signs = dict(zip((ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE), COMPARED.values(), strict=True))
    return bool(signs[type(op)](left, other))


@settings(max_examples=300, deadline=None)
@given(RULES)
def test_rows_are_chosen_as_one_by_one(text):
    assume(any(isinstance(node, ast.Name) and node.id != "isnull" for node in ast.walk(ast.parse(text))))
    expression = parse(text)
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in TABLE.astype(object).to_dict("records")
    ]
    expected = [by_row(expression.tree, row) is True for row in rows]
    assert holds_on(expression, TABLE).tolist() == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t > 3", "compares a text with a number"),
        ("n", "true or false"),
        ("n and f", "takes a number for true or false"),
        ("t + 1 > 2", "only numbers add up"),
        ("n in 3", "write a list after `in`"),
        ("n == [1, 2]", "only after `in`"),
        ("t in [1]", "compares a text with a number"),
        ("mixed == 'a'", "several or unknown kinds"),
        ("day > 'soon'", "a date is written as"),
    ],
)
def test_kinds_that_do_not_go_together_are_refused(text, said):
    table = TABLE.assign(mixed=["a", 1, None, "b", 2, "c"], day=pd.date_range("2024-01-01", periods=6))
    with pytest.raises(ValueError, match=r".") as caught:
        holds_on(parse(text), table)
    assert said in str(caught.value)


def test_dates_large_numbers_and_empty_columns():
    table = pd.DataFrame(
        {
            "day": pd.to_datetime(["2024-01-01", "2024-02-01", None], utc=True),
            "id": [2**53, 2**53 + 1, 2**53 + 2],
            "none": [None, None, None],
        }
    )
    assert holds_on(parse("day >= '2024-02-01'"), table).tolist() == [False, True, False]
    assert holds_on(parse(f"id == {2**53 + 1}"), table).tolist() == [False, True, False]
    assert holds_on(parse(f"id < {10**40}"), table).tolist() == [True, True, True]
    assert holds_on(parse("none > 3 or id > 0"), table).tolist() == [True, True, True]
    assert holds_on(parse("none == 'a' or not none == 'a'"), table).tolist() == [False, False, False]
