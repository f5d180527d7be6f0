"""`train.repeats` through the real stages: several seeds are trained, one is kept, and the verdict knows of all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score
from tiny_project import Project, rows

DATA = {
    "train": "data/train.csv",
    "evaluate": "data/evaluate.csv",
    "label": "label",
    "key": "key",
    "ignore": ["region"],
}
TRAIN = """\
import os
from pathlib import Path
import joblib, numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
table = pd.read_csv(os.environ["MLCI_DATA_TRAIN"])
seed = int(os.environ["MLCI_SEED"])
with Path("seeds.txt").open("a") as stream:
    stream.write(f"{seed} ")
taken = table.sample(15, random_state=seed)
Path("out").mkdir(exist_ok=True)
joblib.dump(LogisticRegression().fit(taken[["a", "b"]], taken["label"]), "out/model.joblib")
Path("out/seed.txt").write_text(str(seed))
"""


def values_of(project: Project) -> list[float]:
    """Return the accuracy of every seed, reckoned from the files."""
    labels = pd.read_csv(project.root / "data/evaluate.csv").set_index("key")["label"]
    folder = project.out / "train"
    paths = [folder / "predictions.parquet", *sorted((folder / "repeats").glob("*.parquet"))]
    tables = [pd.read_parquet(path).set_index("key") for path in paths]
    return [accuracy_score(labels, table.loc[labels.index, "prediction"]) for table in tables]


@pytest.fixture
def repeated(project: Project) -> Project:
    project.write("data/evaluate.csv", rows(300, 5000))
    return project


def test_a_command_is_run_with_every_seed_and_leaves_the_first(repeated: Project) -> None:
    repeated.write("train.py", TRAIN)
    gates = [{"metric": "accuracy", "no-worse-than": 0.02}]
    train = {"command": "python train.py", "model": "out/model.joblib"}
    compare = {"gates": gates, "baseline": "base.parquet"}
    repeated.configure(data=DATA, validate_data=None, train=train, compare_to_baseline=compare)
    assert repeated.mlci("train").code == 0
    Path(repeated.out / "train/predictions.parquet").rename(repeated.root / "base.parquet")
    (repeated.root / "seeds.txt").unlink()

    repeated.configure(
        data=DATA, validate_data=None, train={**train, "repeats": 4}, compare_to_baseline=compare
    )
    done = repeated.mlci("train")
    assert done.code == 0, done
    assert (repeated.root / "seeds.txt").read_text().split() == ["3", "2", "1", "0"]
    assert (repeated.root / "out/seed.txt").read_text() == "0"
    assert "train with seed 3: 1 of 4" in done.text
    assert "to go" in done.text
    assert sorted(path.name for path in (repeated.out / "train/repeats").iterdir()) == [
        "seed-1.parquet", "seed-2.parquet", "seed-3.parquet",
    ]  # fmt: skip
    repeated.mlci("compare-to-baseline")
    found = repeated.result("compare-to-baseline")
    assert found is not None
    values = values_of(repeated)
    assert len(set(values)) > 1
    assert found.details["values_over_seeds"]["accuracy"] == pytest.approx(values)
    metric = found.checks[0].metric
    assert metric is not None
    assert metric.interval is not None
    assert "variance over 4 seeds" in metric.interval.method
    assert metric.value == pytest.approx(values[0])
    assert metric.interval.high - metric.interval.low > 2 * 1.64 * np.std(values, ddof=1)
    repeated.nothing_half_written()


def test_an_estimator_takes_the_seed_and_a_second_run_trains_nothing(repeated: Project) -> None:
    train = {
        "estimator": "sklearn.tree.DecisionTreeClassifier",
        "params": {"max_features": 1, "splitter": "random"},
        "cross-validation": 0,
        "repeats": 3,
    }
    repeated.configure(data=DATA, validate_data=None, train=train)
    assert repeated.mlci("train").code == 0
    assert len(set(values_of(repeated))) == 3
    assert "nothing it depends on has changed" in repeated.mlci("train").text
    result = json.loads((repeated.out / "train.json").read_text())
    assert result["details"]["repeats"] == 3
    assert [found["role"] for found in result["artifacts"]].count("predictions") == 1
    done = repeated.mlci("compare-to-baseline")
    assert done.code == 0, done


@pytest.mark.parametrize(
    "train",
    [
        {"pipeline": "dvc.yaml", "repeats": 2},
        {"estimator": "sklearn.svm.SVC", "params": {"random_state": 1}, "repeats": 2},
    ],
)
def test_seeds_that_would_all_be_the_same_are_refused(project: Project, train: dict[str, object]) -> None:
    project.configure(train=train)
    project.mlci("train").refused("config.invalid", 2, "seeds of their own", hint=False)
