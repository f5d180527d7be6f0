"""Budgets through the real stages: size, latency and memory of a real model beside its baseline."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny_project import Project, rows

from mlci.budgets import Settings, latencies, peak_memory, size_of
from mlci.core.errors import MlciError
from mlci.core.results import Check
from mlci.core.status import Status

TRAIN = """\
import json, os, sys
from pathlib import Path
import joblib, numpy as np, pandas as pd
from slow import Slow
table = pd.read_csv(os.environ["MLCI_DATA_TRAIN"])
params = json.loads(Path(os.environ["MLCI_PARAMS_FILE"]).read_text())
model = Slow(**params).fit(table[["a", "b"]], table["label"])
joblib.dump(model, Path(os.environ["MLCI_MODEL_DIR"]) / "model.joblib")
"""
SLOW = '''\
"""A classifier that can be made slow, big and hungry."""
import time
import numpy as np
from sklearn.linear_model import LogisticRegression

class Slow(LogisticRegression):
    def __init__(self, wait=0.0, ballast=0, hunger=0, C=1.0):
        super().__init__(C=C)
        self.wait, self.ballast, self.hunger = wait, ballast, hunger

    def fit(self, x, y):
        self.weight_ = np.random.default_rng(1).random(self.ballast // 8)
        return super().fit(x, y)

    def predict(self, x):
        time.sleep(self.wait)
        if len(x) > 10 and self.hunger:
            np.ones(self.hunger // 8).sum()
        return super().predict(x)
'''
DATA = {
    "train": "data/train.csv",
    "evaluate": "data/evaluate.csv",
    "label": "label",
    "key": "key",
    "ignore": ["region"],
}
GATES = [
    {"metric": "model_size", "at-most": "100kB"},
    {"metric": "predict_latency_p50", "no-worse-than": 0.5, "relative": True},
    {"metric": "predict_latency_p95", "at-most": "5s"},
    {"metric": "predict_memory", "no-worse-than": "30MB"},
    {"metric": "model_size", "no-worse-than": 0.5, "relative": True, "advisory": True},
]


def configure(project: Project, gates: list[dict[str, Any]], **params: Any) -> None:
    project.write("data/evaluate.csv", rows(200, 5000))
    project.write("train.py", TRAIN)
    project.write("slow.py", SLOW)
    project.configure(
        data=DATA,
        validate_data=None,
        package={"name": "tiny", "trusted-types": ["slow.Slow"]},
        deploy={"target": "registry", "trusted-types": ["slow.Slow"]},
        train={"command": "python train.py", "params": params},
        compare_to_baseline={
            "gates": gates,
            "trusted-types": ["slow.Slow"],
            "baseline": "models:/tiny@champion",
        },
    )


def checks(project: Project) -> dict[str, Check]:
    found = project.result("compare-to-baseline")
    assert found is not None
    return {check.name: check for check in found.checks}


def test_a_slow_big_and_hungry_model_is_stopped_by_its_budgets(project: Project) -> None:
    configure(project, GATES)
    first = project.mlci("run")
    assert first.code == 0, first
    found = checks(project)
    assert found["model_size at-most 100 kB"].status is Status.PASSED
    assert found["predict_latency_p95 at-most 5 s"].status is Status.PASSED
    assert found["predict_latency_p50 no-worse-than 0.5 relative"].status is Status.SKIPPED

    configure(project, GATES, wait=0.01, ballast=400_000, hunger=200_000_000)
    assert project.mlci("train").code == 0
    done = project.mlci("compare-to-baseline")
    assert done.code == 1, done
    found = checks(project)
    assert found["model_size at-most 100 kB"].word == "beyond limit"
    latency = found["predict_latency_p50 no-worse-than 0.5 relative"]
    assert latency.status is Status.FAILED
    assert latency.word == "worse"
    assert latency.metric is not None
    assert latency.metric.interval is not None
    assert 0.009 < latency.metric.interval.low < 0.02
    assert latency.metric.n >= 100
    assert "this machine's noise" in latency.message
    memory = found["predict_memory no-worse-than 30 MB"]
    assert memory.status is Status.FAILED
    assert memory.metric is not None
    assert 190e6 < (memory.metric.value or 0) < 260e6
    assert found["model_size no-worse-than 0.5 relative"].status is Status.WARNED
    again = project.mlci("compare-to-baseline")
    assert "nothing it depends on has changed" in again.text


def test_a_baseline_without_a_model_leaves_absolute_budgets_only(project: Project) -> None:
    configure(project, GATES[:3])
    assert project.mlci("train").code == 0
    shutil.copy(project.out / "train/predictions.parquet", project.root / "base.parquet")
    done = project.mlci("compare-to-baseline", "--baseline", "base.parquet")
    found = checks(project)
    assert found["model_size at-most 100 kB"].status is Status.PASSED
    assert found["predict_latency_p95 at-most 5 s"].status is Status.PASSED
    errored = found["predict_latency_p50 no-worse-than 0.5 relative"]
    assert errored.status is Status.ERRORED
    assert "the baseline has no model to measure" in errored.message
    assert done.code == 3


def settings(tmp_path: Path, project: Project) -> Settings:
    return Settings(
        project.root / "data/evaluate.csv", ["label", "key"], [], 1, 1, project.root, tmp_path, {}
    )


def test_a_model_that_cannot_be_loaded_is_an_error_with_its_reason(tmp_path: Path, project: Project) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.skops").write_bytes(b"no model")
    for measure in (
        lambda: latencies({"candidate": tmp_path / "model"}, settings(tmp_path, project)),
        lambda: peak_memory(tmp_path / "model", settings(tmp_path, project)),
    ):
        with pytest.raises(MlciError) as caught:
            measure()
        assert caught.value.code == "model.unreadable"


def test_the_size_of_a_packaged_model_is_that_of_its_files_without_descriptions(tmp_path: Path) -> None:
    for name, size in {
        "model.skops": 1000,
        "MLmodel": 50,
        "requirements.txt": 10,
        "input_example.json": 70,
    }.items():
        (tmp_path / name).write_bytes(b"x" * size)
    assert size_of(tmp_path) == 1000
    assert size_of(tmp_path / "model.skops") == 1000


def test_the_schema_takes_a_budget_with_its_unit(project: Project) -> None:
    schema = json.loads(project.mlci("schema").out)
    gate = schema["$defs"]["Gate"]["properties"]
    assert "model_size" in gate["metric"]["anyOf"][0]["enum"]
    assert any(kind.get("pattern") for kind in gate["at-most"]["anyOf"])
