"""How a name is written in Python and how in mlci.yaml, and which one was meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

_MOST_LISTED = 30


def kebab(name: str) -> str:
    """Return a Python name as people write it: with hyphens."""
    return name.replace("_", "-")


def nearest(word: str, known: Sequence[str], cutoff: float = 0.6) -> str:
    """Return a hint with the known word nearest to `word`, or the known ones when none is near."""
    near = get_close_matches(word, known, n=1, cutoff=cutoff)
    if near:
        return f"did you mean '{near[0]}'?"
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"known: {', '.join(known[:_MOST_LISTED]) or 'none'}{more}"
