"""Metrics of groups, of several labels and of rankings, from mlci.yaml to the verdict."""

from __future__ import annotations

import io
import shutil
import subprocess
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import make_multilabel_classification
from tiny_project import CONFIG, Done, Project

from mlci.core.results import Check
from mlci.core.status import Status


def test_a_gap_between_groups_of_a_column_that_is_no_slice(project: Project) -> None:
    project.configure(
        compare_to_baseline={
            "gates": [
                {"metric": "tpr_difference@region", "at-most": 0.5},
                {"metric": "selection_rate_ratio@region", "at-least": 0.2, "on": "bound"},
            ]
        }
    )
    assert project.mlci("run", "--until", "compare-to-baseline").code == 0
    found = project.result("compare-to-baseline")
    assert found is not None
    judged = {check.metric.name: check for check in found.checks if check.metric is not None}
    gap = judged["tpr_difference@region"].metric
    assert gap is not None
    assert gap.value is not None
    assert gap.direction == "lower"
    assert gap.interval is not None
    assert gap.interval.low <= gap.value <= gap.interval.high
    assert "extreme groups, 2 groups" in str(gap.interval.method)


def test_groups_that_are_not_there_are_refused(project: Project) -> None:
    project.configure(compare_to_baseline={"gates": [{"metric": "tpr_difference@sex", "no-worse-than": 0.1}]})
    assert "'data/evaluate.csv' has no column sex" in project.mlci("doctor").text
    done = project.mlci("run", "--until", "compare-to-baseline")
    done.refused("data.missing-column", 3, "has no column 'sex'")


LABELS = ["red", "round", "ripe"]
SEVERAL = """\
import os
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

labels = os.environ["MLCI_DATA_LABELS"].splitlines()
train, rows = (pd.read_csv(os.environ[f"MLCI_DATA_{part}"]) for part in ("TRAIN", "EVALUATE"))
features = [name for name in train.columns if name.startswith("f")]
model = MultiOutputClassifier(LogisticRegression(C=STRENGTH)).fit(train[features], train[labels])
table = rows[["key"]].copy()
for name, called, shares in zip(labels, model.predict(rows[features]).T, model.predict_proba(rows[features])):
    table[f"prediction_{name}"], table[f"probability_{name}"] = called, shares[:, 1]
CHANGE
table.to_parquet(os.environ["MLCI_PREDICTIONS_FILE"], index=False)
"""
GATES = [
    {"metric": "accuracy", "no-worse-than": 0.05},
    {"metric": "f1", "no-worse-than": 0.05},
    {"metric": "f1_micro", "at-least": 0.3},
    {"metric": "hamming_loss", "no-worse-than": 0.05},
    {"metric": "roc_auc", "no-worse-than": 0.05},
    {"metric": "log_loss", "no-worse-than": 0.2},
    {"metric": "pr_auc", "at-least": 0.3},
]


def several(project: Project, change: str = "", strength: float = 1.0, **compare: Any) -> Project:
    """Make the project one of several labels, trained by a program."""
    features, labels = make_multilabel_classification(600, 6, n_classes=3, random_state=3)
    for name, part in {"train": slice(0, 300), "evaluate": slice(300, 600)}.items():
        frame = pd.DataFrame(features[part], columns=[f"f{number}" for number in range(6)])
        frame[LABELS] = labels[part]
        frame["key"] = range(300)
        project.write(f"data/{name}.csv", frame.to_csv(index=False))
    project.write("train.py", SEVERAL.replace("STRENGTH", str(strength)).replace("CHANGE", change))
    return project.configure(
        data={"train": "data/train.csv", "evaluate": "data/evaluate.csv", "labels": LABELS, "key": "key"},
        validate_data=None,
        train={"command": "python train.py"},
        compare_to_baseline={"gates": GATES, "resamples": 500, **compare},
    )


def commit(project: Project) -> None:
    """Put the project into git, but for its results."""
    project.write(".gitignore", "mlci-out\n.mlci\n")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "before"]):
        names = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *names, *command], cwd=project.root, check=True)


def until_verdict(project: Project) -> Done:
    return project.mlci("run", "--until", "compare-to-baseline")


