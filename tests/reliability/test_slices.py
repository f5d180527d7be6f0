"""Slices from mlci.yaml to the verdict and its explanation: two models that differ on one carrier."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_project import CONFIG, Done, Project, make

PROGRAM = """
import shutil
shutil.copy("candidate-predictions.csv", "made.csv")
"""
AUTHOR = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
GATES = [
    {"metric": "accuracy", "no-worse-than": 0.03},
    {"metric": "recall", "no-worse-than": 0.05, "per-slice": ["carrier"]},
    {"metric": "accuracy", "no-worse-than": 0.04, "worst-slice": True},
]
SLICES: list[Any] = [
    "carrier",
    {"name": "long-haul", "where": "distance > 1500 and not carrier in ['AA']"},
    {"column": "distance", "bins": 3},
    {"cross": ["carrier", {"name": "reach", "column": "distance", "edges": [1000]}]},
]


def rows() -> pd.DataFrame:
    chance = np.random.default_rng(5)
    carrier = chance.choice(["AA", "UA", "MQ", "XX"], 6000, p=[0.4, 0.37, 0.2, 0.03])
    distance = chance.integers(100, 3000, 6000)
    return pd.DataFrame(
        {
            "key": np.arange(6000),
            "carrier": carrier,
            "distance": distance,
            "label": (chance.random(6000) < 0.4).astype(int),
        }
    )


def answers(table: pd.DataFrame, seed: int, worse_on: str | None = None) -> pd.DataFrame:
    """Return predictions that are wrong on one row in ten, and on more of the short flights of one carrier."""
    chance = np.random.default_rng(seed)
    share = np.full(len(table), 0.10)
    if worse_on:
        share[(table.carrier == worse_on) & (table.distance < 1500)] = 0.45
    # Both models are wrong on nearly the same rows, as two versions of a model are.
    luck = np.random.default_rng(99).random(len(table)) + chance.normal(0, 0.005, len(table))
    wrong = luck < share
    return pd.DataFrame(
        {"key": table.key, "label": table.label, "prediction": np.where(wrong, 1 - table.label, table.label)}
    )


def built(root: Path, **changes: Any) -> Project:
    project = make(root)
    table = changes.pop("table", rows())
    project.write("data/evaluate.csv", table.to_csv(index=False))
    project.write("data/train.csv", table.to_csv(index=False))
    project.write(
        "candidate-predictions.csv", answers(table, 2, changes.pop("worse_on", "MQ")).to_csv(index=False)
    )
    before = changes.pop("before", table)
    project.write(
        "before.csv", before.merge(answers(before, 1).drop(columns="label"), on="key").to_csv(index=False)
    )
    project.write("train.py", PROGRAM)
    data = {"train": "data/train.csv", "evaluate": "data/evaluate.csv", "label": "label", "key": "key"}
    return project.configure(
        data=data | {"slices": changes.pop("slices", SLICES)},
        validate_data=None,
        train={"command": "python train.py", "predictions": "made.csv"},
        # The program only copies answers, so it does not matter that it is given the evaluation rows.
        compare_to_baseline={
            "baseline": "before.csv",
            "gates": changes.pop("gates", GATES),
            "leakage": "off",
        },
        package=None,
        deploy=None,
    )


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Done]:
    """A project after a change that hurts one carrier."""
    project = built(tmp_path_factory.mktemp("slices") / "project")
    return project, project.mlci("run")


def test_the_slice_that_a_change_hurts_is_named(hurt: tuple[Project, Done]) -> None:
    project, done = hurt
    assert done.code == 1, done
    result = project.result("compare-to-baseline")
    assert result is not None
    assert result.reason.startswith("recall on carrier=MQ is worse: ")
    assert "adjusted p = " in result.reason
    assert " positives)" in result.reason
    failed = {check.slice for check in result.checks if check.status.value == "failed" and check.slice}
    assert failed == {"carrier=MQ"}
    summary = next(check for check in result.checks if check.name.endswith(" per slice"))
    assert "Holm over 4" in summary.message
    worst = next(check for check in result.checks if check.name.startswith("Worst-slice"))
    assert worst.metric is not None
    assert worst.metric.interval is not None
    assert worst.status.value == "failed"
    assert worst.metric.slice == "carrier=MQ"
    assert "Bonferroni" in worst.metric.interval.method
    assert worst.metric.interval.high < -0.04
    assert result.details["slices"]["long-haul"] > 1000
    assert done.text.count("mlci explain --slice") == 1


def test_a_gate_is_explained_step_by_step(hurt: tuple[Project, Done]) -> None:
    project, _ = hurt
    done = project.mlci("explain", "--gate", "Worst-slice accuracy no-worse-than 0.04")
    assert done.code == 0, done
    for phrase in ("set by mlci.yaml:", "rules of this checkout", "gain is between", "lies below the limit"):
        assert phrase in done.text, done
    assert (
        "p-value that both are equal, two-sided (McNemar, mid-p):"
        in project.mlci("explain", "--gate", "recall").out
    )
    found = json.loads(project.mlci("explain", "--gate", "1", "--json").out)
    assert found["gate"] == "recall no-worse-than 0.05"
    assert [each["slice"] for each in found["slices"] if each["status"] == "failed"] == ["carrier=MQ"]
    project.mlci("explain", "--gate", "recal").refused(
        "usage", 2, "no gate 'recal'", "did you mean 'recall'?"
    )


def test_a_slice_is_explained_by_the_rows_that_changed(hurt: tuple[Project, Done]) -> None:
    project, _ = hurt
    done = project.mlci("explain", "--slice", "carrier=MQ")
    assert done.code == 0, done
    found = json.loads(project.mlci("explain", "--slice", "carrier=MQ", "--json").out)
    table = rows()
    before, after = answers(table, 1), answers(table, 2, "MQ")
    inside = (table.carrier == "MQ").to_numpy()
    was, now = (each.prediction == each.label for each in (before, after))
    assert found["rows"]["rows"] == inside.sum()
    assert found["rows"]["positives"] == (inside & (table.label == 1)).sum()
    assert found["rows"]["right_to_wrong"] == (inside & was & ~now).sum()
    assert found["rows"]["wrong_to_right"] == (inside & ~was & now).sum()
    assert {each["metric"] for each in found["metrics"]} == {"accuracy", "recall"}
    assert found["differences"][0]["column"] == "distance"
    keys = found["examples"]["worse"]
    assert len(keys) == 5
    assert (inside & was & ~now)[keys].all()
    assert "distance" in done.text
    hidden = project.mlci("explain", "--slice", "carrier=MQ", "--json", CI="true")
    facts = json.loads(hidden.out)
    assert facts["examples"] == {}
    assert {each["value"] for each in facts["differences"]} == {None}
    project.mlci("explain", "--slice", "carrier=MO").refused("usage", 2, "did you mean 'carrier=")


def test_explaining_needs_a_comparison_of_these_rows(hurt: tuple[Project, Done], tmp_path: Path) -> None:
    copied = hurt[0].copy(tmp_path / "copy")
    with (copied.root / "data/evaluate.csv").open("a") as file:
        file.write("6001,AA,500,1\n")
    copied.mlci("explain", "--slice", "carrier=MQ").refused("stage.not-run", 3, "has changed since")
    copied.mlci("explain", "--gate", "accuracy", "--out", "nowhere").refused(
        "stage.not-run", 3, "mlci compare-to-baseline"
    )


def test_two_equal_models_fail_no_slice(tmp_path: Path) -> None:
    project = built(tmp_path / "project", worse_on=None)
    done = project.mlci("run")
    assert done.code == 0, done
    result = project.result("compare-to-baseline")
    assert result is not None
    assert {check.word for check in result.checks if check.word} <= {"not worse", "unclear", "too few rows"}


def test_a_declared_slice_without_rows_fails(tmp_path: Path) -> None:
    table = rows()
    today = table[table.carrier != "UA"].reset_index(drop=True)
    gates = [{"metric": "accuracy", "no-worse-than": 0.05, "per-slice": True}]
    declared = [{"column": "carrier", "values": ["AA", "UA"]}]
    done = built(tmp_path / "project", worse_on=None, table=today, slices=declared, gates=gates).mlci("run")
    assert done.code == 1, done
    assert "1 slice has no rows in the evaluation data any more: carrier=UA (declared)" in done.text


RULE = """
import csv, os
with open(os.environ["MLCI_DATA_EVALUATE"]) as stream:
    rows = list(csv.DictReader(stream))
