"""Makes a command of each stage: one option for each field of its inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from mlci.cli import options
from mlci.core.inputs import choices, fields_of, shape
from mlci.core.stage import Stage

_METAVARS = {"text": "TEXT", "number": "NUMBER", "lines": "LINES", "yaml": "YAML"}


def stage_command(stage: Stage) -> Callable[..., None]:
    """Return the command that runs one stage."""
    names = {key.replace("-", "_"): key for key in fields_of(stage.inputs)}

    def command(**given: Any) -> None:
        from mlci.cli.execute import execute  # the runner is loaded when a command runs
        from mlci.cli.reviewed import read_reviewed

        options.set_debug(given.pop("debug"))
        texts = {
            f"{stage.name}.{key}": _text(given[name])
            for name, key in names.items()
            if given.get(name) is not None
        }
        reviewed = read_reviewed(given["config"], given["set_"], texts)
        execute(
            replace(reviewed, config=options.with_section(reviewed.config, stage.name)),
            [stage],
            out=given["out"],
            force=given["force"],
            warn_exit_code=given["warn_exit_code"],
            dry_run=given.get("dry_run", False),
        )

    command.__name__ = stage.name.replace("-", "_")
    _declare(command, [*_own(stage), *_shared(stage)])
    return command


def _own(stage: Stage) -> list[inspect.Parameter]:
    return [_parameter(key, field) for key, field in fields_of(stage.inputs).items()]


def _parameter(key: str, field: FieldInfo) -> inspect.Parameter:
    kind = shape(field.annotation)
    help_ = field.description or ""
    if kind == "flag":
        option = typer.Option(f"--{key}/--no-{key}", help=help_)
        return _keyword(key, Annotated[bool | None, option])
    allowed = choices(field.annotation)
    option = typer.Option(f"--{key}", help=help_, metavar="|".join(allowed) if allowed else _METAVARS[kind])
    return _keyword(key, Annotated[str | None, option])


def _shared(stage: Stage) -> list[inspect.Parameter]:
    shared = [
        _keyword("config", options.ConfigOption),
        _keyword("set-", options.SetOption),
        _keyword("out", options.OutOption),
        _keyword("force", options.ForceOption, False),
        _keyword("warn-exit-code", options.WarnOption, False),
        _keyword("debug", options.DebugOption, False),
    ]
    if stage.can_dry_run:
        dry = Annotated[bool, typer.Option("--dry-run", help="Show what would change and touch nothing.")]
        shared.append(_keyword("dry-run", dry, False))
    return shared


def _keyword(key: str, annotation: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(
        key.replace("-", "_"), inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _declare(command: Callable[..., None], parameters: list[inspect.Parameter]) -> None:
    """Give a function the signature from which typer makes its options."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # read by inspect
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if not isinstance(value, Path) else value.as_posix()
