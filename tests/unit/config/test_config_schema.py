"""The published schema accepts exactly what `load_config` accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mlci.config import load_config
from mlci.config.source import read_yaml
from mlci.core.errors import MlciError
from mlci.schemas import SCHEMAS, config_schema
from mlci.stages import STAGES

STAGE_INPUTS = {stage.name: stage.inputs for stage in STAGES}
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*/mlci.yaml"))

GOOD = [
    "",
    "project: p",
    "project: null",
    "train:",
    "data: {positive: 1}",
    "data: {positive: 0.5}",
    "data: {positive: true}",
    "data: {positive: 'yes'}",
    "data: {slices: [a, b], task: classification}",
    "data: {label: null}",
    "train: {params: {a: {b: [1, null]}}, timeout: 60, seed: 0}",
    "train: {timeout: 0.5}",
    "compare-to-baseline: {gates: []}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-least: 1}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-least: 1, at-most: null}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, no-worse-than: 0.1, relative: true}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-most: 1, relative: false}]}",
    "compare-to-baseline: {alpha: 0.49}",
    "validate-data: {expectations: [{type: x, anything: [1]}]}",
]
BAD = [
    "- a",
    "text",
    "project: 3",
    "project: [a]",
    "unknown: {}",
    "data: []",
    "data: text",
    "data: {lable: x}",
    "data: {label: 3}",
    "data: {label: [a]}",
    "data: {slices: a}",
    "data: {slices: [1]}",
    "data: {slices: null}",
    "data: {positive: [1]}",
    "data: {task: ranking}",
    "train: {seed: '3'}",
    "train: {seed: -1}",
    "train: {seed: 1.5}",
    "train: {seed: true}",
    "train: {timeout: 0}",
    "train: {timeout: '5'}",
    "train: {cross_validation: 3}",
    "train: {params: [1]}",
    "compare-to-baseline: {alpha: 0.5}",
    "compare-to-baseline: {alpha: 0}",
    "compare-to-baseline: {gates: [{metric: acuracy, at-least: 1}]}",
    "compare-to-baseline: {gates: [{metric: accuracy}]}",
    "compare-to-baseline: {gates: [{at-least: 1}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-least: 1, at-most: 2}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-least: '1'}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, no-worse-than: 0}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-least: 1, relative: true}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-least: 1, relative: 'false'}]}",
    "compare-to-baseline: {gates: [{metric: accuracy, at-least: 1, on: value}]}",
    "compare-to-baseline: {gates: {metric: accuracy, at-least: 1}}",
    "validate-data: {expectations: [x]}",
    "validate-data: {show-values: sometimes}",
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(config_schema())


def accepted_by_schema(validator: Draft202012Validator, text: str) -> bool:
    value = read_yaml(text, "here")[0]
    return bool(validator.is_valid({} if value is None else value))


def accepted_by_mlci(folder: Path, text: str) -> bool:
    path = folder / "mlci.yaml"
    path.write_text(text, "utf-8")
    try:
        load_config(path, STAGE_INPUTS, {})
    except MlciError:
        return False
    return True


@pytest.mark.parametrize(("text", "good"), [*((t, True) for t in GOOD), *((t, False) for t in BAD)])
def test_schema_and_loader_agree(
    tmp_path: Path, validator: Draft202012Validator, text: str, good: bool
) -> None:
    assert accepted_by_mlci(tmp_path, text) is good
    assert accepted_by_schema(validator, text) is good


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_are_accepted_by_both(
    tmp_path: Path, validator: Draft202012Validator, path: Path
) -> None:
    text = path.read_text("utf-8")
    assert accepted_by_mlci(tmp_path, text)
    assert accepted_by_schema(validator, text)


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name]())


def test_every_key_has_a_description_for_editors() -> None:
    properties: dict[str, Any] = config_schema()["properties"]
    assert set(properties) == {"project", "data", "tracking", "changes", *STAGE_INPUTS}
    for name, section in properties.items():
        assert section["description"], name
        for key, field in section.get("properties", {}).items():
            assert field.get("description"), f"{name}.{key}"


def test_a_whole_description_survives_a_yaml_round_trip(tmp_path: Path) -> None:
    text = yaml.safe_dump({"project": "p", "data": {"label": "y"}, "train": {"params": {"a": 0.001}}})
    assert accepted_by_mlci(tmp_path, text)
