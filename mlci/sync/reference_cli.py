"""docs/reference/cli.md: every command with its options, variables, keys and defaults."""

from __future__ import annotations

from typing import Any

from mlci.core.inputs import fields_of
from mlci.sync._describe import default_text
from mlci.sync._markdown import code, page, table
from mlci.sync._stages import own_inputs, own_stages
from mlci.sync._tree import Kind

_INTRODUCTION = (
    "What is given on the command line comes before variables, these before `mlci.yaml`, and that before the "
    "default; `mlci explain KEY` shows where a value came from. An empty variable counts as not set. "
    "`MLCI_CONFIG` stands for `--config`, and `MLCI_OUT` for `--out`. Exit codes are described in "
    "[errors and exit codes](errors.md)."
)


def files() -> dict[str, str]:
    """Return the page by path."""
    from typer.main import get_command

    from mlci.cli.app import build_app

    root: Any = get_command(build_app())
    commands = [_command(name, command) for name, command in root.commands.items()]
    return {"docs/reference/cli.md": page("Commands", _INTRODUCTION, *_list(root), *commands)}


def _list(root: Any) -> list[str]:
    rows = [(f"[`mlci {name}`](#mlci-{name})", _first(item.help)) for name, item in root.commands.items()]
    return [table(("Command", "What it does"), rows)]


def _command(name: str, command: Any) -> str:
    arguments = [item for item in command.params if item.param_type_name == "argument"]
    options = [item for item in command.params if item.param_type_name == "option" and item.name != "help"]
    own, defaults = _of_stage(name)
    usage = " ".join(["mlci", name, "[OPTIONS]", *(_metavar(item) for item in arguments)])
    blocks = [
        f"## mlci {name}",
        _first(command.help),
        f"```console\n{usage}\n```",
        table(("Argument", "What it is"), [(code(_metavar(item)), _help(item)) for item in arguments]),
    ]
    if own:
        rows = [
            (_spelling(item), code(own[key]), code(defaults[key]), item.help)
            for item in options
            if (key := item.name.replace("_", "-")) in own
        ]
        blocks.append(table(("Option", "Variable", "Default", "What it is"), rows))
    rest = [(_spelling(item), _help(item)) for item in options if item.name.replace("_", "-") not in own]
    blocks.append(table(("Option", "What it is"), rest))
    return "\n\n".join(block for block in blocks if block)


def _of_stage(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return variable and default of each option that is an input of a stage."""
    for stage in own_stages():
        if stage.name == name:
            defaults = {key: default_text(field) for key, field in fields_of(stage.inputs).items()}
            return {item.name: item.variable for item in own_inputs(stage)}, defaults
    return {}, {}


def _spelling(option: Any) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    return code(names if option.is_flag else f"{names} {option.metavar}")


def _metavar(argument: Any) -> str:
    metavar = str(argument.metavar)
    return metavar if argument.required or metavar.startswith("[") else f"[{metavar}]"


def _help(item: Any) -> str:
    default = item.default
    shown = str(default) if default not in (None, False, True, "", ()) else ""
    return f"{item.help} Default: `{shown}`." if shown else str(item.help)


def _first(text: str) -> str:
    return text.strip().splitlines()[0]


kind = Kind(files, ("docs/reference/*.md",))
