"""Which rows an expression holds on: a tree of comparisons over the columns of a table, in one pass each."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlci.core.expressions import Expression, is_null_call

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "text", "date", "truth"]
Mask = NDArray[np.bool_]

_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_RECKONED: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


@dataclass(frozen=True, eq=False)
class _Operand:
    """Values of all rows (or one value for all), of one kind, and which rows have none."""

    kind: Kind
    values: Any
    unknown: Any


def holds_on(expression: Expression, table: pd.DataFrame) -> Mask:
    """Return the rows on which an expression is true.

    A comparison with a row that has no value is neither true nor false: `not` leaves it open, `and` and
    `or` decide it only where the other side does (Kleene's logic, as in SQL). Such a row is on no side.
    Raises ValueError where two kinds are compared, such as a text with a number.
    """
    with np.errstate(all="ignore"):
        found = _Evaluation(expression, table).of(expression.tree)
    if found.kind != "truth":
        raise ValueError(f"'{expression.text}' gives a {found.kind}; it must be true or false, so compare it")
    true = np.asarray(found.values, dtype=np.bool_) & ~np.asarray(found.unknown, dtype=np.bool_)
    return np.broadcast_to(true, (len(table),)).copy()


class _Evaluation:
    """Walks the tree of one expression over one table."""

    def __init__(self, expression: Expression, table: pd.DataFrame) -> None:
        self._expression = expression
        self._table = table
        self._columns: dict[str, _Operand] = {}

    def of(self, node: ast.expr) -> _Operand:
        match node:
            case ast.Name(id=name):
                return self._column(name)
            case ast.Constant(value=value):
                return _literal(value)
            case ast.BoolOp(op=op, values=values):
                return self._combined(values, all_of=isinstance(op, ast.And))
            case ast.UnaryOp(op=op, operand=inner):
                return self._unary(op, self.of(inner))
            case ast.BinOp(left=left, op=op, right=right):
                return self._reckoned(self.of(left), op, self.of(right))
            case ast.Compare():
                return self._compared(node)
            case ast.Call(args=[ast.Name(id=name)]) if is_null_call(node):
                return _Operand("truth", self._column(name).unknown, np.False_)
        raise ValueError(f"'{self._expression.text}': a list stands only after `in`")

    def _column(self, name: str) -> _Operand:
        if name not in self._columns:
            column = self._expression.columns[name]
            self._columns[name] = _of_column(self._table[column], column)
        return self._columns[name]

    def _combined(self, nodes: list[ast.expr], *, all_of: bool) -> _Operand:
        sides = [self._truth(self.of(node)) for node in nodes]
        # A side that settles the matter (false for `and`, true for `or`) does so whatever is unknown.
        settled = np.False_
        unknown = np.False_
        for side in sides:
            settled = settled | ((side.values != all_of) & ~side.unknown)
            unknown = unknown | side.unknown
        return _Operand("truth", ~settled if all_of else settled, unknown & ~settled)

    def _unary(self, op: ast.unaryop, inner: _Operand) -> _Operand:
        if isinstance(op, ast.Not):
            inner = self._truth(inner)
            return _Operand("truth", ~inner.values, inner.unknown)
        number = self._number(inner)
        return _Operand(
            "number", -number.values if isinstance(op, ast.USub) else number.values, inner.unknown
        )

    def _reckoned(self, left: _Operand, op: ast.operator, right: _Operand) -> _Operand:
        left, right = self._number(left), self._number(right)
        values = _RECKONED[type(op)](
            np.asarray(left.values, dtype=np.float64), np.asarray(right.values, dtype=np.float64)
        )
        # 0 / 0 has no value, as little as a row without one.
        return _Operand("number", values, left.unknown | right.unknown | np.isnan(values))

    def _compared(self, node: ast.Compare) -> _Operand:
        parts: list[_Operand] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                found = self._among(self.of(left), right)
                parts.append(found if isinstance(op, ast.In) else self._unary(ast.Not(), found))
            else:
                parts.append(self._pair(self.of(left), _COMPARED[type(op)], self.of(right)))
            left = right
        if len(parts) == 1:
            return parts[0]
        settled, unknown = np.False_, np.False_
        for part in parts:
            settled, unknown = settled | (~part.values & ~part.unknown), unknown | part.unknown
        return _Operand("truth", ~settled, unknown & ~settled)

    def _pair(self, left: _Operand, compare: Callable[[Any, Any], Any], right: _Operand) -> _Operand:
        left, right = self._alike(left, right)
        values = np.asarray(compare(left.values, right.values), dtype=np.bool_)
        return _Operand("truth", values, left.unknown | right.unknown)

    def _among(self, left: _Operand, node: ast.expr) -> _Operand:
        items = getattr(node, "elts", None)
        if items is None:
            raise ValueError(f"'{self._expression.text}': write a list after `in`, such as ['a', 'b']")
        found = _Operand("truth", np.False_, left.unknown)
        for item in items:
            match = self._pair(left, operator.eq, self.of(item))
            found = _Operand("truth", found.values | match.values, found.unknown | match.unknown)
        return found

    def _alike(self, left: _Operand, right: _Operand) -> tuple[_Operand, _Operand]:
        """Return two sides of one kind; a text beside a date is read as a date."""
        if left.kind == right.kind:
            return left, right
        kinds = {left.kind, right.kind}
        if kinds == {"number", "truth"}:
            return self._number(left), self._number(right)
        if kinds == {"date", "text"}:
            return self._date(left), self._date(right)
        if np.all(left.unknown) or np.all(right.unknown):  # a column without any value has no kind
            nothing = _Operand("number", np.int64(0), np.True_)
            return nothing, nothing
        raise ValueError(
            f"'{self._expression.text}' compares a {left.kind} with a {right.kind}; "
            "put quotes around a text and none around a number"
        )

    def _date(self, operand: _Operand) -> _Operand:
        import pandas as pd

        if operand.kind == "date":
            return operand
        try:
            values = pd.to_datetime(operand.values, utc=True)
        except (ValueError, TypeError) as error:
            raise ValueError(f"'{self._expression.text}': a date is written as '2024-01-31'") from error
        moments = np.asarray(values.tz_localize(None).to_numpy())
        return _Operand("date", moments, operand.unknown | np.isnat(moments))

    def _number(self, operand: _Operand) -> _Operand:
        if operand.kind == "number":
            return operand
        if operand.kind == "truth":
            return _Operand("number", np.asarray(operand.values, dtype=np.int8), operand.unknown)
        raise ValueError(f"'{self._expression.text}' reckons with a {operand.kind}; only numbers add up")

    def _truth(self, operand: _Operand) -> _Operand:
        if operand.kind == "truth":
            return operand
        raise ValueError(
            f"'{self._expression.text}' takes a {operand.kind} for true or false; compare it with something"
        )


def _literal(value: Any) -> _Operand:
    if isinstance(value, bool):
        return _Operand("truth", np.bool_(value), np.False_)
    if isinstance(value, str):
        return _Operand("text", value, np.False_)
    # Beyond 64 bits a whole number is compared as the nearest number that a column can hold.
    small = isinstance(value, int) and -(2**63) <= value < 2**63
    number = np.int64(value) if small else np.float64(_as_float(value))
    return _Operand("number", number, np.False_)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _of_column(column: pd.Series, name: str) -> _Operand:
    """Return a column's values with something harmless where it has none."""
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    unknown = column.isna().to_numpy(dtype=np.bool_)
    if is_bool_dtype(column.dtype):
        return _Operand("truth", column.fillna(False).to_numpy(dtype=np.bool_), unknown)
    if is_numeric_dtype(column.dtype):
        filled = column.fillna(0) if unknown.any() else column
        values = filled.to_numpy()
        return _Operand("number", values if values.dtype != object else values.astype(np.float64), unknown)
    if is_datetime64_any_dtype(column.dtype):
        return _Operand("date", _moments(column), unknown)
    return _of_objects(column.to_numpy(dtype=object), unknown, name)


def _of_objects(values: NDArray[Any], unknown: Mask, name: str) -> _Operand:
    import datetime as dt

    import pandas as pd

    known = values[~unknown]
    kinds = {type(value) for value in known}
    if all(issubclass(kind, str) for kind in kinds):
        return _Operand("text", np.where(unknown, "", values), unknown)
    if kinds == {bool}:
        return _Operand("truth", np.where(unknown, False, values).astype(np.bool_), unknown)
    if all(issubclass(kind, dt.date) for kind in kinds):
        return _Operand("date", _moments(pd.to_datetime(pd.Series(values), utc=True)), unknown)
    words = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ValueError(f"column '{name}' holds values of several or unknown kinds ({words})")


def _moments(column: pd.Series) -> NDArray[Any]:
    zone = getattr(column.dt, "tz", None)
    return np.asarray((column.dt.tz_convert("UTC").dt.tz_localize(None) if zone else column).to_numpy())
