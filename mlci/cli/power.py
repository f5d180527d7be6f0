"""mlci power: what the evaluation set can see, before anything is trained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlci.cli import options
from mlci.cli._policy_questions import asked_policy, harmless_text, table
from mlci.core.errors import MlciError

if TYPE_CHECKING:
    from mlci.core.gates import Gate
    from mlci.stages._planning import Assumptions, GateSight

_ROWS = "rows"


def power(
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    out: options.OutOption = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", help="Ask about one metric, in place of all gates.", metavar="NAME"),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin", help="Ask about this margin, in place of those of the gates.", metavar="NUMBER"
        ),
    ] = None,
    power_: Annotated[
        float, typer.Option("--power", help="Chance of seeing a change that is there.", metavar="NUMBER")
    ] = 0.8,
    discordant: Annotated[
        float | None,
        typer.Option(
            "--discordant",
            help="Share of rows on which two models differ; comes before what was measured. Without any "
            "measurement it is 0.08.",
            metavar="NUMBER",
        ),
    ] = None,
    value: Annotated[
        float | None,
        typer.Option(
            "--value", help="Area under the ROC curve, where no model is known yet: 0.8.", metavar="NUMBER"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: options.DebugOption = False,
) -> None:
    """Say for each gate which change the evaluation set can see, and how many rows its margin needs."""
    from mlci.stages._both_models import both_models
    from mlci.stages._planning import GatePlan

    options.set_debug(debug)
    assumptions = _assumptions(discordant, value, power_)
    with asked_policy(config, set_, out, quiet=as_json) as (inputs, context):
        gates = _asked([gate for gate in inputs.gates if not gate.is_budget], metric, margin)
        asked = inputs.model_copy(update={"gates": gates})
        models = both_models(asked, context)
        plan = GatePlan(asked, context.data, models, context.results.get("compare-to-baseline"), assumptions)
        try:
            sights = plan.sights()
        except ValueError as error:
            raise MlciError("config.invalid", f"compare-to-baseline.gates: {error}") from error
    notes = [f"{problem.message} ({problem.hint})" for problem in models.problems]
    if context.data.group and any(one.source in ("stand-in", "assumed") for one in sights):
        notes.append(
            f"rows of one {context.data.group} are taken to be independent where nothing is measured"
        )
    if as_json:
        typer.echo(_json(sights, assumptions, inputs.alpha, notes))
        return
    typer.echo(harmless_text(_text(sights, assumptions, inputs.alpha, notes)))


def _assumptions(discordant: float | None, value: float | None, power_: float) -> Assumptions:
    from mlci.stages._planning import Assumptions

    for name, number in (("discordant", discordant), ("value", value), ("power", power_)):
        if number is not None and not 0 < number < 1:
            raise MlciError(
                "usage", f"--{name} must lie between 0 and 1, not {number:g}", "write 0.8 for 80 %"
            )
    usual = Assumptions()
    return Assumptions(discordant, usual.value if value is None else value, power_)


def _asked(gates: list[Gate], metric: str | None, margin: float | None) -> list[Gate]:
    """Return the gates that are asked about; raises MlciError `usage` or `config.no-gates`."""
    from mlci.core.gates import Gate
    from mlci.stats.names import check_metric

    if margin is not None and not margin > 0:
        raise MlciError("usage", f"--margin must be above 0, not {margin:g}", "0.01 is the loss you accept")
    if metric is not None:
        try:
            check_metric(metric)
        except ValueError as error:
            raise MlciError("usage", f"--metric: {error}", "`mlci list metrics` shows all") from error
        named = [gate for gate in gates if gate.metric == metric]
        gates = named if margin is None and named else []
        if not gates and margin is None:
            raise MlciError(
                "usage", f"no gate is on {metric}, so its margin is not known", "give --margin too"
            )
        if margin is not None:
            gates = [Gate(metric=metric, no_worse_than=margin, per_slice=any(g.per_slice for g in named))]
    elif margin is not None:
        gates = [
            gate.model_copy(update={"no_worse_than": margin, "relative": False})
            for gate in gates
            if gate.kind == "no_worse_than"
        ]
    if not gates:
        raise MlciError(
            "config.no-gates",
            "there is no gate to ask about",
            "add one to mlci.yaml, or give --metric and --margin",
        )
    return gates


def _json(sights: list[GateSight], assumptions: Assumptions, alpha: float, notes: list[str]) -> str:
    from dataclasses import asdict

    from mlci.core.results import plain
    from mlci.reporters._escape import harmless_json

    found: dict[str, Any] = {
        "alpha": alpha,
        "power": assumptions.power,
        "gates": [plain(asdict(one)) for one in sights],
        "notes": notes,
    }
    return harmless_json(json.dumps(found, indent=2, ensure_ascii=False))


def _text(sights: list[GateSight], assumptions: Assumptions, alpha: float, notes: list[str]) -> str:
    header = ("gate", "rows", "rests on", "sees", "margin", "rows needed", "equal passes")
    lines = [_headline(sights, assumptions.power), "", table(header, [_row(one) for one in sights]), ""]
    lines.append(
        f"sees: the smallest change found with {assumptions.power:.0%} power at one-sided alpha {alpha:g}; "
        "rows needed: so that an equally good model passes with that power; equal passes: its chance today"
    )
    lines += [f"{name}: {how}" for name, how in _sources(sights).items()]
    lines += [f"note: {note}" for note in dict.fromkeys([*_problems(sights), *notes])]
    return "\n".join(lines)


def _row(one: GateSight) -> tuple[str, ...]:
    def number(found: float | None) -> str:
        return "-" if found is None else f"{found:.3g}"

    return (
        one.gate,
        f"{one.units:,}" if one.unit == _ROWS else f"{one.units:,} {one.unit}",
        f"{one.support:,}",
        number(one.sees),
        number(one.margin),
        "-" if one.needed is None else f"{one.needed:,}",
        "-" if one.chance is None else f"{one.chance:.0%}",
    )


def _headline(sights: list[GateSight], power_: float) -> str:
    """Return the one sentence: the gate that is farthest from seeing its margin, or that all do."""
    known = [one for one in sights if one.slice is None and one.sees is not None]
    if not known:
        return "Nothing is known yet about what this evaluation set can see."
    short = [one for one in known if one.needed is not None and one.needed > one.units]
    if not short:
        seen = ", ".join(f"{one.sees:.3g} in {one.metric}" for one in known)
        return f"Every margin on all rows can be seen with {power_:.0%} power; the smallest changes: {seen}."
    worst = max(short, key=lambda one: (one.needed or 0) / max(1, one.units))
    return (
        f"The smallest change of {worst.metric} that these {worst.units:,} {worst.unit} can see is {worst.sees:.3g}; "
        f"the margin of {worst.margin:.3g} needs about {worst.needed:,} {worst.unit}."
    )


def _sources(sights: list[GateSight]) -> dict[str, str]:
    """Return where the standard errors come from: each source with the gates that rest on it."""
    found: dict[str, list[str]] = {}
    for one in sights:
        if one.slice is None and one.source != "none":
            found.setdefault(one.how, []).append(one.metric)
    return {", ".join(dict.fromkeys(metrics)): how for how, metrics in found.items()}


def _problems(sights: list[GateSight]) -> list[str]:
    few = [one for one in sights if one.slice is not None and one.problem is not None]
    told = [f"{one.gate}: {one.problem}" for one in sights if one.slice is None and one.problem]
    if few:
        told.append(f"{len(few)} slices cannot be judged, such as {few[0].gate}: {few[0].problem}")
    return told
