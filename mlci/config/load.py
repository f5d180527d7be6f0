"""One value for each key: command line before environment before mlci.yaml before default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from mlci.config.problems import invalid, nearest
from mlci.core.errors import MlciError
from mlci.core.inputs import ChangesInputs, DataInputs, Inputs, TrackingInputs, fields_of, lines_in, shape

FILE_NAME = "mlci.yaml"
SHARED_SECTIONS: dict[str, type[Inputs]] = {
    "data": DataInputs,
    "tracking": TrackingInputs,
    "changes": ChangesInputs,
}
_SHAPE_WORDS = {"flag": "true or false", "number": "a number"}

Replace = Callable[[dict[str, dict[str, Any]]], dict[str, str]]
"""Puts values into the sections of a file and returns where each came from, by its dotted key."""

Section = TypeVar("Section", bound=Inputs)


@dataclass(frozen=True)
class Value:
    """A value and the place that set it."""

    value: Any
    source: str


@dataclass(frozen=True)
class Config:
    """A validated project description. `origins` maps dotted keys to the place that set them."""

    file: Path
    root: Path
    project: str
    sections: Mapping[str, Inputs]
    given: frozenset[str]
    lines: Mapping[str, int]
    origins: Mapping[str, str] = field(default_factory=dict)

    def section(self, name: str, kind: type[Section]) -> Section:
        """Return one section's inputs."""
        return cast("Section", self.sections[name]) if isinstance(self.sections[name], kind) else kind()

    def where(self, key: str) -> str | None:
        """Return file and line that set a dotted key or the nearest key above it; None for a default."""
        while key:
            if key in self.lines:
                return f"{self.file.name}:{self.lines[key]}"
            key = key.rpartition(".")[0]
        return None

    def explain(self, key: str) -> Value:
        """Return the value of a dotted key and where it came from.

        Raises MlciError `config.unknown-key`.
        """
        if key == "project":
            return Value(self.project, self._origin(key))
        head, _, rest = key.partition(".")
        if head not in self.sections:
            raise MlciError(
                "config.unknown-key",
                f"there is no section '{head}'",
                nearest(head, ["project", *self.sections]),
            )
        value: Any = self.sections[head].model_dump(mode="json", by_alias=True)
        known = list(fields_of(type(self.sections[head])))
        for part in [part for part in rest.split(".") if part]:
            value = _step_into(value, part, key, known)
            known = list(value) if isinstance(value, dict) else known
        return Value(value, self._origin(key))

    def _origin(self, key: str) -> str:
        above = key
        while above:
            if above in self.origins:
                return self.origins[above]
            above = above.rpartition(".")[0]
        return self.where(key) or "default"


def find_file(given: Path | None, start: Path) -> Path:
    """Return the configuration file: the given one, or the nearest mlci.yaml from `start` upwards.

    Raises MlciError `config.missing`.
    """
    if given is not None:
        path = start / given
        path = path / FILE_NAME if path.is_dir() else path
        if path.is_file():
            return path.resolve()
        raise MlciError("config.missing", f"'{given}' does not exist", "run `mlci init` to write one")
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return (folder / FILE_NAME).resolve()
    raise MlciError(
        "config.missing", f"there is no {FILE_NAME} in '{start}' or above it", "run `mlci init` to write one"
    )


def load_config(
    file: Path,
    stages: Mapping[str, type[Inputs]],
    variables: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
    replace: Replace | None = None,
) -> Config:
    """Return the configuration in `file`, with variables and overrides applied and all of it validated.

    `overrides` maps dotted keys to text, as given on the command line; `replace` puts other values in the
    place of the file's. Raises MlciError `config.unreadable`, `config.unknown-key` or `config.invalid`.
    """
    from mlci.config.source import read_file  # YAML is loaded where a file is read, not for a help page

    known = {**SHARED_SECTIONS, **stages}
    raw, lines = read_file(file)
    raw = {} if raw is None else raw
    if not isinstance(raw, dict):
        raise MlciError(
            "config.unreadable", f"{file.name} is not a mapping of sections", "begin with `project: NAME`"
        )
    _refuse_unknown_sections(raw, known, file.name)
    origins: dict[str, str] = {}
    tree = {name: _mapping(raw.get(name), name, file.name) for name in known}
    if replace is not None:
        origins |= replace(tree)
        lines = {key: line for key, line in lines.items() if not _is_below(key, origins)}
    project = _project(raw.get("project"), file)
    for key, (text, origin) in {
        **_from_variables(known, variables),
        **_from_overrides(overrides or {}),
    }.items():
        origins[key] = origin
        if key == "project":
            project = text
        else:
            _put(tree, known, key, text, origin)

    def origin_of(key: str) -> str:
        return origins.get(key) or (f"{file.name}:{lines[key]}" if key in lines else file.name)

    sections: dict[str, Inputs] = {}
    for name, inputs in known.items():
        try:
            # Strict, and by the written names only: what the published schema refuses is refused here.
            sections[name] = inputs.model_validate(tree[name], strict=True, by_name=False)
        except ValidationError as error:
            raise invalid(name, inputs, error, origin_of) from error
    given = frozenset({name for name in raw if name in known} | {key.partition(".")[0] for key in origins})
    return Config(file, file.parent, project, sections, given, lines, origins)


