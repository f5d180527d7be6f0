"""The quickstart against a real MLflow server: what is recorded there, and how little the next run asks."""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from typing import Any

import pytest
from example_project import NewProject, Project

pytestmark = pytest.mark.slow

HEAVY = ("mlflow", "sklearn", "pandas", "numpy", "great_expectations", "skops", "pyarrow")


@pytest.fixture(scope="module")
def tracked(new_project: NewProject, mlflow_server: str) -> Project:
    """The quickstart after its first run, recorded on the server."""
    project = new_project("quickstart", example="quickstart", fresh=True)
    project.mlci("run", MLFLOW_TRACKING_URI=mlflow_server)
    return project


def ask(server: str, what: str, /, **query: str) -> dict[str, Any]:
    address = f"{server}/api/2.0/mlflow/{what}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def test_champion_is_on_the_server(tracked: Project, mlflow_server: str) -> None:
    assert tracked.alias("quickstart", uri=mlflow_server) == "1"
    assert not (tracked.root / ".mlci" / "mlflow").exists(), "nothing is kept beside the server"
    found = ask(mlflow_server, "registered-models/alias", name="quickstart", alias="champion")
    tags = {tag["key"]: tag["value"] for tag in found["model_version"]["tags"]}
    assert tags["mlci.verdict"] == "warned"
    assert tags["mlci.model.sha256"] == tracked.result("package")["outputs"]["model-sha256"]
    assert "mlci.deployed.champion" in tags


def test_run_says_what_it_was_made_of(tracked: Project, mlflow_server: str) -> None:
    run_id = tracked.result("train")["outputs"]["run-id"]
    run = ask(mlflow_server, "runs/get", run_id=run_id)["run"]
    params = {item["key"]: item["value"] for item in run["data"]["params"]}
    assert params["n_estimators"] == "200"
    metrics = {item["key"]: item["value"] for item in run["data"]["metrics"]}
    assert metrics["evaluation.accuracy"] == pytest.approx(tracked.result("train")["metrics"][0]["value"])
    assert "cv_accuracy" in metrics
    tags = {item["key"]: item["value"] for item in run["data"]["tags"]}
    assert tags["mlci.git.commit"] == tracked.must("git", "rev-parse", "HEAD").out.strip()
    assert tags["mlci.git.dirty"] == "false"
    data = {item["dataset"]["name"]: item["dataset"]["digest"] for item in run["inputs"]["dataset_inputs"]}
    recorded = tracked.report()["provenance"]["data"]
    assert set(data) == set(recorded)
    assert all(recorded[name].startswith(digest) for name, digest in data.items())
    files = ask(mlflow_server, "artifacts/list", run_id=run_id, path="predictions")["files"]
    assert "predictions/predictions.parquet" in [item["path"] for item in files]


def test_second_run_only_peeks(tracked: Project, mlflow_server: str) -> None:
    done = tracked.run(
        sys.executable, "-X", "importtime", "-m", "mlci", "run",
        variables={"MLFLOW_TRACKING_URI": mlflow_server},
    )  # fmt: skip
    assert done.code == 0, done.text
    assert tracked.ran() == []
    imported = {
        line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.err.splitlines() if "|" in line
    }
    assert "mlci" in imported
    assert imported.isdisjoint(HEAVY)


def test_server_that_is_gone(tracked: Project) -> None:
    """Nothing is trained, and the champion is not taken for missing."""
    done = tracked.mlci("run", expect=4, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert "tracker.unreachable" in done.out
    assert "train" not in tracked.ran()
