"""Command line before variable before file before default, for every field; and every key is known or refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from mlci.config import Config, find_file, load_config
from mlci.config.load import SHARED_SECTIONS, variable_name
from mlci.core.errors import MlciError
from mlci.core.inputs import Inputs, choices, fields_of, shape
from mlci.stages import STAGES

STAGE_INPUTS = {stage.name: stage.inputs for stage in STAGES}
SECTIONS: dict[str, type[Inputs]] = {**SHARED_SECTIONS, **STAGE_INPUTS}
KEYS = [(section, key) for section, inputs in SECTIONS.items() for key in fields_of(inputs)]
CANDIDATES: dict[str, list[Any]] = {
    "text": ["alpha", "beta", "gamma"],
    "flag": [True, False],
    "number": [0.1, 0.2, 0.3, 301, 302, 303, 3, 4],
    "lines": [["a"], ["b", "c"], ["d e"]],
    "yaml": [
        {"a": 1},
        {"b": [2]},
        {"c": "x"},
        [{"metric": "accuracy", "at-least": 0.5}],
        [{"metric": "rmse", "at-most": 2}],
        [{"metric": "recall", "better-by": 0}],
        [{"type": "expect_a"}],
        [{"type": "expect_b", "column": "c"}],
        [{"type": "expect_c"}],
        ["a"],
        ["b", "c"],
        [{"column": "d", "bins": 3}],
        "text",
        3,
        True,
    ],
}

Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(
        text: Any = "", variables: dict[str, str] | None = None, overrides: dict[str, str] | None = None
    ) -> Config:
        path = tmp_path / "mlci.yaml"
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text), "utf-8")
        return load_config(path, STAGE_INPUTS, variables or {}, overrides)

    return load


def valid_values(section: str, key: str) -> list[Any]:
    field = fields_of(SECTIONS[section])[key]
    allowed = choices(field.annotation)
    found: list[Any] = []
    for value in allowed or CANDIDATES[shape(field.annotation)]:
        try:
            SECTIONS[section].model_validate({key: value}, strict=True, by_name=False)
        except ValidationError:
            continue
        found.append(value)
    return found


def as_text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def got(config: Config, section: str, key: str) -> Any:
    return config.sections[section].model_dump(mode="json", by_alias=True, exclude_defaults=True).get(key)


def pairs(section: str, key: str) -> Iterator[tuple[Any, Any]]:
    """Yield a value to be overruled and the one that overrules it."""
    values = valid_values(section, key)
    assert values, f"no valid value for {section}.{key}: add one to CANDIDATES"
    yield values[0], values[-1]


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_option_before_variable_before_file_before_default(load: Load, section: str, key: str) -> None:
    name, dotted = variable_name(section, key), f"{section}.{key}"
    for low, high in pairs(section, key):
        default = load().explain(dotted)
        assert default.source == "default"
        file = load({section: {key: low}})
        assert file.explain(dotted).source == "mlci.yaml:2"
        assert expected(file, dotted, low)
        variable = load({section: {key: low}}, {name: as_text(high)})
        assert variable.explain(dotted).source == f"variable {name}"
        assert expected(variable, dotted, high)
        option = load({section: {key: high}}, {name: as_text(high)}, {dotted: as_text(low)})
        assert option.explain(dotted).source == f"option {dotted}"
        assert expected(option, dotted, low)


def expected(config: Config, dotted: str, value: Any) -> bool:
    found = config.explain(dotted).value
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return all(
            {k: v for k, v in item.items() if k in given} == given
            for item, given in zip(found, value, strict=True)
        )
    return bool(found == value)


@pytest.mark.parametrize(("section", "key"), KEYS)
@pytest.mark.parametrize("empty", ["", "  \n"])
def test_an_empty_variable_is_unset(load: Load, section: str, key: str, empty: str) -> None:
    config = load("project: p\n", {variable_name(section, key): empty})
    assert config.explain(f"{section}.{key}").source == "default"
    assert config.given == frozenset()


def test_lists_of_text_are_one_item_a_line(load: Load) -> None:
    for key in ("ignore", "slices"):
        name = f"MLCI_DATA_{key.upper()}"
        config = load("", {name: " region \n\n plan: a, b\n"})
        assert config.explain(f"data.{key}").value == ["region", "plan: a, b"]
        assert load("", {name: '["a", "b"]'}).explain(f"data.{key}").value == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("- region\n- {column: age, bins: 4}\n", ["region", {"column": "age", "bins": 4}]),
        (
            "[region, {name: far, where: distance > 1000}]",
            ["region", {"name": "far", "where": "distance > 1000"}],
        ),
    ],
)
def test_lists_of_texts_and_rules_are_yaml_too(load: Load, text: str, entries: list[Any]) -> None:
    assert load("", {"MLCI_DATA_SLICES": text}).explain("data.slices").value == entries


def test_overrides_reach_into_mappings_and_lists(load: Load) -> None:
    text = {
        "train": {"params": {"depth": 3, "inner": {"a": 1}}},
        "compare-to-baseline": {
            "gates": [{"metric": "accuracy", "no-worse-than": 0.1}, {"metric": "recall", "at-least": 1}]
        },
    }
    config = load(
        text,
        {},
        {
            "train.params.depth": "5",
            "train.params.inner.b": "[1, x]",
            "train.params.new.deep": "no",
            "compare-to-baseline.gates.0.no-worse-than": "0.2",
        },
    )
    assert config.explain("train.params").value == {
        "depth": 5,
        "inner": {"a": 1, "b": [1, "x"]},
        "new": {"deep": "no"},
    }
    assert config.explain("compare-to-baseline.gates.0.no-worse-than").value == 0.2
    assert config.explain("compare-to-baseline.gates.0.no-worse-than").source == (
        "option compare-to-baseline.gates.0.no-worse-than"
    )
    assert config.explain("compare-to-baseline.gates.1.metric").value == "recall"
    assert config.given == {"train", "compare-to-baseline"}


def test_an_override_of_an_aliased_mapping_changes_only_its_own_key(load: Load) -> None:
    text = "train:\n  params: {a: &x {n: 1}, b: *x}\n"
    config = load(text, {}, {"train.params.a.n": "2"})
    assert config.explain("train.params").value == {"a": {"n": 2}, "b": {"n": 1}}


@pytest.mark.parametrize(
    ("overrides", "code", "message", "hint"),
    [
        ({"trian.seed": "1"}, "config.unknown-key", "unknown key 'trian.seed'", "did you mean 'train'?"),
        ({"train.sede": "1"}, "config.unknown-key", "unknown key 'sede' in 'train'", "did you mean 'seed'?"),
        ({"train": "1"}, "config.unknown-key", "unknown key 'train'", ""),
        ({"train.seed": "abc"}, "config.invalid", "'train.seed': 'abc' is not a number", ""),
        ({"train.seed": "-1"}, "config.invalid", "'train.seed': -1", "mlci explain train.seed"),
        ({"train.seed": "1.5"}, "config.invalid", "'train.seed': 1.5", ""),
        ({"train.seed.x": "1"}, "config.invalid", "'train.seed'", ""),
        ({"train.params": "[1"}, "config.unreadable", "option train.params, line 1", ""),
        ({"train.params": "3"}, "config.invalid", "'train.params': 3", ""),
        (
            {"compare-to-baseline.gates.7.metric": "x"},
            "config.unknown-key",
            "has no item 7",
            "it has 1 items",
        ),
        ({"compare-to-baseline.gates.²": "x"}, "config.unknown-key", "has no item ²", ""),
        ({"compare-to-baseline.gates.0.metric.x": "1"}, "config.invalid", "'metric' is a single value", ""),
    ],
)
def test_an_override_that_does_not_fit_is_named(
    load: Load, overrides: dict[str, str], code: str, message: str, hint: str
) -> None:
    text = {"compare-to-baseline": {"gates": [{"metric": "accuracy", "at-least": 1}]}}
    with pytest.raises(MlciError) as caught:
        load(text, {}, overrides)
    assert caught.value.code == code
    assert message in caught.value.message
    assert next(iter(overrides)).partition(".")[0] in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("dta: {}", "unknown section 'dta' in mlci.yaml", "did you mean 'data'?"),
        ("1: {}", "unknown section '1' in mlci.yaml", "known: project"),
        ("data:\n  lable: x", "unknown key 'lable' in 'data' of mlci.yaml:2", "did you mean 'label'?"),
        (
            "train:\n  cross_validation: 3",
            "unknown key 'cross_validation' in 'train'",
            "did you mean 'cross-validation'?",
        ),
        (
            "compare-to-baseline:\n  gates:\n    - {metric: f1, at-least: 1}\n    - {metric: f1, no_worse_then: 1}",
            "'no_worse_then' in 'compare-to-baseline.gates.1' of mlci.yaml:4",
            "did you mean 'no-worse-than'?",
        ),
    ],
)
def test_unknown_keys_at_every_level_get_the_nearest_one(
    load: Load, text: str, message: str, hint: str
) -> None:
    with pytest.raises(MlciError) as caught:
        load(text)
    assert caught.value.code == "config.unknown-key"
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [("MLCI_TRAIN_SEDE", "did you mean 'MLCI_TRAIN_SEED'?"), ("MLCI_DATA_" + "Q" * 40, "mlci explain")],
)
def test_unknown_variables_of_a_section_are_refused(load: Load, name: str, hint: str) -> None:
    with pytest.raises(MlciError) as caught:
        load("", {name: "1"})
    assert caught.value.code == "config.unknown-key"
    assert f"unknown variable '{name}'" in caught.value.message
    assert hint in caught.value.hint


def test_other_variables_are_none_of_our_business(load: Load) -> None:
    assert load("", {"PATH": "x", "MLCI_DEBUG": "1", "MLCI_OUT": "o", "MLFLOW_TRACKING_URI": "u"}).project


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "mlci.yaml is not a mapping of sections"),
        ("text", "mlci.yaml is not a mapping of sections"),
        ("data: [1]", "'data' in mlci.yaml is not a mapping of keys"),
        ("project: 3", "'project' in mlci.yaml is not text"),
        ("train:\n  seed: '3'", "'train.seed': '3'"),
        ("train:\n  timeout: .nan", "'train.timeout'"),
        ("train:\n  timeout: 0", "'train.timeout': 0"),
        ("data:\n  label: 3", "'data.label': 3"),
        ("data:\n  task: ranking", "'data.task': 'ranking'"),
        ("train:\n  command: a\n  estimator: b", "only one of command, estimator, pipeline"),
        ("compare-to-baseline:\n  gates: [{metric: accuracy}]", "exactly one of no-worse-than"),
        ("compare-to-baseline:\n  gates: [{at-least: 1}]", "'compare-to-baseline.gates.0.metric' is missing"),
    ],
)
def test_wrong_values_are_named_with_key_and_value(load: Load, text: str, message: str) -> None:
    with pytest.raises(MlciError) as caught:
        load(text)
    assert caught.value.code in ("config.invalid", "config.unreadable")
    assert message in caught.value.message


def test_all_problems_of_a_section_are_told_at_once(load: Load) -> None:
    with pytest.raises(MlciError) as caught:
        load("train:\n  seed: -1\n  sede: 2\n  timeout: 0")
    text = caught.value.message
    assert "mlci.yaml:2" in text
    assert "mlci.yaml:3" in text
    assert "mlci.yaml:4" in text
    assert text.count("\nalso: ") == 2


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_every_key_can_be_explained(load: Load, section: str, key: str) -> None:
    config = load("project: p\n")
    assert config.explain(f"{section}.{key}").source == "default"
    with pytest.raises(MlciError) as caught:
        config.explain(f"{section}.{key}x.y")
    assert caught.value.code == "config.unknown-key"


def test_explain_knows_sections_items_and_the_project(load: Load) -> None:
    config = load("project: p\ndata:\n  slices: [a, b]\n")
    assert (config.explain("project").value, config.explain("project").source) == ("p", "mlci.yaml:1")
    assert config.explain("data").value["slices"] == ["a", "b"]
    assert config.explain("data.slices.1").value == "b"
    assert config.explain("data.slices.1").source == "mlci.yaml:3"
    for wrong in ("dta", "data.slices.2", "data.slices.²", "data.label.x", ""):
        with pytest.raises(MlciError, match=r"there is no"):
            config.explain(wrong)


def test_project_is_the_folder_by_default_and_a_variable_wins(load: Load, tmp_path: Path) -> None:
    assert load("").project == tmp_path.name
    assert load("project: null").project == tmp_path.name
    assert load("project: p", {"MLCI_PROJECT": "q"}).project == "q"
    assert load("project: p", {"MLCI_PROJECT": "q"}, {"project": "r"}).project == "r"


def test_where_names_the_nearest_line_above(load: Load) -> None:
    config = load("compare-to-baseline:\n  gates:\n    - metric: f1\n      at-least: 1\n")
    assert config.where("compare-to-baseline.gates.0.at-least") == "mlci.yaml:4"
    assert config.where("compare-to-baseline.gates.0.on") == "mlci.yaml:3"
    assert config.where("compare-to-baseline.alpha") == "mlci.yaml:1"
    assert config.where("train.seed") is None


def test_the_file_is_found_here_or_above(tmp_path: Path) -> None:
    (tmp_path / "mlci.yaml").touch()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    found = (tmp_path / "mlci.yaml").resolve()
    assert find_file(None, inner) == find_file(tmp_path, inner) == find_file(Path("../.."), inner) == found
    with pytest.raises(MlciError) as caught:
        find_file(Path("nothing.yaml"), tmp_path)
    assert caught.value.code == "config.missing"
    assert "mlci init" in caught.value.hint
