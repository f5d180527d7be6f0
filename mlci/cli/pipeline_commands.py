"""Commands about the pipeline as a whole: run, report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from mlci.cli import options
from mlci.core.errors import MlciError
from mlci.core.stage import Stage
from mlci.stages import ordered_stages, under_review

# The runner is loaded when a command runs, so that a help page does not wait for it.

FromOption = Annotated[str | None, typer.Option("--from", help="First stage of this run.", metavar="STAGE")]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        help="Commit or branch that the change at hand is compared with; its rules judge. Default in CI: the base "
        "of the pull or merge request.",
        metavar="REF",
    ),
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Last stage of this run.", metavar="STAGE")]


def run(
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    out: options.OutOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    base: BaseOption = None,
    as_ci: Annotated[
        bool,
        typer.Option(
            "--as-ci",
            help="Do what CI does for a pull request from here: up to the verdict, by the rules of the base, "
            "example values hidden, all files written, nothing posted.",
        ),
    ] = False,
    force: options.ForceOption = False,
    warn_exit_code: options.WarnOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Run every stage that mlci.yaml describes, skipping those whose inputs have not changed.

    For a pull or merge request the run ends at the verdict, unless --until says otherwise.
    """
    from mlci.cli.execute import execute
    from mlci.cli.reviewed import read_reviewed

    options.set_debug(debug)
    chosen = chosen_stages(from_, until)
    reviewed = read_reviewed(config, set_, base=base, as_ci=as_ci)
    if reviewed.basis.merge and until is None:
        # A run that was told to begin after the verdict has nothing else to do, and does it.
        chosen = under_review(chosen) or chosen
    execute(reviewed, chosen, out=out, force=force, warn_exit_code=warn_exit_code, comment=as_ci)


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
    from mlci.reporters._escape import harmless_json
    from mlci.results_folder import OUT_FOLDER, read_report

    options.set_debug(debug)
    folder = options.out_folder(out)
    if folder is None:
        folder = options.read_config(config, None).root / OUT_FOLDER
    found = read_report(folder / "report.json")
    if format_ == "console":
        typer.echo(console_reporter().render(found), nl=False)
    elif format_ == "json":
        typer.echo(harmless_json(found.model_dump_json(indent=2)))
    else:
        typer.echo(REPORTERS.get(format_).render(found), nl=False)


def chosen_stages(first: str | None, last: str | None) -> Sequence[Stage]:
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


COMMANDS = (run, report)
