"""Judges many simulated changes by one policy: equally good ones, and ones that are worse by the margin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError
from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.core.results import Check
from mlci.core.status import Status, severity
from mlci.predictions.scores import PREFIX
from mlci.slicing import sliced
from mlci.stages._gate_checks import name_of
from mlci.stages._simulated_harm import UNCLEAR, Harm, SliceHarm, by_gate, numbered, overall
from mlci.stats import audit
from mlci.stats.audit import Rate
from mlci.stats.names import by_others

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlci.stages.compare_to_baseline import CompareInputs

_RESAMPLES = 200
"""Resamples in a round, for metrics without a closed form; a round is one of hundreds."""
_SECONDS = 5.0
"""How often a long simulation says how far it is."""


@dataclass(frozen=True)
class GateAudit:
    """How one gate did: over equally good models, and over ones that are worse by its margin.

    `alarm` counts rounds in which it (or one of its slices) would have blocked, `unclear` those without
    an answer on all rows, `point` those that a gate `new >= old` would have rejected, and `false_pass`
    those in which a model passed that is worse by exactly the margin; `problem` says why there is none.
    `slices` says the same of harm in one slice only.
    """

    gate: str
    blocking: bool
    kind: str
    alarm: Rate
    unclear: Rate
    point: Rate | None
    false_pass: Rate | None
    problem: str | None = None
    slices: tuple[SliceHarm, ...] = ()


@dataclass(frozen=True)
class PolicyAudit:
    """How a whole policy did over equally good models, and each of its gates.

    `left_out` names the gates that are not simulated, and why.
    """

    rows: int
    rounds: int
    alarm: Rate
    unclear: Rate
    gates: tuple[GateAudit, ...]
    left_out: tuple[tuple[str, str], ...] = ()


class Auditor:
    """Simulates changes from the answers that two models gave to the same rows."""

    def __init__(
        self,
        inputs: CompareInputs,
        data: DataInputs,
        tables: tuple[pd.DataFrame, pd.DataFrame],
        rounds: int,
        say: Callable[[str], None],
    ) -> None:
        """`tables` are candidate and baseline, row by row; raises MlciError when their answers are equal."""
        gates = [gate for gate in inputs.gates if not _why_left_out(gate)]
        self._left_out = tuple(
            (name_of(gate, None), why) for gate in inputs.gates if (why := _why_left_out(gate))
        )
        resamples = max(_RESAMPLES, round(4 / inputs.alpha))
        self._inputs = inputs.model_copy(update={"gates": gates, "resamples": resamples})
        self._data = data
        self._rounds = rounds
        self._say = say
        self._rows, self._answers = _answers(tables, data)
        if not gates:
            raise MlciError("config.no-gates", "no gate is on a metric of mlci's own", "`mlci list metrics`")
        if all((one == other).all() for one, other in self._answers.values()):
            raise MlciError(
                "baseline.not-comparable",
                "candidate and baseline give the same answers on all rows, so there is nothing to exchange",
                "name another --set compare-to-baseline.baseline, such as git:HEAD~1 or an earlier version",
            )
        self._unit = data.group or data.query
        self._groups = numbered(self._rows[self._unit]) if self._unit else None
        self._slices = sliced(data.slices, self._rows)

    def audit(self) -> PolicyAudit:
        """Return what came of all rounds; raises MlciError for a metric that does not fit these models."""
        gates = list(self._inputs.gates)
        seen = [self._equal(number) for number in self._counted("equally good models")]
        blocked = [[_blocks(checks) for checks in one] for one in seen]
        unclear = [[_is_unclear(checks) for checks in one] for one in seen]
        counts = [not gate.advisory and gate.kind != "better_by" for gate in gates]
        found = []
        candidate, baseline = (
            self._rows.assign(**{name: pair[side] for name, pair in self._answers.items()}) for side in (0, 1)
        )
        harm = Harm(self._inputs, self._data, (candidate, baseline), self._counted, self._chance)
        for index, gate in enumerate(gates):
            losses = [_loses(one[index]) for one in seen]
            false_pass, problem = harm.on_all(gate)
            found.append(
                GateAudit(
                    gate=name_of(gate, None),
                    blocking=counts[index],
                    kind=gate.kind,
                    alarm=audit.rate([line[index] for line in blocked]),
                    unclear=audit.rate([line[index] for line in unclear]),
                    point=audit.rate(losses) if gate.needs_baseline else None,
                    false_pass=false_pass,
                    problem=problem,
                    slices=harm.on_slices(gate, self._slices),
                )
            )
        return PolicyAudit(
            rows=len(self._rows),
            rounds=self._rounds,
            alarm=audit.rate([any(compress(line, counts)) for line in blocked]),
            unclear=audit.rate([any(line) for line in unclear]),
            gates=tuple(found),
            left_out=self._left_out,
        )

    def _counted(self, what: str) -> Iterator[int]:
        """Yield the numbers of the rounds, and say every few seconds how far it is."""
        told = 0.0
        for number in range(self._rounds):
            if time.monotonic() - told > _SECONDS:
                told = time.monotonic()
                self._say(f"{what}: round {number:,} of {self._rounds:,}")
            yield number

    def _equal(self, number: int) -> list[list[Check]]:
        """Return the checks of each gate when the models change places on half of the rows."""
        import numpy as np

        mask = audit.exchanged(len(self._rows), self._groups, self._chance(number))
        pairs = {name: (np.where(mask, b, a), np.where(mask, a, b)) for name, (a, b) in self._answers.items()}
        candidate, baseline = (
            self._rows.assign(**{name: pair[side] for name, pair in pairs.items()}) for side in (0, 1)
        )
        return by_gate(self._inputs, self._data, self._slices, (candidate, baseline))

    def _chance(self, number: int) -> np.random.Generator:
        """Return the random numbers of one round: the same ones whatever came before."""
        import numpy as np

        return np.random.default_rng([self._inputs.seed, number])


def _answers(
    tables: tuple[pd.DataFrame, pd.DataFrame], data: DataInputs
) -> tuple[pd.DataFrame, dict[str, tuple[NDArray[Any], NDArray[Any]]]]:
    """Return the rows without answers, and for each column of answers those of both models."""
    import numpy as np

    known = {"prediction", *(f"prediction_{label}" for label in data.labels)}
    given = [name for table in tables for name in table.columns if name in known or name.startswith(PREFIX)]
    pairs = {
        name: tuple(t[name].to_numpy() if name in t.columns else np.zeros(len(t)) for t in tables)
        for name in dict.fromkeys(given)
    }
    rows = tables[0].drop(columns=[name for name in given if name in tables[0].columns])
    return rows, {name: (pair[0], pair[1]) for name, pair in pairs.items()}


def _why_left_out(gate: Gate) -> str | None:
    """Return why a gate is not simulated; None for one that is."""
    if gate.is_budget:
        return "left out, as a budget is measured on models and not on their answers"
    if by_others(gate.metric):
        return "left out, as a metric that others wrote is called for each resample of each round"
    return None


def _blocks(checks: list[Check]) -> bool:
    return any(severity(check.status) >= severity(Status.FAILED) for check in checks)


def _is_unclear(checks: list[Check]) -> bool:
    return overall(checks).word in UNCLEAR


def _loses(checks: list[Check]) -> bool:
    """Return whether a gate that asks for `new >= old` would have said no."""
    metric = overall(checks).metric
    if metric is None or metric.delta is None:
        return False
    return metric.delta < 0 if metric.direction == "higher" else metric.delta > 0
