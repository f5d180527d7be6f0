"""mlci explain: a value and where it came from, or what an error code means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli import options
from mlci.config.load import SHARED_SECTIONS, variable_name
from mlci.core.error_codes import ERROR_CODES
from mlci.core.errors import MlciError
from mlci.core.inputs import fields_of
from mlci.process import redact
from mlci.stages import STAGES


def explain(
    key: Annotated[
        str, typer.Argument(help="A key such as train.params.max_depth, or an error code.", metavar="KEY")
    ],
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    debug: options.DebugOption = False,
) -> None:
    """Show a value of the configuration and where it came from, or what an error code means."""
    options.set_debug(debug)
    if key in ERROR_CODES and not _is_configured(key, config):
        typer.echo(_meaning(key))
        return
    loaded = options.read_config(config, set_)
    found = loaded.explain(key)
    value = json.dumps(
        found.value, ensure_ascii=False, indent=2 if isinstance(found.value, dict | list) else None
    )
    typer.echo(redact(f"{key} = {value}", options.variables()))
    typer.echo(f"from: {found.source}")
    for line in _described(key):
        typer.echo(line)
    if key in ERROR_CODES:
        typer.echo(f"\nerror {_meaning(key)}")


def _meaning(name: str) -> str:
    code = ERROR_CODES[name]
    return f"{name}: {code.meaning}\nexit code {int(code.exit_code)} ({code.exit_code.name.lower()})"


def _is_configured(key: str, config: Path | None) -> bool:
    """Return whether an error code is a key as well (train.timeout is), and there is a file to read it from."""
    if len(_described(key)) < 2:
        return False
    try:
        options.find_config(config)
    except MlciError:
        return False
    return True


def _described(key: str) -> list[str]:
    """Return what a key is for and the other ways to set it."""
    section, _, rest = key.partition(".")
    sections = {**SHARED_SECTIONS, **{stage.name: stage.inputs for stage in STAGES}}
    name = rest.partition(".")[0]
    fields = fields_of(sections[section]) if section in sections else {}
    if name not in fields:
        return [f"keys: {', '.join(fields)}"] if fields else []
    option = f"--set {section}.{name}=…" if section in SHARED_SECTIONS else f"--{name}"
    return [
        f"what: {fields[name].description}",
        f"set:  {option} · variable {variable_name(section, name)} · mlci.yaml",
    ]
