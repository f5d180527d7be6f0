"""A configuration that cannot be meant is refused with its place, its name and the way out."""

from __future__ import annotations

from typing import Any

import pytest
from tiny_project import CONFIG, PREDICTS, Project

GATE = {"metric": "accuracy", "at-least": 0.6}


def test_without_a_configuration_it_says_how_to_get_one(project: Project) -> None:
    (project.root / "mlci.yaml").unlink()
    project.mlci("run").refused("config.missing", 2, "mlci.yaml", "mlci init")
    assert not project.out.exists()


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"train": {"estimator": "x", "sed": 3}}, ("unknown key 'sed' in 'train'", "did you mean 'seed'?")),
        (
            {"compare_to_baseline": {"gates": [{"metric": "accuracy", "at-leest": 0.6}]}},
            ("unknown key 'at-leest'", "did you mean 'at-least'?"),
        ),
        ({"trian": {}}, ("unknown section 'trian'", "did you mean 'train'?")),
    ],
    ids=["in a section", "in a gate", "a section"],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(
    project: Project, sections: dict[str, Any], says: tuple[str, ...]
) -> None:
    project.configure(**sections)
    project.mlci("run").refused("config.unknown-key", 2, "mlci.yaml", *says)
    assert not project.out.exists()


def test_an_unknown_variable_is_refused_with_the_nearest_one(project: Project) -> None:
    done = project.mlci("plan", MLCI_TRAIN_SEDE="3")
    done.refused("config.unknown-key", 2, "MLCI_TRAIN_SEDE", "did you mean 'MLCI_TRAIN_SEED'?")


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("train.sede=3", ("'sede' in 'train'", "did you mean 'seed'?")),
        ("trian.seed=3", ("'trian.seed'", "did you mean 'train'?")),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_one(
    project: Project, option: str, says: tuple[str, ...]
) -> None:
    project.mlci("plan", "--set", option).refused("config.unknown-key", 2, *says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("project: x\ntrain: {command: [}\n", ("mlci.yaml, line 2",)),
        ("project: x\ntrain:\n\tseed: 3\n", ("mlci.yaml, line 3",)),
        ("project: x\ntrain: {seed: 3}\ntrain: {seed: 4}\n", ("'train' stands twice", "line 3")),
        ("- just\n- a list\n", ("not a mapping of sections",)),
        (b"project: caf\xe9\n", ("not UTF-8",)),
    ],
    ids=["brackets", "tab", "key twice", "a list", "latin-1"],
)
def test_a_file_that_is_no_yaml_is_refused_with_the_line(
    project: Project, text: str | bytes, says: tuple[str, ...]
) -> None:
    project.write("mlci.yaml", text)
    project.mlci("run").refused("config.unreadable", 2, "mlci.yaml", *says)


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"train": {"estimator": "x", "seed": "many"}}, ("'train.seed'", "many")),
        ({"train": {"estimator": "x", "cross-validation": -1}}, ("'train.cross-validation'", "-1")),
        ({"train": "python train.py"}, ("'train'", "not a mapping")),
        ({"data": {**CONFIG["data"], "slices": "region"}}, ("'data.slices'",)),
        ({"train": {"estimator": "x", "command": "y"}}, ("only one of", "command, estimator")),
        ({"compare_to_baseline": {"gates": [{"metric": "accuracy"}]}}, ("exactly one of", "no-worse-than")),
        (
            {"compare_to_baseline": {"gates": [{**GATE, "no-worse-than": 0.1}]}},
            ("exactly one of", "given: no"),
        ),
        ({"compare_to_baseline": {"gates": [{"at-least": 0.5}]}}, ("metric", "is missing")),
        ({"deploy": {"port": 99999}}, ("'deploy.port'", "99999")),
    ],
    ids=[
        "text for a number", "out of range", "text for a section", "text for a list", "two ways to train",
        "gate without limit", "gate with two limits", "gate without metric", "no such port",
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_its_key(
    project: Project, sections: dict[str, Any], says: tuple[str, ...]
) -> None:
    project.configure(**sections)
    # "only one of … can be given" is the way out already.
    project.mlci("run").refused("config.invalid", 2, "mlci.yaml", *says, hint="only one of" not in says)
    assert not project.out.exists()


def test_a_comparison_without_gates_gives_no_verdict(project: Project) -> None:
    project.write("train.py", PREDICTS)
    train = {"command": "python train.py", "predictions": "predictions.csv"}
    project.configure(validate_data=None, train=train, compare_to_baseline={"gates": []})
    project.mlci("run").refused("config.no-gates", 2, "compare-to-baseline", "gates: [{metric:")
    project.nothing_half_written()


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "project: tiny\n"])
def test_an_empty_file_is_a_project_without_stages(project: Project, text: str) -> None:
    project.write("mlci.yaml", text)
    done = project.mlci("run")
    assert done.code == 0, done
    assert "Nothing to evaluate" in done.text
    assert "Passed" not in done.text


@pytest.mark.parametrize("option", ["train", "=3"])
def test_an_override_without_key_or_value_is_refused(project: Project, option: str) -> None:
    project.mlci("plan", "--set", option).refused("usage", 2, "KEY=VALUE")