def verdicts(project: Project) -> dict[str, Check]:
    """Return the checks of gates by metric."""
    found = project.result("compare-to-baseline")
    assert found is not None
    return {check.metric.name: check for check in found.checks if check.metric is not None}


def test_several_labels_against_a_predictions_file_and_a_commit(project: Project) -> None:
    several(project, strength=0.001)
    assert until_verdict(project).code == 0
    trained = project.result("train")
    assert trained is not None
    assert {metric.name for metric in trained.metrics} >= {"accuracy", "hamming_loss", "f1", "roc_auc"}
    predictions = next(part.path for part in trained.artifacts if part.role == "predictions")
    shutil.copy(project.out / predictions, project.root / "before.parquet")
    commit(project)
    several(project, baseline="before.parquet")
    assert until_verdict(project).code == 0
    judged = verdicts(project)
    table = pd.read_parquet(project.out / predictions)
    truth, called = table[LABELS], table[[f"prediction_{name}" for name in LABELS]].to_numpy()
    before = pd.read_parquet(project.root / "before.parquet")[[f"prediction_{name}" for name in LABELS]]
    for name, score in {
        "accuracy": metrics.accuracy_score,
        "hamming_loss": metrics.hamming_loss,
        "f1": partial(metrics.f1_score, average="macro", zero_division=0),
    }.items():
        metric = judged[name].metric
        assert metric is not None
        assert metric.value == pytest.approx(score(truth, called))
        assert metric.baseline == pytest.approx(score(truth, before.to_numpy()))
    assert judged["f1_micro"].status is Status.PASSED
    assert judged["f1"].word in ("better", "not worse")
    several(project, baseline="git:HEAD")
    assert until_verdict(project).code == 0
    assert {name: check.word for name, check in verdicts(project).items()} == {
        name: check.word for name, check in judged.items()
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("del table['prediction_ripe']", "no column 'prediction_ripe'"),
        ("del table['probability_red']", "no column 'probability_red'"),
        ("table['prediction_ripe'] = table['probability_ripe']", "'prediction_ripe' is neither 0 nor 1"),
        ("table['prediction_ripe'] = 'yes'", "'prediction_ripe' is neither 0 nor 1 in 300 of 300 rows"),
    ],
)
def test_answers_that_do_not_fit_several_labels_are_refused(project: Project, change: str, says: str) -> None:
    several(project, change)
    until_verdict(project).refused("predictions.unreadable", 3, "the candidate's", says)


def test_labels_that_are_not_0_or_1_are_refused(project: Project) -> None:
    several(project)
    text = (project.root / "data/evaluate.csv").read_text()
    frame = pd.read_csv(io.StringIO(text))
    frame.loc[:4, "ripe"] = 2
    project.write("data/evaluate.csv", frame.to_csv(index=False))
    until_verdict(project).refused("data.bad-label", 3, "label 'ripe'", "neither 0 nor 1 in 5 of 300 rows")


def test_an_estimator_of_several_labels_is_refused(project: Project) -> None:
    several(project)
    project.configure(data={**CONFIG["data"], "label": None, "labels": LABELS})
    project.mlci("train").refused("config.invalid", 2, "train.estimator predicts one label", "train.command")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"label": "label", "labels": ["a", "b"]}, "label and labels exclude each other"),
        ({"label": None, "labels": ["a"]}, "at least two different columns"),
        ({"label": None, "labels": ["a", "b"], "positive": 1}, "have no meaning beside labels"),
        ({"query": "region", "task": "classification"}, "query asks for a ranking"),
    ],
)
def test_labels_that_contradict_each_other_are_refused(
    project: Project, data: dict[str, Any], says: str
) -> None:
    project.configure(data={**CONFIG["data"], **data})
    project.mlci("train").refused("config.invalid", 2, says, hint=False)


RANKS = """\
import os
import pandas as pd
rows = pd.read_csv(os.environ["MLCI_DATA_EVALUATE"])
assert os.environ["MLCI_DATA_QUERY"] == "search"
table = rows[["key"]].assign(prediction=rows["likely"] + NOISE * rows["luck"])
CHANGE
table.to_parquet(os.environ["MLCI_PREDICTIONS_FILE"], index=False)
"""


