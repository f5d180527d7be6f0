"""Options that many commands share, and the objects that are made from them."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlci.config import Config, Replace, find_file, load_config
from mlci.core.errors import MlciError
from mlci.core.results import Report
from mlci.core.status import ExitCode, Status
from mlci.stages import STAGES

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Path of mlci.yaml or its folder; default: here or above.", metavar="PATH"
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Override any value, as in --set data.label=churned. Repeatable.", metavar="KEY=VALUE"
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Output folder; default: mlci-out beside mlci.yaml.", metavar="PATH"),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Run even if nothing has changed.")]
WarnOption = Annotated[
    bool, typer.Option("--warn-exit-code", help="Exit with 10 after a warning or an unclear verdict.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


def variables() -> dict[str, str]:
    """Return the environment; read here and nowhere else."""
    return dict(os.environ)


def read_config(
    config: Path | None, overrides: Sequence[str] | None, extra: Mapping[str, str] | None = None
) -> Config:
    """Return the project's configuration with options applied. MLCI_CONFIG stands for --config."""
    return load(find_config(config), overrides, extra)


def load(
    file: Path,
    overrides: Sequence[str] | None = None,
    extra: Mapping[str, str] | None = None,
    replace: Replace | None = None,
) -> Config:
    """Return a configuration file with options applied; `replace` puts the rules of another commit in force."""
    texts = dict(_split(item) for item in overrides or [])
    stages = {stage.name: stage.inputs for stage in STAGES}
    return load_config(file, stages, variables(), {**texts, **(extra or {})}, replace)


def find_config(config: Path | None) -> Path:
    """Return the configuration file that is meant; raises MlciError `config.missing`."""
    env = variables()
    given = config or (Path(env["MLCI_CONFIG"]) if env.get("MLCI_CONFIG") else None)
    return find_file(given, Path.cwd())


def with_section(config: Config, stage: str) -> Config:
    """Return a configuration in which a stage counts as wanted, because its command was called."""
    return dataclasses.replace(config, given=config.given | {stage})


def out_folder(out: Path | None) -> Path | None:
    """Return the output folder that was asked for, as an absolute path. MLCI_OUT stands for --out."""
    env = variables()
    given = out or (Path(env["MLCI_OUT"]) if env.get("MLCI_OUT") else None)
    return None if given is None else (Path.cwd() / given).resolve()


def set_debug(debug: bool) -> None:
    """Ask for tracebacks."""
    if debug:
        os.environ["MLCI_DEBUG"] = "1"


def finish(report: Report, *, warn_exit_code: bool) -> None:
    """Exit with the code that says the same as the report."""
    code = report.exit_code
    if code is ExitCode.PASSED and warn_exit_code and report.status in (Status.WARNED, Status.INCONCLUSIVE):
        code = ExitCode.WARNED
    raise typer.Exit(int(code))


def is_terminal() -> bool:
    """Return whether standard output is a terminal that shows colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _split(item: str) -> tuple[str, str]:
    key, equals, text = item.partition("=")
    if not equals or not key:
        raise MlciError("usage", f"--set {item}: write KEY=VALUE", "for example --set train.seed=3")
    return key.strip(), text
