"""mlci plan: which stages would run and why, for one project or for all that a change touches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli import options
from mlci.cli.pipeline_commands import BaseOption, FromOption, UntilOption, chosen_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.cli.reviewed import Basis
    from mlci.core.plan import Plan
    from mlci.core.stage import Stage


def plan(
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    out: options.OutOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every mlci.yaml that git knows in this repository.")
    ] = False,
    base: BaseOption = None,
    as_ci: Annotated[
        bool,
        typer.Option(
            "--as-ci",
            help="As for a pull request from here: what would run, what it would publish, what it needs.",
        ),
    ] = False,
    force: options.ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: options.DebugOption = False,
) -> None:
    """Say which stages would run, in which order, and why each one runs or is skipped."""
    from mlci.cli.reviewed import basis, refuse_several
    from mlci.reporters._escape import harmless_json
    from mlci.reporters._plan import plan_text

    options.set_debug(debug)
    refuse_several(config, everything=everything)
    stages = chosen_stages(from_, until)
    root = Path.cwd() if everything else options.find_config(config).parent
    found = basis(root, base=base, as_ci=as_ci)
    if found.known or everything:
        made = _by_change(config, set_, root, stages, found, everything=everything)
    else:
        made = _by_results(config, set_, out, stages, force=force)
    if found.provider.ci:
        _hand_out(made, out, root, found)
    if as_json:
        typer.echo(harmless_json(made.model_dump_json(indent=2)))
        return
    typer.echo(plan_text(made))
    if as_ci:
        from mlci.cli.as_ci import needs

        typer.echo("\n" + needs(made, root, options.variables()))


def _by_change(
    config: Path | None,
    set_: list[str] | None,
    root: Path,
    stages: Sequence[Stage],
    found: Basis,
    *,
    everything: bool,
) -> Plan:
    from mlci.cli.reviewed import with_rules
    from mlci.repository import Planner, files_of

    files = files_of(root) if everything else [options.find_config(config)]
    planner = Planner(
        load=lambda file: with_rules(file, set_, None, found)[0],
        stages=stages,
        change=found.change,
        merge=found.merge,
        unknown=found.note or "what has changed is not asked: name a commit with --base",
    )
    return planner.plan(files)


def _by_results(
    config: Path | None, set_: list[str] | None, out: Path | None, stages: Sequence[Stage], *, force: bool
) -> Plan:
    """Return the plan of this machine: by the results that it holds."""
    from mlci.cli.execute import make_run
    from mlci.core.plan import Plan, PlannedProject, PlannedStage
    from mlci.repository import slug

    run = make_run(options.read_config(config, set_), out, force=force)
    rows = [PlannedStage(stage=d.stage.name, action=d.action, why=d.why) for d in run.plan(stages)]
    runs = [row.stage for row in rows if row.action == "run"]
    project = PlannedProject(
        project=run.config.project,
        name=slug(run.config.project),
        folder=".",
        config=run.config.file.name,
        evaluate=bool(runs),
        why=f"to run: {', '.join(runs)}" if runs else "nothing has changed",
        stages=rows,
    )
    return Plan(base=None, evaluate=bool(runs), why=project.why, projects=[project])


def _hand_out(made: Plan, out: Path | None, root: Path, found: Basis) -> None:
    """Write plan.json and give the CI system what it takes."""
    from mlci.core.files import write_atomic
    from mlci.reporters._plan import PLAN_FILE
    from mlci.results_folder import OUT_FOLDER, prepare_folder
    from mlci.stores import git

    folder = options.out_folder(out) or (git.top(root) or root) / OUT_FOLDER
    prepare_folder(folder)
    write_atomic(folder / PLAN_FILE, made.model_dump_json(indent=2) + "\n")
    found.provider.publish_plan(made, folder)
