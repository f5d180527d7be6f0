"""mlci init: writes mlci.yaml by looking at the repository, and shows what to put into CI."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli import options
from mlci.config.load import FILE_NAME
from mlci.core.errors import MlciError
from mlci.core.files import write_atomic
from mlci.scaffold import github_workflow, gitlab_pipeline
from mlci.scaffold.detect import look_around
from mlci.scaffold.write import config_text

GITHUB_FILE = Path(".github/workflows/ml.yml")
GITLAB_FILE = Path(".gitlab-ci.yml")


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the project.", metavar="[FOLDER]")] = Path(),
    label: Annotated[
        str | None, typer.Option("--label", help="Column that the model predicts.", metavar="COLUMN")
    ] = None,
    ci: Annotated[
        list[str] | None,
        typer.Option("--ci", help="Also write the CI file: github or gitlab. Repeatable.", metavar="SYSTEM"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite without asking.")] = False,
    debug: options.DebugOption = False,
) -> None:
    """Write mlci.yaml by looking at the repository, and show the CI snippets to copy."""
    options.set_debug(debug)
    root = (Path.cwd() / folder).resolve()
    if not root.is_dir():
        raise MlciError("usage", f"'{folder}' is no folder", "name the folder of the project")
    systems = {"github": (GITHUB_FILE, github_workflow()), "gitlab": (GITLAB_FILE, gitlab_pipeline())}
    for system in ci or []:
        if system not in systems:
            raise MlciError("usage", f"--ci {system}: unknown CI system", f"one of: {', '.join(systems)}")
    seen = look_around(root, label)
    _write(root / FILE_NAME, config_text(seen), force=force)
    for line in seen.notes:
        typer.echo(f"  {line}")
    for system, (path, text) in systems.items():
        if system in (ci or []):
            _write(root / path, text, force=force)
        else:
            typer.echo(f"\n{path.as_posix()}\n{'-' * len(path.as_posix())}\n{text}", nl=False)
    typer.echo("\nNext: mlci doctor, then mlci run")


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write a file; one that exists is overwritten only after a yes."""
    if path.exists() and not force:
        if path.read_text("utf-8", errors="replace") == text:
            typer.echo(f"{path.name} is there already, just as it would be written")
            return
        asked = sys.stdin.isatty() and typer.confirm(f"{path.name} exists already. Overwrite it?")
        if not asked:
            raise MlciError("config.exists", f"'{path.name}' exists already", "use --force to overwrite it")
    write_atomic(path, text)
    typer.echo(f"wrote {path.name}")
