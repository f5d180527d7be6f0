"""Commands about the pipeline as a whole: plan, run, report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli import options
from mlci.core.errors import MlciError
from mlci.core.stage import Stage
from mlci.stages import ordered_stages

if TYPE_CHECKING:
    from mlci.pipeline import Decision

# The runner is loaded when a command runs, so that a help page does not wait for it.

FromOption = Annotated[str | None, typer.Option("--from", help="First stage of this run.", metavar="STAGE")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Last stage of this run.", metavar="STAGE")]


def plan(
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    out: options.OutOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    force: options.ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: options.DebugOption = False,
) -> None:
    """Say which stages would run, in which order, and why each one runs or is skipped."""
    from mlci.cli.execute import make_run

    options.set_debug(debug)
    run = make_run(options.read_config(config, set_), out, force=force)
    decisions = run.plan(_chosen(from_, until))
    if as_json:
        rows = [{"stage": d.stage.name, "action": d.action, "why": d.why} for d in decisions]
        typer.echo(json.dumps({"project": run.config.project, "stages": rows}, indent=2))
    else:
        typer.echo(_table(decisions))


def run(
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    out: options.OutOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    force: options.ForceOption = False,
    warn_exit_code: options.WarnOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Run every stage that mlci.yaml describes, skipping those whose inputs have not changed."""
    from mlci.cli.execute import execute

    options.set_debug(debug)
    chosen = _chosen(from_, until)
    execute(options.read_config(config, set_), chosen, out=out, force=force, warn_exit_code=warn_exit_code)


def report(
    config: options.ConfigOption = None,
    out: options.OutOption = None,
    format_: Annotated[
        str, typer.Option("--format", "-f", help="console, json, or a file format.", metavar="NAME")
    ] = "console",
    debug: options.DebugOption = False,
) -> None:
    """Show the last report again, in any format; for another job or another reader."""
    from mlci.cli.execute import console_reporter
    from mlci.reporters import REPORTERS
    from mlci.results_folder import OUT_FOLDER, read_report

    options.set_debug(debug)
    folder = options.out_folder(out)
    if folder is None:
        folder = options.read_config(config, None).root / OUT_FOLDER
    found = read_report(folder / "report.json")
    if format_ == "console":
        typer.echo(console_reporter().render(found), nl=False)
    elif format_ == "json":
        typer.echo(found.model_dump_json(indent=2))
    else:
        typer.echo(REPORTERS.get(format_).render(found), nl=False)


def _chosen(first: str | None, last: str | None) -> Sequence[Stage]:
    """Return the stages from `first` to `last`; raises MlciError `usage` for an unknown name."""
    stages = ordered_stages()
    names = [stage.name for stage in stages]
    for name in (first, last):
        if name is not None and name not in names:
            raise MlciError("usage", f"there is no stage '{name}'", f"stages: {', '.join(names)}")
    start = names.index(first) if first else 0
    end = names.index(last) if last else len(names) - 1
    if start > end:
        raise MlciError("usage", f"'{first}' comes after '{last}'", f"order: {', '.join(names)}")
    return stages[start : end + 1]


def _table(decisions: Sequence[Decision]) -> str:
    width = max(len(decision.stage.name) for decision in decisions)
    words = {"run": "run ", "skip": "skip", "absent": "–   "}
    return "\n".join(f"{d.stage.name:<{width}}  {words[d.action]}  {d.why}" for d in decisions)


COMMANDS = (plan, run, report)
