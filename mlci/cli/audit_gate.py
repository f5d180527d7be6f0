"""mlci audit-gate: how often this policy would be wrong, simulated on the project's own predictions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlci.cli import options
from mlci.cli._policy_questions import asked_policy, harmless_text, table
from mlci.core.errors import MlciError

if TYPE_CHECKING:
    from mlci.stages._auditing import GateAudit, PolicyAudit
    from mlci.stats.audit import Rate


_MOST_NOTES = 5


def audit_gate(
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    out: options.OutOption = None,
    rounds: Annotated[
        int, typer.Option("--rounds", min=20, help="Simulated changes of each kind.", metavar="NUMBER")
    ] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: options.DebugOption = False,
) -> None:
    """Simulate changes on your own predictions: how often the gates stop a good one or pass a worse one."""
    from mlci.stages._auditing import Auditor
    from mlci.stages._both_models import both_models

    options.set_debug(debug)
    with asked_policy(config, set_, out, quiet=as_json) as (inputs, context):
        if not inputs.gates:
            raise MlciError(
                "config.no-gates", "compare-to-baseline has no gate to audit", "add one to mlci.yaml"
            )
        models = both_models(inputs, context)
        if models.candidate is None or models.baseline is None:
            raise models.problems[0]
        tables = models.candidate, models.baseline
        found = Auditor(inputs, context.data, tables, rounds, context.say).audit()
    if as_json:
        typer.echo(_json(found, models.label, inputs.alpha))
        return
    typer.echo(harmless_text(_text(found, models.label, inputs.alpha)))


def _json(found: PolicyAudit, label: str, alpha: float) -> str:
    from mlci.reporters._escape import harmless_json

    gates = [
        {
            "gate": gate.gate,
            "blocking": gate.blocking,
            "false_alarm": _rate(gate.alarm),
            "inconclusive": _rate(gate.unclear),
            "point_gate_rejects": _rate(gate.point),
            "false_pass": _rate(gate.false_pass),
            "problem": gate.problem,
            "slices": [
                {
                    "slice": harm.slice,
                    "rows": harm.rows,
                    "false_pass": _rate(harm.false_pass),
                    "problem": harm.problem,
                }
                for harm in gate.slices
            ],
        }
        for gate in found.gates
    ]
    told: dict[str, Any] = {
        "baseline": label,
        "rows": found.rows,
        "rounds": found.rounds,
        "alpha": alpha,
        "policy": {"false_alarm": _rate(found.alarm), "inconclusive": _rate(found.unclear)},
        "gates": gates,
        "left_out": [{"gate": name, "why": why} for name, why in found.left_out],
    }
    return harmless_json(json.dumps(told, indent=2, ensure_ascii=False))


def _rate(rate: Rate | None) -> dict[str, float] | None:
    if rate is None:
        return None
    low, high = rate.interval
    return {"share": rate.share, "low": low, "high": high, "hits": rate.hits, "rounds": rate.rounds}


def _text(found: PolicyAudit, label: str, alpha: float) -> str:
    header = ("gate", "false alarm", "unclear", "false pass at margin", "new >= old rejects")
    lines = [
        f"An equally good model is stopped by this policy in {_percent(found.alarm)} of {found.rounds:,} changes; "
        f"at least one gate is unclear in {_percent(found.unclear)}.",
        *_compared(found),
        "",
        table(header, [_row(gate) for gate in found.gates]),
        "",
        f"simulated on {found.rows:,} rows of the last candidate and {label}; 95 % intervals of the simulation",
        "false alarm, unclear: the models change places on half of the rows, so both are equally good; "
        "slices and their correction included",
        f"false pass: rows reweighted until the candidate is worse by exactly the margin; nominal {alpha:.0%} at most",
    ]
    lines += [line for gate in found.gates for line in _slice_lines(gate)]
    lines += [f"note: {gate.gate}: {gate.problem}" for gate in found.gates if gate.problem]
    lines += [f"note: {name}: {why}" for name, why in found.left_out]
    if any(gate.kind == "better_by" for gate in found.gates):
        lines.append(
            "note: better-by gates stop an equally good model on purpose, which counts as no false alarm"
        )
    return "\n".join(lines)


def _slice_lines(gate: GateAudit) -> list[str]:
    """Return in which slice a gate most often lets harm pass, how often, and which slices nobody knows about."""
    if not gate.slices:
        return []
    known = [(harm.false_pass, harm) for harm in gate.slices if harm.false_pass is not None]
    lines = []
    if known:
        rate, worst = max(known, key=lambda pair: pair[0].share)
        lines.append(
            f"slices: {gate.gate}: harm in one slice only, by exactly the margin, passes there most often for "
            f"{worst.slice} ({worst.rows:,} rows): {_percent(rate)}; {len(known)} slices simulated one by one"
        )
    unknown = [harm for harm in gate.slices if harm.false_pass is None]
    lines += [f"note: {gate.gate} [{harm.slice}]: {harm.problem}" for harm in unknown[:_MOST_NOTES]]
    if len(unknown) > _MOST_NOTES:
        lines.append(f"note: {gate.gate}: {len(unknown) - _MOST_NOTES} more slices could not be simulated")
    return lines


def _compared(found: PolicyAudit) -> list[str]:
    """Return how a gate on the bare value would have done."""
    points = [gate.point for gate in found.gates if gate.point is not None]
    if not points:
        return []
    shares = sorted(point.share for point in points)
    between = f"{shares[0]:.0%}" if len(points) == 1 else f"{shares[0]:.0%} to {shares[-1]:.0%}"
    return [f"For comparison: a gate `new >= old` would stop {between} of them, metric by metric."]


def _row(gate: GateAudit) -> tuple[str, ...]:
    name = gate.gate if gate.blocking or gate.kind == "better_by" else f"{gate.gate} (advisory)"
    rates = (gate.alarm, gate.unclear, gate.false_pass, gate.point)
    return (name, *("-" if rate is None else _percent(rate) for rate in rates))


def _percent(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.share:.1%} ({low:.1%} to {high:.1%})"
