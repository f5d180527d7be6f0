"""An explanation: titled lists of sentences for people, and the same facts for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.names import nearest


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
    hint = nearest(name, known, cutoff=0.4)
    return MlciError("usage", f"the last comparison has no {what} '{name}'", hint)


def signed(value: float) -> str:
    """Return a change with its sign."""
    return f"{value:+.4f}".replace("-", "−")