with open("made.csv", "w") as stream:
    csv.writer(stream).writerows([["key", "prediction"], *([row["key"], row["label"]] for row in rows)])
"""


def test_a_slice_that_the_base_commit_was_judged_on_and_that_is_gone_fails(tmp_path: Path) -> None:
    table = rows()
    project = built(tmp_path / "project", worse_on=None)
    project.write("train.py", RULE)
    gates = [{"metric": "accuracy", "no-worse-than": 0.05, "per-slice": True}]
    project.configure(
        data={"train": "data/train.csv", "evaluate": "data/evaluate.csv", "label": "label", "key": "key"}
        | {"slices": ["carrier"]},
        validate_data=None,
        train={"command": "python train.py", "predictions": "made.csv"},
        compare_to_baseline={"baseline": "git:HEAD", "gates": gates},
        package=None,
        deploy=None,
    )
    project.write(".gitignore", "mlci-out\n.mlci\nmade.csv\n")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *AUTHOR, *command], cwd=project.root, check=True)
    today = table[table.carrier != "UA"]
    project.write("data/evaluate.csv", today.to_csv(index=False))
    project.write("train.py", f"{RULE}# another commit\n")
    done = project.mlci("run")
    assert done.code == 1, done
    before = int((table.carrier == "UA").sum())
    assert f"carrier=UA ({before:,} rows before)" in done.text
    assert "carrier=MQ (" not in done.text


def test_a_slice_that_the_champion_was_judged_on_and_that_is_gone_fails(tmp_path: Path) -> None:
    project = make(tmp_path / "project")
    data = CONFIG["data"] | {"slices": ["region"]}
    gates = [{"metric": "accuracy", "no-worse-than": 0.3, "per-slice": True}]
    project.configure(data=data, compare_to_baseline={"gates": gates})
    assert project.mlci("run").code == 0
    lines = (project.root / "data/evaluate.csv").read_text().splitlines(keepends=True)
    project.write("data/evaluate.csv", "".join(line for line in lines if ",S," not in line))
    done = project.mlci("run", "--until", "compare-to-baseline")
    assert done.code == 1, done
    south = sum(",S," in line for line in lines)
    assert f"region=S ({south} rows before)" in done.text


@pytest.mark.parametrize(
    ("entry", "phrases"),
    [
        ("carier", ("no column 'carier'", "mlci.yaml:", "did you mean 'carrier'?")),
        ({"name": "far", "where": "distence > 3"}, ("no column 'distence'", "did you mean 'distance'?")),
        ({"name": "odd", "where": "carrier > 3"}, ("compares a text with a number", "mlci.yaml:")),
        ({"column": "carrier", "bins": 3}, ("bins need a column of numbers", "mlci.yaml:")),
        ({"cross": ["key", "carrier"]}, ("6,000 slices", "at most 1,000")),
    ],
)
def test_an_entry_that_does_not_fit_the_data_is_refused(
    tmp_path: Path, entry: Any, phrases: tuple[str, ...]
) -> None:
    done = built(
        tmp_path / "project",
        slices=[entry],
        gates=[{"metric": "accuracy", "no-worse-than": 0.1, "per-slice": True}],
    ).mlci("run")
    assert done.code in (2, 3), done
    for phrase in phrases:
        assert phrase in done.text, done
