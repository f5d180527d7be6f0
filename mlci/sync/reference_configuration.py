"""docs/reference/configuration.md: every key of mlci.yaml with its type, default and variable."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mlci.config.load import SHARED_SECTIONS, variable_name
from mlci.core.inputs import Inputs, fields_of
from mlci.sync._describe import default_text, limits_text, models_in, type_text
from mlci.sync._markdown import code, page, table
from mlci.sync._stages import own_stages
from mlci.sync._tree import Kind

_INTRODUCTION = (
    "`mlci.yaml` stands at the root of the project and has these sections. Unknown keys are errors. Paths are "
    "relative to the file. A section of a stage says that `mlci run` shall run it. Editors check the file against "
    "[mlci.schema.json](mlci.schema.json) when its first line is "
    "`# yaml-language-server: $schema=` and the address of that file."
)
_VARIABLES = (
    "A variable sets one key, and `--set KEY=VALUE` does the same on the command line, as in "
    "`--set train.params.max_depth=3`. Lists are written one item a line, everything else with a structure as YAML."
)


def files() -> dict[str, str]:
    """Return the page by path."""
    stages = own_stages()
    sections: dict[str, tuple[type[Inputs], str]] = {
        name: (inputs, _first(inputs)) for name, inputs in SHARED_SECTIONS.items()
    }
    sections |= {stage.name: (stage.inputs, stage.summary) for stage in stages}
    blocks = [_section(name, inputs, text) for name, (inputs, text) in sections.items()]
    items = {model: None for inputs, _ in sections.values() for model in _models(inputs)}
    return {
        "docs/reference/configuration.md": page(
            "Configuration", _INTRODUCTION, _VARIABLES, _project(), *blocks, *map(_items, items)
        )
    }


def _project() -> str:
    heads = ("Key", "Type", "Default", "Variable", "What it is")
    row = ("`project`", "text", "", "`MLCI_PROJECT`", "Name of the project; default: that of its folder.")
    return table(heads, [row])


def _section(name: str, inputs: type[Inputs], summary: str) -> str:
    rows = [
        (*_columns(key, field), code(variable_name(name, key)), field.description or "")
        for key, field in fields_of(inputs).items()
    ]
    return f"## {name}\n\n{summary}\n\n" + table(("Key", "Type", "Default", "Variable", "What it is"), rows)


def _items(model: type[BaseModel]) -> str:
    if not issubclass(model, Inputs):
        raise TypeError(f"{model.__name__} is part of mlci.yaml and is no Inputs")
    model.model_rebuild()  # a model that holds itself knows its types only when it is built
    rows = [(*_columns(key, field), field.description or "") for key, field in fields_of(model).items()]
    heads = ("Key", "Type", "Default", "What it is")
    return f"## {model.__name__.lower()}\n\n{_first(model)}\n\n" + table(heads, rows)


def _columns(key: str, field: FieldInfo) -> tuple[str, str, str]:
    bounds = limits_text(field)
    kind = type_text(field.annotation) + (f" ({bounds})" if bounds else "")
    default = "needed" if field.is_required() else code(default_text(field))
    return code(key), kind, default


def _models(inputs: type[Inputs]) -> list[type[BaseModel]]:
    return [model for field in inputs.model_fields.values() for model in models_in(field.annotation)]


def _first(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


kind = Kind(files, ("docs/reference/*.md",))
