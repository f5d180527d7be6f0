"""mlci explain: a value and where it came from, an error code, a gate's verdict, or what changed on a slice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli import options
from mlci.cli.progress import harmless
from mlci.config.load import SHARED_SECTIONS, variable_name
from mlci.core.error_codes import ERROR_CODES
from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs, fields_of
from mlci.process import redact
from mlci.stages import STAGES

if TYPE_CHECKING:
    from mlci.explaining import Explanation


def explain(
    key: Annotated[
        str | None,
        typer.Argument(help="A key such as train.params.max_depth, or an error code.", metavar="[KEY]"),
    ] = None,
    slice_: Annotated[
        str | None,
        typer.Option("--slice", help="A slice of the last comparison, such as region=LATAM.", metavar="NAME"),
    ] = None,
    gate: Annotated[
        str | None,
        typer.Option("--gate", help="A gate of the last comparison: metric, name or number.", metavar="NAME"),
    ] = None,
    config: options.ConfigOption = None,
    set_: options.SetOption = None,
    out: options.OutOption = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON; with --slice or --gate.")] = False,
    debug: options.DebugOption = False,
) -> None:
    """Show where a value of the configuration came from, what an error code means, or how a verdict came about."""
    options.set_debug(debug)
    if sum(given is not None for given in (key, slice_, gate)) != 1:
        raise MlciError("usage", "explain takes one thing", "a KEY, --slice NAME or --gate NAME")
    if slice_ is not None:
        _print([_slice(slice_, config, set_, out)], as_json=json_)
    elif gate is not None:
        from mlci.explaining import explain_gate

        _print(explain_gate(_folder(config, out), gate), as_json=json_)
    elif key is not None:
        _explain_key(key, config, set_)


def _explain_key(key: str, config: Path | None, set_: list[str] | None) -> None:
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


def _folder(config: Path | None, out: Path | None) -> Path:
    """Return the folder with the results of the last run."""
    from mlci.results_folder import OUT_FOLDER

    return options.out_folder(out) or options.find_config(config).parent / OUT_FOLDER


def _slice(name: str, config: Path | None, set_: list[str] | None, out: Path | None) -> Explanation:
    from mlci.explaining import explain_slice
    from mlci.providers import detect
    from mlci.stages.validate_data import ValidateDataInputs

    loaded = options.read_config(config, set_)
    shown = loaded.section("validate-data", ValidateDataInputs).show_values
    show = shown == "always" or (shown == "auto" and not detect(options.variables()).ci)
    data = loaded.section("data", DataInputs)
    return explain_slice(_folder(config, out), loaded.root, data, name, show_values=show)


def _print(explanations: Sequence[Explanation], *, as_json: bool) -> None:
    from mlci.explaining import as_text
    from mlci.reporters._escape import harmless_json, printable

    if as_json:
        facts = [dict(each.facts) for each in explanations]
        text = json.dumps(facts[0] if len(facts) == 1 else facts, ensure_ascii=False, indent=2)
        typer.echo(harmless_json(redact(text, options.variables())))
    else:
        text = redact(as_text(explanations), options.variables())
        typer.echo(harmless(printable(text, 100_000)))


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
