"""A baseline that this Python cannot load is scored in the environment that it records, once."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from tiny_project import PREDICTS, Project, make, rows

from mlci.core.ports import RunRecord
from mlci.elsewhere.environment import python_with
from mlci.elsewhere.requirements import Needs
from mlci.trackers import open_tracker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OLD = "1.7.2"
PACKAGES = (f"scikit-learn=={OLD}", "skops", "pandas", "pyarrow")
TRAINS = """\
import json, sys, pandas as pd, skops.io, sklearn
from sklearn.linear_model import LogisticRegression
train, evaluate = pd.read_csv("data/train.csv"), pd.read_csv("data/evaluate.csv")
model = LogisticRegression().fit(train[["a", "b"]], train["label"])
skops.io.dump(model, "old/model.skops")
print(json.dumps([sklearn.__version__, model.predict_proba(evaluate[["a", "b"]])[:, 1].tolist()]))
"""
MLMODEL = """\
flavors:
  sklearn: {pickled_model: model.skops, serialization_format: skops, sklearn_version: OLD}
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.0}
run_id: none
""".replace("OLD", OLD)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, list[float]]:
    """A project whose champion is a model of an older scikit-learn, and what it says to the rows."""
    project = make(tmp_path_factory.mktemp("old") / "project")
    cache = project.root / ".mlci" / "cache"
    cache.mkdir(parents=True)
    python = python_with(Needs(None, PACKAGES), cache, os.environ, print)
    (project.root / "old").mkdir()
    done = subprocess.run(
        [python, "-c", TRAINS], cwd=project.root, capture_output=True, text=True, check=True
    )
    version, shares = json.loads(done.stdout)
    assert version == OLD
    project.write("old/MLmodel", MLMODEL)
    project.write("old/requirements.txt", "\n".join(PACKAGES) + "\n")
    tracker = open_tracker(None, "tiny", project.root, {})
    run = tracker.record(RunRecord(name="old", params={}, metrics={}, tags={}))
    made = tracker.register("tiny", project.root / "old", run, {"mlci.data.evaluate.sha256": "of other rows"})
    tracker.set_alias("tiny", "champion", made.version)
    project.write("train.py", PREDICTS)
    return project, shares


def comparing(project: Project, **options: str) -> Project:
    return project.configure(
        validate_data=None,
        train={"command": "python train.py", "predictions": "predictions.csv"},
        compare_to_baseline={"gates": [{"metric": "accuracy", "no-worse-than": 0.2}], **options},
        package=None,
        deploy=None,
    )


def test_here_it_is_refused_with_the_way_out(old: tuple[Project, list[float]], tmp_path: Path) -> None:
    project = comparing(old[0].copy(tmp_path / "project"))
    project.mlci("run").refused(
        "model.unreadable", 3, f"scikit-learn {OLD}", "compare-to-baseline.environment: auto"
    )


def test_it_is_scored_in_its_own_environment_and_never_again(
    old: tuple[Project, list[float]], tmp_path: Path
) -> None:
    project, shares = old[0].copy(tmp_path / "project"), old[1]
    done = comparing(project, environment="auto").mlci("run", timeout=600)
    assert done.code == 0, done
    assert "in the environment that it records" in done.err
    (kept,) = (project.root / ".mlci/cache/scored").glob("*.parquet")
    assert pd.read_parquet(kept)["probability_1"].tolist() == pytest.approx(shares, abs=1e-12)
    again = project.mlci("compare-to-baseline", "--force")
    assert again.code == 0, again
    assert "in the environment that it records" not in again.err


def test_an_environment_that_cannot_be_built_is_an_error_in_words(
    old: tuple[Project, list[float]], tmp_path: Path
) -> None:
    project = comparing(old[0].copy(tmp_path / "project"), environment="model")
    environments = project.root / ".mlci" / "cache" / "environments"
    subprocess.run(["rm", "-rf", str(environments)], check=True)
    offline = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty"), "PIP_NO_INDEX": "1"}
    done = project.mlci("run", timeout=300, **offline)
    done.refused("baseline.environment", 3, "cannot be built", "compare-to-baseline.environment: here")
    assert not list(environments.glob("*/complete"))
    project.nothing_half_written()


COUNTING = """\
from sklearn.linear_model import LogisticRegression
class Counting(LogisticRegression):
    def predict(self, rows):
        with open("asked.txt", "a") as stream:
            stream.write(f"{len(rows)}\\n")
        return super().predict(rows)
"""


def test_a_baseline_is_asked_once_for_each_evaluation_set(project: Project) -> None:
    project.write("counting.py", COUNTING)
    trusted = {"trusted-types": ["counting.Counting"]}
    project.configure(
        validate_data=None,
        train={"estimator": "counting.Counting", "cross-validation": 0, **trusted},
        compare_to_baseline={"gates": [{"metric": "accuracy", "no-worse-than": 0.2}], **trusted},
        package={"name": "tiny", **trusted},
        deploy={"target": "registry", **trusted},
    )
    assert project.mlci("run").code == 0

    def asked() -> list[str]:
        """Return how many rows the baseline was asked about since the last time."""
        path = project.root / "asked.txt"
        path.unlink(missing_ok=True)
        done = project.mlci("compare-to-baseline", "--force")
        assert done.code == 0, done
        return path.read_text().split() if path.exists() else []

    assert asked() == []  # its recorded predictions are those of today's rows
    first = project.root.joinpath("data/evaluate.csv").read_text()
    for rows_then, seen in (
        (rows(100, 5000), ["100"]),
        (first, []),
        (rows(100, 5000), []),
        (rows(90, 5000), ["90"]),
    ):
        project.write("data/evaluate.csv", rows_then)
        assert project.mlci("train").code == 0
        assert asked() == seen
