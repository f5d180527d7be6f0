"""Compares two lists of slices: whether fewer rows are judged on their own than before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from mlci.core.slice_rules import SliceRule, label_of

Effect = Literal["weaker", "stronger", "changed"]


def slices_effect(old: Sequence[Any], new: Sequence[Any]) -> Effect:
    """Return what a change of data.slices does, both as they are written in mlci.yaml.

    Weaker when an entry is gone, or judges fewer values; changed when one is drawn in another way, which
    nobody can weigh without the rows; stronger when there are only more.
    """
    before, after = _by_label(old), _by_label(new)
    effects = {_of_entry(entry, after.get(label)) for label, entry in before.items()}
    for effect in ("weaker", "changed", "stronger"):
        if effect in effects:
            return effect
    return "stronger" if len(after) > len(before) else "changed"


def _of_entry(old: Any, new: Any) -> Effect | None:
    if new is None:
        return "weaker"
    if old == new:
        return None
    if _column(old) != _column(new):
        return "changed"
    was, now = _values(old), _values(new)
    if was is None:
        return "weaker" if now is not None else "changed"
    if now is None:
        return "changed"
    return "weaker" if any(value not in now for value in was) else "stronger"


def _column(entry: Any) -> Any:
    """Return the column whose values are judged one by one; the entry itself for any other kind."""
    if isinstance(entry, str):
        return entry
    return entry["column"] if set(entry) <= {"name", "column", "values"} else entry


def _values(entry: Any) -> list[Any] | None:
    return None if isinstance(entry, str) else entry.get("values")


def _by_label(entries: Sequence[Any]) -> dict[str, Any]:
    return {
        label_of(entry if isinstance(entry, str) else SliceRule.model_validate(entry)): entry
        for entry in entries
    }
