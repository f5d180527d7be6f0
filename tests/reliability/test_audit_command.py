"""`mlci audit-gate`: the whole policy on simulated changes, near its nominal rates."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_project import Project, rows

from mlci.core.inputs import DataInputs
from mlci.stages._auditing import Auditor
from mlci.stages.compare_to_baseline import CompareInputs

ROUNDS = 250


def tables(count: int, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two models that differ on some rows, and on four regions in 500 groups."""
    chance = np.random.default_rng(seed)
    label = chance.integers(0, 2, count)
    shared = 1.5 * label + chance.normal(size=count)
    frame = pd.DataFrame({"y": label, "region": chance.integers(0, 4, count).astype(str)})
    frame["group"] = np.arange(count) % 500
    made = []
    for _ in range(2):
        yes = 1 / (1 + np.exp(0.75 - shared - 0.4 * chance.normal(size=count)))
        answers = {"prediction": (yes > 0.5).astype(int), "probability_0": 1 - yes, "probability_1": yes}
        made.append(frame.assign(**answers))
    return made[0], made[1]


def audited(gates: list[dict[str, Any]], data: dict[str, Any], *, rounds: int = ROUNDS, **more: Any) -> Any:
    inputs = CompareInputs.model_validate({"gates": gates, **more})
    return Auditor(inputs, DataInputs(label="y", **data), tables(2000), rounds, lambda _: None).audit()


@pytest.mark.parametrize("data", [{}, {"group": "group"}])
def test_rates_are_near_what_they_are_said_to_be(data: dict[str, Any]) -> None:
    metrics = ("accuracy", "roc_auc", "log_loss")
    found = audited([{"metric": name, "no-worse-than": 0.01} for name in metrics], data)
    for gate in found.gates:
        assert gate.alarm.share < 0.02
        assert 0.4 < gate.point.share < 0.6
        low, high = gate.false_pass.interval
        assert low < 0.06
        assert high > 0.03
    assert found.alarm.share < 0.02


def test_slices_are_part_of_the_policy_and_corrected() -> None:
    tiny = {"metric": "accuracy", "no-worse-than": 1e-9, "per-slice": True}
    found = audited([tiny], {"slices": ["region"]})
    # A margin of nothing: each side of the interval is wrong in 5 %, and Holm's family of slices too.
    assert 0.04 < found.alarm.share < 0.16
    assert found.gates[0].unclear.share > 0.8


@pytest.mark.parametrize("data", [{}, {"group": "group"}])
@pytest.mark.parametrize("key", ["per-slice", "worst-slice"])
def test_harm_in_one_slice_hardly_ever_passes_there(data: dict[str, Any], key: str) -> None:
    gate = {"metric": "accuracy", "no-worse-than": 0.03, key: True}
    found = audited([gate], {"slices": ["region"], **data}, rounds=150)
    harmed = found.gates[0].slices
    assert sorted(one.slice for one in harmed) == [f"region={number}" for number in range(4)]
    assert sum(one.rows for one in harmed) == 2000
    for one in harmed:
        assert one.problem is None
        assert one.false_pass.interval[0] < 0.06
        assert one.false_pass.rounds == 150
    assert sum(one.false_pass.hits for one in harmed) > 0


def test_slices_that_cannot_be_simulated_say_why() -> None:
    gate = {"metric": "accuracy", "no-worse-than": 0.03, "per-slice": True}
    found = audited([gate], {"slices": ["region"]}, rounds=20, minimum_rows=510)
    few = [one for one in found.gates[0].slices if one.rows < 510]
    assert few
    assert {one.problem for one in few} == {"too few rows to be judged"}
    gate["no-worse-than"] = 1.5
    found = audited([gate], {"slices": ["region"]}, rounds=20)
    assert all("no weights of these rows" in one.problem for one in found.gates[0].slices)


def test_advisory_and_better_by_gates_raise_no_false_alarm() -> None:
    found = audited(
        [
            {"metric": "accuracy", "at-least": 0.99, "advisory": True},
            {"metric": "accuracy", "better-by": 0.05},
        ],
        {},
        rounds=20,
    )
    assert found.alarm.hits == 0
    assert not found.gates[0].blocking
    assert found.gates[1].alarm.share == 1.0
    assert found.gates[1].false_pass is None


def test_the_command_shows_rates_beside_those_of_a_bare_comparison(project: Project) -> None:
    data = {"train": "data/train.csv", "evaluate": "data/evaluate.csv", "label": "label", "key": "key"}
    project.write("data/evaluate.csv", rows(500, 5000))
    project.configure(
        data=data,
        compare_to_baseline={
            "baseline": "base.csv",
            "gates": [
                {"metric": "accuracy", "no-worse-than": 0.02},
                {"metric": "f1", "better-by": 0},
                {"metric": "sklearn:f1", "at-least": 0.1},
                {"metric": "model_size", "at-most": 1_000_000_000},
            ],
        },
    )
    project.mlci("audit-gate").refused("stage.not-run", 3, "mlci train")
    assert project.mlci("train").code == 0
    project.mlci("audit-gate").refused("baseline.missing", 3, "base.csv")
    predictions = pd.read_parquet(project.out / "train/predictions.parquet")
    predictions[["key", "prediction"]].to_csv(project.root / "base.csv", index=False)
    same = predictions[[name for name in predictions if not name.startswith("probability")]]
    same.to_parquet(project.out / "train/predictions.parquet")
    project.mlci("audit-gate").refused("baseline.not-comparable", 3, "nothing to exchange")

    predictions.loc[::12, "prediction"] = 1 - predictions.loc[::12, "prediction"]
    predictions[["key", "prediction"]].to_csv(project.root / "base.csv", index=False)
    done = project.mlci("audit-gate", "--rounds", "20")
    assert done.code == 0, done
    assert done.out.startswith("An equally good model is stopped by this policy in 0.0%")
    assert "a gate `new >= old` would stop" in done.out
    assert "better-by gates stop an equally good model on purpose" in done.out
    assert "sklearn:f1 at-least 0.1: left out, as a metric that others wrote is called" in done.out
    assert "note: model_size at-most" in done.out
    assert "left out, as a budget is measured on models" in done.out
    project.configure(
        data=data,
        compare_to_baseline={
            "baseline": "base.csv",
            "gates": [{"metric": "accuracy", "no-worse-than": 0.02}, {"metric": "f1", "better-by": 0}],
        },
    )
    told = json.loads(project.mlci("audit-gate", "--rounds", "20", "--json").out)
    assert told["rounds"] == 20
    assert [gate["gate"] for gate in told["gates"]] == [
        "accuracy no-worse-than 0.02",
        "f1 better-by 0",
    ]
    again = json.loads(project.mlci("audit-gate", "--rounds", "20", "--json").out)
    assert told == again