def ranking(project: Project, change: str = "", noise: float = 1.0, **compare: Any) -> Project:
    """Make the project one of rankings: 60 searches of 2 to 9 documents."""
    generator = np.random.default_rng(5)
    search = np.repeat(np.arange(60), generator.integers(2, 10, 60))
    frame = pd.DataFrame({"key": range(len(search)), "search": search})
    frame["label"] = generator.choice([0, 0, 1, 2], len(search))
    frame["likely"], frame["luck"] = frame["label"], generator.normal(size=len(search))
    project.write("data/evaluate.csv", frame.to_csv(index=False))
    project.write("train.py", RANKS.replace("NOISE", str(noise)).replace("CHANGE", change))
    return project.configure(
        data={"evaluate": "data/evaluate.csv", "label": "label", "key": "key", "query": "search"},
        validate_data=None,
        train={"command": "python train.py"},
        compare_to_baseline=compare,
    )


def test_a_ranking_against_a_predictions_file(project: Project) -> None:
    gates = [
        {"metric": "ndcg@5", "no-worse-than": 0.05},
        {"metric": "map@3", "better-by": 0.01},
        {"metric": "rmse", "at-most": 3},
    ]
    ranking(project, noise=0.3, gates=gates, baseline="before.csv")
    rows = pd.read_csv(project.root / "data/evaluate.csv")
    before = rows[["key"]].assign(prediction=rows["likely"] + 3 * rows["luck"])
    project.write("before.csv", before.to_csv(index=False))
    assert until_verdict(project).code == 0
    judged = verdicts(project)
    score = rows["likely"] + 0.3 * rows["luck"]
    relevant = rows.groupby("search")["label"].transform("max") > 0
    expected = [
        metrics.ndcg_score([part["label"]], [score[part.index]], k=5)
        for _, part in rows[relevant].groupby("search")
    ]
    metric = judged["ndcg@5"].metric
    assert metric is not None
    assert metric.value == pytest.approx(np.mean(expected))
    assert judged["ndcg@5"].word == "better"
    assert f"over {len(expected)} queries" in judged["ndcg@5"].observed["method"]
    assert "60 groups" in judged["rmse"].observed["method"]


def test_what_cannot_be_ranked_is_refused(project: Project) -> None:
    gates = [{"metric": "ndcg@5", "at-least": 0.1}]
    ranking(project, "table['prediction'] = 'high'", gates=gates)
    until_verdict(project).refused(
        "predictions.unreadable", 3, "predictions are text, but the labels ('label') are numbers"
    )
    ranking(project, gates=[{"metric": "ndcg", "at-least": 0.1}])
    until_verdict(project).refused(
        "config.invalid", 2, "ndcg is named with a number, as in ndcg@10", hint=False
    )
    ranking(project, gates=gates)
    frame = pd.read_csv(project.root / "data/evaluate.csv")
    project.write("data/evaluate.csv", frame.drop(columns="search").to_csv(index=False))
    until_verdict(project).refused("data.missing-column", 3, "has no column 'search'")
    project.write("data/evaluate.csv", frame.assign(search=frame["search"].where(frame["key"] > 2)).to_csv())
    until_verdict(project).refused("data.bad-label", 3, "query 'search'", "is empty in 3 rows")


def test_probabilities_that_do_not_add_up_are_refused(project: Project) -> None:
    program = SEVERAL[: SEVERAL.index("labels =")] + (
        "rows = pd.read_csv(os.environ['MLCI_DATA_EVALUATE'])\n"
        "table = rows[['key']].assign(prediction=1, probability_0=0.5, probability_1=0.7)\n"
        "table.to_parquet(os.environ['MLCI_PREDICTIONS_FILE'])\n"
    )
    project.write("train.py", program)
    project.configure(validate_data=None, train={"command": "python train.py"})
    says = "probabilities do not add up to 1 in 120 of 120 rows (the first: 1.2)"
    until_verdict(project).refused("predictions.unreadable", 3, says)