def _is_below(key: str, keys: Mapping[str, str]) -> bool:
    return any(key == other or key.startswith(f"{other}.") for other in keys)


def variable_name(section: str, key: str) -> str:
    """Return the environment variable that sets a key: MLCI_<SECTION>_<FIELD>."""
    return f"MLCI_{section}_{key}".upper().replace("-", "_")


def _from_variables(
    known: Mapping[str, type[Inputs]], variables: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    names = {
        variable_name(section, key): f"{section}.{key}"
        for section, inputs in known.items()
        for key in fields_of(inputs)
    }
    names["MLCI_PROJECT"] = "project"
    prefixes = tuple(variable_name(section, "") for section in known)
    found: dict[str, tuple[str, str]] = {}
    for name, text in variables.items():
        if name in names and text.strip():  # GitHub sends unset inputs as empty variables
            found[names[name]] = (text, f"variable {name}")
        elif name not in names and name.startswith(prefixes) and text.strip():
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "`mlci explain SECTION.KEY` names its variable"
            raise MlciError("config.unknown-key", f"unknown variable '{name}'", hint)
    return found


def _from_overrides(overrides: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {key: (text, f"option {key}") for key, text in overrides.items()}


def _refuse_unknown_sections(raw: Mapping[Any, Any], known: Mapping[str, type[Inputs]], file: str) -> None:
    names = ["project", *known]
    for name in raw:
        if name not in names:
            raise MlciError(
                "config.unknown-key", f"unknown section '{name}' in {file}", nearest(str(name), names)
            )


def _project(value: Any, file: Path) -> str:
    if value is not None and not isinstance(value, str):
        raise MlciError(
            "config.invalid",
            f"'project' in {file.name} is not text",
            f"put quotes around it: project: '{value}'",
        )
    return value or file.parent.name


def _mapping(value: Any, name: str, file: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MlciError(
            "config.invalid", f"'{name}' in {file} is not a mapping of keys", f"see `mlci explain {name}`"
        )
    return {str(key): item for key, item in value.items()}


def _put(
    tree: dict[str, dict[str, Any]], known: Mapping[str, type[Inputs]], key: str, text: str, origin: str
) -> None:
    from mlci.config.source import parse_text

    section, _, rest = key.partition(".")
    if section not in known or not rest:
        raise MlciError(
            "config.unknown-key", f"unknown key '{key}' ({origin})", nearest(section, list(known))
        )
    name, _, inner = rest.partition(".")
    fields = fields_of(known[section])
    if name not in fields:
        raise MlciError(
            "config.unknown-key",
            f"unknown key '{name}' in '{section}' ({origin})",
            nearest(name, list(fields)),
        )
    if not inner:
        tree[section][name] = _value(text, fields[name].annotation, key, origin)
        return
    holder: Any = tree[section]
    *path, last = [name, *inner.split(".")]
    for part in path:
        holder = _child(holder, part, key, origin)
    if isinstance(holder, list):
        holder[_index(holder, last, key, origin)] = parse_text(text, origin)
    else:
        holder[last] = parse_text(text, origin)


def _child(holder: Any, part: str, key: str, origin: str) -> Any:
    """Return the mapping or list in `holder` that `part` names; made where there is nothing yet."""
    place: Any = _index(holder, part, key, origin) if isinstance(holder, list) else part
    child = holder[place] if isinstance(holder, list) else holder.get(place)
    # A copy, since an alias in the file may share it with another key.
    child = {} if child is None else copy(child)
    if not isinstance(child, dict | list):
        raise MlciError(
            "config.invalid", f"'{key}' ({origin}): '{part}' is a single value, not a mapping of keys"
        )
    holder[place] = child
    return child


def _index(holder: list[Any], part: str, key: str, origin: str) -> int:
    if part.isdecimal() and int(part) < len(holder):
        return int(part)
    raise MlciError(
        "config.unknown-key", f"'{key}' has no item {part} ({origin})", f"it has {len(holder)} items, from 0"
    )


def _value(text: str, annotation: Any, key: str, origin: str) -> Any:
    from mlci.config.source import parse_text

    kind = shape(annotation)
    if kind == "text":
        return text
    if (lines := lines_in(text, annotation)) is not None:
        return lines
    value = parse_text(text, origin)
    if kind in _SHAPE_WORDS and not isinstance(value, bool | int | float):
        raise MlciError("config.invalid", f"'{key}': '{text}' is not {_SHAPE_WORDS[kind]} ({origin})")
    return value


def _step_into(value: Any, part: str, key: str, known: list[str]) -> Any:
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    raise MlciError("config.unknown-key", f"there is no key '{key}'", nearest(part, known))
