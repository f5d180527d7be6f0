"""The front door: shows what there is without opening any room, and leads to the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlci import __version__
from mlci.core.registry import Registry

HELP = "CI/CD for machine-learning repositories: one command per stage, one verdict per change."
STAGE_PANEL = "Stages"
PROJECT_PANEL = "Project"
CATALOGUE = Path(__file__).with_name("catalogue.json")
"""Names and summaries of all commands, generated, so that the list needs none of their modules."""

_FIRST_QUESTIONS: tuple[list[str], ...] = ([], ["--help"], ["--version"])


def run(arguments: Sequence[str]) -> None:
    """Run the command line: from the catalogue where that is enough, else with all commands."""
    stages: Registry[object] = Registry("mlci.stages", "stage")
    if list(arguments) in _FIRST_QUESTIONS and not stages.has_plug_ins():
        catalogue_app()()
        return
    from mlci.cli.app import run_app

    run_app()


def empty_app() -> typer.Typer:
    """Return a command line without commands."""
    app = typer.Typer(
        name="mlci", help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.callback()(_root)
    return app


def catalogue_app() -> typer.Typer:
    """Return a command line that can list its commands and not run them."""
    app = empty_app()
    for command in json.loads(CATALOGUE.read_text("utf-8"))["commands"]:
        app.command(name=command["name"], help=command["help"], rich_help_panel=command["panel"])(_listed)
    return app


def _listed() -> None:
    """Stand for a command in the list."""


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mlci {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass
