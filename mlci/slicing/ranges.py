"""Ranges of a number: where they end, and how they are called."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOVED = 0.01
"""Share of the rows that may change sides so that an edge can be read."""


def quantile_edges(values: Floats, bins: int) -> list[float]:
    """Return where `bins` ranges of about equally many values meet, rounded as far as hardly a row moves.

    Fewer edges come back where values repeat so often that edges fall together: each range holds at least
    one value. `values` holds no NaN.
    """
    ordered = np.sort(values)
    if not len(ordered):
        return []
    # The smallest value above the cut, so that equal values are never torn apart.
    places = (np.arange(1, bins) * len(ordered)) // bins
    edges = [_readable(float(edge), ordered) for edge in ordered[places]]
    edges = [edge for edge in dict.fromkeys(edges) if ordered[0] < edge <= ordered[-1]]
    return [edge for edge, filled in zip(edges, _filled(ordered, edges), strict=True) if filled]


def range_names(column: str, edges: Sequence[float]) -> list[str]:
    """Return the name of each range between edges: from one edge on, to below the next."""
    if not edges:
        return [f"{column}=(any)"]
    texts = [_text(edge) for edge in edges]
    middle = [f"{column}={low}..{high}" for low, high in itertools.pairwise(texts)]
    return [f"{column}<{texts[0]}", *middle, f"{column}>={texts[-1]}"]


def _readable(edge: float, ordered: Floats) -> float:
    """Return the edge with the fewest digits that leave almost every row on its side."""
    if not np.isfinite(edge):
        return edge
    below = np.searchsorted(ordered, edge)
    for digits in range(1, 17):
        rounded = float(f"{edge:.{digits}g}")
        if abs(int(np.searchsorted(ordered, rounded)) - int(below)) <= _MOVED * len(ordered):
            return rounded
    return edge


def _filled(ordered: Floats, edges: Sequence[float]) -> list[bool]:
    """Return for each edge whether a value lies between the edge before it and it."""
    starts = np.searchsorted(ordered, edges)
    return [bool(count > 0) for count in np.diff(starts, prepend=0)]


def _text(edge: float) -> str:
    return f"{edge:.17g}" if float(f"{edge:.15g}") != edge else f"{edge:.15g}"
