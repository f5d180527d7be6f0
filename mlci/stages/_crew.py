"""The processes that a project's own metrics may be called in, and the limits that their verdicts rest on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import mlci
from mlci.core.gates import Gate
from mlci.process import Piped
from mlci.stats.abreast import cores
from mlci.stats.crew import PROGRAM, Crew
from mlci.stats.stopping import Limit, Stop


def crew() -> Crew:
    """Return a crew of as many processes as this one may use cores, which find mlci where it was found."""
    home = Path(mlci.__file__).resolve().parents[1]
    # -P: a file of the project must not stand in for a module of the standard library.
    argv = [sys.executable, "-P", "-c", PROGRAM, str(home)]
    return Crew(cores(), partial(Piped, argv, cwd=Path.cwd()))


def stop_of(gates: Sequence[Gate], family: int, alpha: float) -> Stop:
    """Return what the verdicts of gates rest on; `family` is how many slices are judged together."""
    limits: dict[str, list[Limit]] = {}
    for gate in gates:
        if not gate.is_budget:
            limits.setdefault(gate.metric, []).extend(_limits(gate))
    return Stop(limits, family, alpha)


def _limits(gate: Gate) -> list[Limit]:
    match gate.kind:
        case "no_worse_than":  # above 0 the word is better
            return [Limit(-gate.limit, relative=gate.relative), Limit(0.0)]
        case "better_by":  # below 0 the word is worse
            return [Limit(gate.limit, relative=gate.relative), Limit(0.0)]
        case _:
            return [Limit(gate.limit, own=True)] if gate.on == "bound" else []
