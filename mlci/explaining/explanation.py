"""An explanation: titled lists of sentences for people, and the same facts for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from mlci.core.errors import MlciError


@dataclass(frozen=True)
class Explanation:
    """What is said about one gate or slice. `parts` are titles with their sentences."""

    title: str
    parts: Sequence[tuple[str, Sequence[str]]]
    facts: Mapping[str, Any] = field(default_factory=dict)


def as_text(explanations: Sequence[Explanation]) -> str:
    """Return explanations as plain text."""
    lines: list[str] = []
    for each in explanations:
        lines += ["", each.title] if lines else [each.title]
        for title, sentences in each.parts:
            if sentences:
                lines += [f"{title}:", *(f"  {sentence}" for sentence in sentences)]
    return "\n".join(lines)


def unknown(what: str, name: str, known: Sequence[str]) -> MlciError:
    """Return the error for a name that there is not, with the nearest that there is."""
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {listed or 'none'}"
    return MlciError("usage", f"the last comparison has no {what} '{name}'", hint)


def signed(value: float) -> str:
    """Return a change with its sign."""
    return f"{value:+.4f}".replace("-", "−")
