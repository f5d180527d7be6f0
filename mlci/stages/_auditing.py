"""Judges many simulated changes by one policy: equally good ones, and ones that are worse by the margin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError
from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.core.results import Check
from mlci.core.status import Status, severity
from mlci.predictions import known_classes, scores_of
from mlci.predictions.scores import PREFIX
from mlci.slicing import Sliced, sliced
from mlci.stages._gate_checks import name_of
from mlci.stages._judging import Judge
from mlci.stats import audit
from mlci.stats.audit import Rate
from mlci.stats.names import named_columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlci.stages.compare_to_baseline import CompareInputs

_RESAMPLES = 200
"""Resamples in a round, for metrics without a closed form; a round is one of hundreds."""
_SECONDS = 5.0
"""How often a long simulation says how far it is."""
_UNCLEAR = ("unclear", "too few rows")


@dataclass(frozen=True)
class GateAudit:
    """How one gate did: over equally good models, and over ones that are worse by its margin.

    `alarm` counts rounds in which it (or one of its slices) would have blocked, `unclear` those without
    an answer on all rows, `point` those that a gate `new >= old` would have rejected, and `false_pass`
    those in which a model passed that is worse by exactly the margin; `problem` says why there is none.
    """

    gate: str
    blocking: bool
    kind: str
    alarm: Rate
    unclear: Rate
    point: Rate | None
    false_pass: Rate | None
    problem: str | None = None


@dataclass(frozen=True)
class PolicyAudit:
    """How a whole policy did over equally good models, and each of its gates.

    `left_out` names gates on metrics that others wrote: they would be called for each resample of
    each round.
    """

    rows: int
    rounds: int
    alarm: Rate
    unclear: Rate
    gates: tuple[GateAudit, ...]
    left_out: tuple[str, ...] = ()


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
        gates = [gate for gate in inputs.gates if ":" not in gate.metric and not gate.is_budget]
        self._left_out = tuple(name_of(gate, None) for gate in inputs.gates if ":" in gate.metric)
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
        self._groups = _numbered(self._rows[self._unit]) if self._unit else None
        self._slices = sliced(data.slices, self._rows)

    def audit(self) -> PolicyAudit:
        """Return what came of all rounds; raises MlciError for a metric that does not fit these models."""
        gates = list(self._inputs.gates)
        seen = [self._equal(number) for number in self._counted("equally good models")]
        blocked = [[_blocks(checks) for checks in one] for one in seen]
        unclear = [[_is_unclear(checks) for checks in one] for one in seen]
        counts = [not gate.advisory and gate.kind != "better_by" for gate in gates]
        found = []
        for index, gate in enumerate(gates):
            losses = [_loses(one[index]) for one in seen]
            false_pass, problem = self._at_the_margin(gate)
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
        return _by_gate(self._inputs, self._data, self._slices, (candidate, baseline))

    def _at_the_margin(self, gate: Gate) -> tuple[Rate | None, str | None]:
        """Return how often a gate lets pass what is worse by exactly its margin; else why nobody knows."""
        if gate.kind != "no_worse_than":
            return None, None
        candidate, baseline = (
            self._rows.assign(**{name: pair[side] for name, pair in self._answers.items()}) for side in (0, 1)
        )
        classes = known_classes([candidate, baseline], self._data)
        extra = named_columns([gate.metric])
        scores = [scores_of(table, self._data, classes, extra) for table in (baseline, candidate)]
        population = audit.worse_by(
            gate.metric, scores[0], scores[1], gate.limit, relative=gate.relative, groups=self._groups
        )
        if isinstance(population, str):
            return None, population
        alone = self._inputs.model_copy(
            update={"gates": [gate.model_copy(update={"per_slice": False, "worst_slice": False})]}
        )
        passed = []
        for number in self._counted(f"{gate.metric} worse by {gate.limit:g}"):
            rows, groups = audit.drawn(population, self._groups, self._chance(number))
            tables = [table.take(rows) for table in (candidate, baseline)]
            if groups is not None and self._unit:
                tables = [table.assign(**{self._unit: groups}) for table in tables]
            passed.append(_passes(_by_gate(alone, self._data, [], (tables[0], tables[1]))[0]))
        return audit.rate(passed), None

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


def _numbered(groups: pd.Series) -> NDArray[np.intp]:
    from mlci.stats.tally import group_numbers

    return group_numbers(groups.to_numpy())[0]


def _by_gate(
    inputs: CompareInputs,
    data: DataInputs,
    slices: Sequence[Sliced],
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> list[list[Check]]:
    """Return the checks of each gate; a check tells its gate by the key that it was set with."""
    checks = Judge(inputs, data, slices, lambda key: key).judge(*tables, identical=False)
    keys = [f"compare-to-baseline.gates.{number}" for number in range(len(inputs.gates))]
    return [[check for check in checks if check.where == key] for key in keys]


def _blocks(checks: list[Check]) -> bool:
    return any(severity(check.status) >= severity(Status.FAILED) for check in checks)


def _overall(checks: list[Check]) -> Check:
    judged = [check for check in checks if check.metric is not None]
    return next((check for check in judged if check.slice is None), judged[0])


def _is_unclear(checks: list[Check]) -> bool:
    return _overall(checks).word in _UNCLEAR


def _passes(checks: list[Check]) -> bool:
    check = _overall(checks)
    return check.status is Status.PASSED and check.word not in _UNCLEAR


def _loses(checks: list[Check]) -> bool:
    """Return whether a gate that asks for `new >= old` would have said no."""
    metric = _overall(checks).metric
    if metric is None or metric.delta is None:
        return False
    return metric.delta < 0 if metric.direction == "higher" else metric.delta > 0
