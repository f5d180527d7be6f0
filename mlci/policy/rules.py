"""Which keys of mlci.yaml are policy, and their values in a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mlci.config import Replace
from mlci.config.source import read_yaml
from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs, Inputs, fields_of
from mlci.stages import STAGES

_NOT_JUDGED = {"train", "features", "ignore"}
"""Keys of `data` that a change may try out: what a model learns from is not what it is judged by."""

TAKEN_OVER = ("data", "compare-to-baseline", "deploy")
"""Sections whose rules are read from the base commit."""
SHOWN = ("validate-data",)
"""Sections whose changes are shown, and which count as the change has them: new data need new expectations."""

_ABSENT = object()

Rules = Mapping[str, Inputs]
"""The validated inputs of each section that holds rules."""


def policy_keys(section: str) -> list[str]:
    """Return the keys of a section that are policy; none for a section without rules."""
    if section not in (*TAKEN_OVER, *SHOWN):
        return []
    keys = list(fields_of(_inputs(section)))
    return [key for key in keys if key not in _NOT_JUDGED] if section == "data" else keys


def rules_of(text: str | None, name: str = "mlci.yaml") -> Rules | None:
    """Return the rules in a configuration text; None when there is no text.

    Raises MlciError `config.unreadable` or `config.invalid` for a text that no run would accept.
    """
    if text is None:
        return None
    return {section: _validated(section, values, name) for section, values in _tree(text, name).items()}


def take_over(text: str, name: str, origin: str) -> Replace:
    """Return what puts the rules of a configuration text in the place of those of another one.

    A section that the text does not have is left as it is: it brings rules where there were none.
    Raises as `rules_of`.
    """
    rules_of(text, name)
    rules = _tree(text, name)

    def replace(tree: dict[str, dict[str, Any]]) -> dict[str, str]:
        origins: dict[str, str] = {}
        for section in TAKEN_OVER:
            if not rules[section]:
                continue
            for key in policy_keys(section):
                old, new = tree[section].get(key, _ABSENT), rules[section].get(key, _ABSENT)
                if old == new:
                    continue
                tree[section].pop(key, None)
                if new is not _ABSENT:
                    tree[section][key] = new
                origins[f"{section}.{key}"] = origin
        return origins

    return replace


def _tree(text: str, name: str) -> dict[str, dict[str, Any]]:
    raw, _ = read_yaml(text, name)
    if raw is not None and not isinstance(raw, dict):
        raise MlciError("config.unreadable", f"{name} is not a mapping of sections")
    found: dict[str, dict[str, Any]] = {}
    for section in (*TAKEN_OVER, *SHOWN):
        values = (raw or {}).get(section)
        if values is not None and not isinstance(values, dict):
            raise MlciError("config.invalid", f"'{section}' in {name} is not a mapping of keys")
        found[section] = {str(key): value for key, value in (values or {}).items()}
    return found


def _validated(section: str, values: Mapping[str, Any], name: str) -> Inputs:
    try:
        return _inputs(section).model_validate(values, strict=True, by_name=False)
    except ValidationError as error:
        raise MlciError("config.invalid", f"'{section}' in {name} is not valid") from error


def _inputs(section: str) -> type[Inputs]:
    return DataInputs if section == "data" else STAGES.get(section).inputs
