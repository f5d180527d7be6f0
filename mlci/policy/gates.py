"""Compares two lists of gates: which is gone, which is new, and which lets more pass than before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from mlci.core.gates import Gate
from mlci.core.names import kebab
from mlci.core.results import PolicyChange

_KEY = "compare-to-baseline.gates"
_OUTCOMES = {"fail": 2, "warn": 1, "pass": 0}
_LARGER_IS_WEAKER = {"no_worse_than": True, "at_most": True, "better_by": False, "at_least": False}


def gate_changes(before: Any, after: Any) -> list[PolicyChange]:
    """Return the differences between the gates of two `compare-to-baseline` sections."""
    old, new = _without_equal(list(before.gates), list(after.gates))
    found: list[PolicyChange] = []
    for gate in old:
        partner = next(
            (other for other in new if (other.metric, other.kind) == (gate.metric, gate.kind)), None
        )
        if partner is None:
            found.append(_note(gate.metric, "weaker", f"{_rule(gate)} is removed"))
            continue
        new.remove(partner)
        found += [_note(gate.metric, effect, text) for effect, text in _inside(gate, partner)]
    found += [_note(gate.metric, "stronger", f"{_rule(gate)} is new") for gate in new]
    return found


def _without_equal(old: list[Gate], new: list[Gate]) -> tuple[list[Gate], list[Gate]]:
    for gate in list(old):
        if gate in new:
            old.remove(gate)
            new.remove(gate)
    return old, new


def _inside(old: Gate, new: Gate) -> Iterator[tuple[Literal["weaker", "stronger", "changed"], str]]:
    """Yield what differs between two gates of one metric and kind."""
    kind = kebab(old.kind)
    if old.relative != new.relative:
        yield "changed", f"{_rule(old)} → {_rule(new)}"
    elif old.limit != new.limit:
        weaker = (new.limit > old.limit) is _LARGER_IS_WEAKER[old.kind]
        yield "weaker" if weaker else "stronger", f"{kind} {old.limit_text} → {new.limit_text}"
    if old.per_slice != new.per_slice:
        yield (
            _narrower(old.per_slice, new.per_slice),
            f"per-slice {_word(old.per_slice)} → {_word(new.per_slice)}",
        )
    if old.worst_slice != new.worst_slice:
        # Judging the worst slice is in place of all rows, so neither way is plainly weaker.
        on_and_off = bool(old.worst_slice) != bool(new.worst_slice)
        effect = "changed" if on_and_off else _narrower(old.worst_slice, new.worst_slice)
        yield effect, f"worst-slice {_word(old.worst_slice)} → {_word(new.worst_slice)}"
    if old.correction != new.correction:
        # Holm lets fewer slices fail.
        yield (
            ("weaker" if new.correction == "holm" else "stronger"),
            f"correction {old.correction} → {new.correction}",
        )
    if old.advisory != new.advisory:
        yield (
            "weaker" if new.advisory else "stronger",
            f"advisory {_word(old.advisory)} → {_word(new.advisory)}",
        )
    if old.on != new.on:
        yield "weaker" if new.on == "estimate" else "stronger", f"on {old.on} → {new.on}"
    if old.on_inconclusive != new.on_inconclusive:
        yield (
            _milder(old.on_inconclusive, new.on_inconclusive),
            (f"on-inconclusive {old.on_inconclusive or 'default'} → {new.on_inconclusive or 'default'}"),
        )


def _milder(old: str | None, new: str | None) -> Literal["weaker", "stronger", "changed"]:
    if old is None or new is None:
        return "changed"
    return "weaker" if _OUTCOMES[new] < _OUTCOMES[old] else "stronger"


def _note(metric: str, effect: Literal["weaker", "stronger", "changed"], text: str) -> PolicyChange:
    return PolicyChange(key=f"{_KEY}.{metric}", effect=effect, message=text)


def _rule(gate: Gate) -> str:
    return f"{kebab(gate.kind)} {gate.limit_text}{' of the baseline' if gate.relative else ''}"


def _narrower(old: bool | list[str], new: bool | list[str]) -> Literal["weaker", "stronger", "changed"]:
    """Return what another choice of slices does: true is all of them, false is none."""
    if isinstance(old, list) and isinstance(new, list):
        if set(old) == set(new):
            return "changed"
        return "weaker" if set(old) - set(new) else "stronger"
    return "weaker" if _breadth(new) < _breadth(old) else "stronger"


def _breadth(chosen: bool | list[str]) -> int:
    return 1 if isinstance(chosen, list) else 2 * chosen


def _word(chosen: bool | list[str]) -> str:
    return ", ".join(chosen) if isinstance(chosen, list) else "true" if chosen else "false"
