"""Runs stages on behalf of a command, shows the report, and exits with its code."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import typer

from mlci.cli import options
from mlci.cli.progress import Progress, harmless
from mlci.cli.reviewed import Reviewed
from mlci.config import Config
from mlci.core.files import write_atomic
from mlci.core.stage import Stage
from mlci.providers import detect
from mlci.reporters import REPORTERS
from mlci.reporters.console import ConsoleReporter
from mlci.runner import Run
from mlci.stages import ordered_stages

COMMENT_FILE = "comment.md"


def make_run(
    config: Config,
    out: Path | None,
    *,
    force: bool = False,
    dry_run: bool = False,
    reviewed: Reviewed | None = None,
) -> Run:
    """Return a run of this project on this machine."""
    env = options.variables()
    return Run(
        config=config,
        stages=ordered_stages(),
        provider=reviewed.basis.provider if reviewed else detect(env),
        policy=reviewed.policy if reviewed else None,
        variables=env,
        out=options.out_folder(out),
        force=force,
        dry_run=dry_run,
    )


def execute(
    reviewed: Reviewed,
    chosen: Sequence[Stage],
    *,
    out: Path | None,
    force: bool,
    warn_exit_code: bool,
    dry_run: bool = False,
    comment: bool = False,
) -> None:
    """Run the chosen stages, print the report, exit with its code; with `comment` write what CI would post."""
    run = make_run(reviewed.config, out, force=force, dry_run=dry_run, reviewed=reviewed)
    with Progress(moving=not run.provider.ci) as progress:
        run.say = progress.say
        report = run.execute(chosen)
    typer.echo(harmless(console_reporter().render(report)))
    if comment:
        text = REPORTERS.get("markdown").render(report)
        write_atomic(run.folder / COMMENT_FILE, text)
        typer.echo(f"\nCI would post {run.folder.name}/{COMMENT_FILE} as a comment; nothing was posted")
    options.finish(report, warn_exit_code=warn_exit_code)


def console_reporter() -> ConsoleReporter:
    """Return the reporter for this terminal, or for a log without colours."""
    colour = options.is_terminal()
    width = min(shutil.get_terminal_size((110, 24)).columns, 140) if colour else 110
    return ConsoleReporter(colour=colour, width=max(width, 60))
