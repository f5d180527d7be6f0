"""Secrets in the environment reach the training program and nothing that mlci prints or writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tiny_project import PREDICTS, Project

SECRETS = {
    "STORE_PASSWORD": "correct-horse",
    "STORE_PASSWORD_LONG": "correct-horse-battery",
    "DEPLOY_TOKEN": "ghp_planted0123456789",
    "MY_SECRET": "first-secret-line\nsecond-secret-line",
    "AWS_SECRET_ACCESS_KEY": "aws/planted+key",
}
PARTS = {name: part for name, value in SECRETS.items() for part in value.split("\n")} | {
    "user": "someone:in-the-address"
}
ECHO = """
import os
for name in os.environ:
    print(name, os.environ[name])
print("https://someone:in-the-address@example.org/x")
"""


def no_secret(project: Project, text: str, holds: Callable[[Path, Mapping[str, str]], list[str]]) -> None:
    """Assert that no secret is in what was printed, nor in any file that mlci wrote."""
    assert [name for name, part in PARTS.items() if part in text] == []
    assert holds(project.out, PARTS) == []
    assert holds(project.root / ".mlci", PARTS) == []


Holds = Callable[[Path, Mapping[str, str]], list[str]]


@pytest.mark.parametrize("ends", [0, 1])
def test_what_a_program_echoes_is_masked(program: Callable[..., Project], holds: Holds, ends: int) -> None:
    project = program(PREDICTS + ECHO + f"raise SystemExit({ends})\n", predictions="predictions.csv")
    done = project.mlci("run", "--until", "train", **SECRETS)
    assert done.code == (3 if ends else 0), done
    assert "DEPLOY_TOKEN ***" in done.text
    no_secret(project, done.out + done.err, holds)


def test_what_an_estimator_raises_is_masked(project: Project, holds: Holds) -> None:
    project.write(
        "own.py",
        "import os\nfrom sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Model(ClassifierMixin, BaseEstimator):\n    def fit(self, rows, labels):\n"
        "        print(os.environ['STORE_PASSWORD_LONG'])\n"
        "        raise ValueError('cannot log in with ' + os.environ['STORE_PASSWORD_LONG'])\n"
        "    def predict(self, rows):\n        return rows\n",
    )
    project.configure(validate_data=None, train={"estimator": "own.Model", "cross-validation": 0})
    done = project.mlci("run", **SECRETS)
    done.refused("train.fit-failed", 3, "cannot log in with ***")
    no_secret(project, done.out + done.err, holds)


def test_a_secret_in_the_data_is_masked_in_sentences(project: Project, holds: Holds) -> None:
    lines = (project.root / "data/evaluate.csv").read_text().replace(",N,", f",{SECRETS['DEPLOY_TOKEN']},")
    project.write("data/evaluate.csv", lines)
    expectation = {"type": "expect_column_values_to_be_in_set", "column": "region", "value_set": ["S"]}
    project.configure(validate_data={"expectations": [expectation], "show-values": "always"})
    done = project.mlci("validate-data", **SECRETS)
    assert done.code == 1, done
    no_secret(project, done.out + done.err, holds)


def test_a_secret_as_a_value_of_a_slice_a_parameter_or_a_reason_is_masked(
    project: Project, holds: Holds
) -> None:
    """What names a slice comes from the data, and what stands in mlci.yaml may be what should not stand there."""
    for name in ("train", "evaluate"):
        lines = (project.root / f"data/{name}.csv").read_text().replace(",N,", f",{SECRETS['DEPLOY_TOKEN']},")
        project.write(f"data/{name}.csv", lines)
    data = {"train": "data/train.csv", "evaluate": "data/evaluate.csv", "label": "label", "key": "key"}
    project.configure(
        data={**data, "slices": ["region"]},
        validate_data=None,
        train={
            "estimator": "sklearn.pipeline.Pipeline",
            "params": {"steps": [["model", "passthrough"]], "memory": SECRETS["STORE_PASSWORD_LONG"]},
        },
        compare_to_baseline={"gates": [{"metric": "accuracy", "at-least": 0.99, "per-slice": True}]},
        package=None,
        deploy=None,
    )
    done = project.mlci("run", **SECRETS)
    assert [name for name, part in PARTS.items() if part in done.out + done.err] == []
    project.configure(
        data={**data, "slices": ["region"]},
        validate_data=None,
        train={
            "estimator": "sklearn.linear_model.LogisticRegression",
            "params": {"solver": "lbfgs"},
            "cross-validation": 0,
        },
        compare_to_baseline={"gates": [{"metric": "accuracy", "at-least": 0.99, "per-slice": True}]},
        package=None,
        deploy=None,
    )
    done = project.mlci("run", **SECRETS)
    assert done.code == 1, done
    faces = [path for path in project.out.iterdir() if path.is_file()]
    assert {"report.json", "report.md", "junit.xml"} <= {path.name for path in faces}
    for path in faces:
        text = path.read_text("utf-8")
        assert [name for name, part in PARTS.items() if part in text] == [], path.name
    assert "region=***" in (project.out / "report.md").read_text("utf-8").replace("\\", "")
