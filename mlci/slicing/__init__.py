"""Slices: entries of data.slices and a table in, and which rows belong to which slice out."""

from __future__ import annotations

from mlci.slicing.columns import MOST_SLICES, Sliced, check_columns, sizes, sliced

__all__ = ["MOST_SLICES", "Sliced", "check_columns", "sizes", "sliced"]
