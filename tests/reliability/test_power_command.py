"""`mlci power`: says what it rests on, from nothing at all to a measured comparison."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from tiny_project import Project, rows

GATES = [
    {"metric": "accuracy", "no-worse-than": 0.01},
    {"metric": "recall", "no-worse-than": 0.05, "per-slice": True},
    {"metric": "f1", "no-worse-than": 0.02},
    {"metric": "accuracy", "at-least": 0.6},
]


@pytest.fixture
def asked(project: Project) -> Project:
    """A project with a baseline that is a file, which is not there yet."""
    data = {"train": "data/train.csv", "evaluate": "data/evaluate.csv", "label": "label", "key": "key"}
    project.write("data/evaluate.csv", rows(500, 5000))
    return project.configure(
        data={**data, "slices": ["region"]},
        compare_to_baseline={"baseline": "base.csv", "gates": GATES},
    )


def told(project: Project, *options: str) -> dict[str, dict[str, Any]]:
    done = project.mlci("power", "--json", *options)
    assert done.code == 0, done
    return {gate["gate"]: gate for gate in json.loads(done.out)["gates"]}


def test_power_knows_more_with_every_step(asked: Project) -> None:
    gates = told(asked)
    first = gates["accuracy no-worse-than 0.01"]
    assert first["source"] == "assumed"
    assert first["needed"] == pytest.approx(6.18 * 0.08 / 0.01**2, rel=0.01)
    assert "without predictions" in gates["f1 no-worse-than 0.02"]["problem"]
    assert {"N", "S"} == {name[-2] for name in gates if "[" in name}
    labels = pd.read_csv(asked.root / "data/evaluate.csv")
    assert gates["recall no-worse-than 0.05"]["support"] == int(labels["label"].sum())

    assert asked.mlci("train").code == 0
    gates = told(asked)
    assert gates["accuracy no-worse-than 0.01"]["source"] == "stand-in"
    assert gates["f1 no-worse-than 0.02"]["needed"] > 500
    assert gates["accuracy at-least 0.6"]["source"] == "measured"

    predictions = pd.read_parquet(asked.out / "train/predictions.parquet")
    predictions.loc[::20, "prediction"] = 1 - predictions.loc[::20, "prediction"]
    predictions[["key", "prediction"]].to_csv(asked.root / "base.csv", index=False)
    measured = told(asked)["accuracy no-worse-than 0.01"]
    assert measured["source"] == "measured"
    # 5 % of the rows differ; their share is what the spread is made of.
    assert measured["standard_error"] == pytest.approx((0.05 / 500) ** 0.5, rel=0.25)

    assert asked.mlci("compare-to-baseline").code in (0, 1)
    (asked.root / "base.csv").unlink()
    last = told(asked)["accuracy no-worse-than 0.01"]
    assert last["source"] == "last result"
    assert last["standard_error"] == pytest.approx(measured["standard_error"], rel=0.3)
    assert told(asked, "--discordant", "0.05")["accuracy no-worse-than 0.01"]["source"] == "stand-in"


def test_power_says_in_one_sentence_what_is_missing(asked: Project) -> None:
    done = asked.mlci("power", "--metric", "accuracy", "--margin", "0.02")
    assert done.code == 0
    assert done.out.startswith("The smallest change of accuracy that these 500 rows can see is 0.0315")
    assert "needs about 1,237 rows" in done.out
    assert "equal passes" in done.out
    enough = asked.mlci("power", "--metric", "accuracy", "--margin", "0.05")
    assert enough.out.startswith("Every margin on all rows can be seen with 80% power")


@pytest.mark.parametrize(
    ("options", "code", "phrase"),
    [
        (("--metric", "acuracy", "--margin", "0.1"), "usage", "did you mean 'accuracy'"),
        (("--metric", "mcc"), "usage", "no gate is on mcc"),
        (("--margin", "0"), "usage", "--margin must be above 0"),
        (("--power", "1.5"), "usage", "--power must lie between 0 and 1"),
        (("--discordant", "0"), "usage", "--discordant must lie between 0 and 1"),
    ],
)
def test_power_refuses_what_makes_no_sense(
    asked: Project, options: tuple[str, ...], code: str, phrase: str
) -> None:
    asked.mlci("power", *options).refused(code, 2, phrase)
