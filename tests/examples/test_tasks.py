"""Estimators on several kinds of labels and columns: many classes, text, booleans, numbers, gaps."""

from __future__ import annotations

from typing import Any

import pytest
from example_project import NewProject, Project

pytestmark = pytest.mark.slow


def laid_out(project: Project, rows: Any, train: str, gates: str, more: str = "") -> Project:
    """Write every second row as training data, the others as evaluation data, and a configuration."""
    rows.iloc[::2].to_parquet(project.root / "train.parquet", index=False)
    rows.iloc[1::2].to_parquet(project.root / "evaluate.parquet", index=False)
    project.write(
        "mlci.yaml",
        f"project: {project.root.name}\n"
        f"data: {{train: train.parquet, evaluate: evaluate.parquet, label: y{more}}}\n"
        f"train: {{{train}, cross-validation: 3}}\n"
        f"compare-to-baseline: {{gates: [{gates}]}}\n",
    )
    project.commit()
    return project


def metrics_of(project: Project) -> dict[str, float]:
    return {metric["name"]: metric["value"] for metric in project.result("train")["metrics"]}


def test_many_classes_of_text_with_categories_and_gaps(new_project: NewProject) -> None:
    import pandas as pd
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    rows = bunch.data.set_axis(["a", "b", "c", "d"], axis=1).sample(frac=1, random_state=17)
    rows["size"] = pd.cut(rows["c"], [0, 2, 5, 9], labels=["small", "middle", "large"])
    rows["colour"] = rows["d"].round().astype(int).map({0: "white", 1: "blue"})  # 2 becomes empty
    rows.loc[rows.index[::7], "a"] = None
    rows["y"] = [str(bunch.target_names[bunch.target[at]]) for at in rows.index]
    assert rows.isna().sum()[["a", "colour"]].min() > 0
    project = laid_out(
        new_project("iris"),
        rows,
        "estimator: sklearn.linear_model.LogisticRegression",
        "{metric: accuracy, at-least: 0.85}, {metric: f1, at-least: 0.8}, {metric: log_loss, at-most: 0.5}",
        ", slices: [size]",
    )
    project.mlci("run")
    metrics = metrics_of(project)
    assert metrics["accuracy"] > 0.85
    assert 0 < metrics["log_loss"] < 0.5
    assert 0 < metrics["brier"] < 0.5
    assert project.result("train")["details"]["logged"]["cv_accuracy"] > 0.85
    checks = project.result("compare-to-baseline")["checks"]
    assert [check["status"] for check in checks if check["metric"]] == ["passed"] * 3


def test_boolean_labels(new_project: NewProject) -> None:
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    rows = bunch.data.set_axis([f"x{number}" for number in range(30)], axis=1)
    rows["y"] = bunch.target == 0
    project = laid_out(
        new_project("tumour"),
        rows,
        "estimator: sklearn.ensemble.HistGradientBoostingClassifier, params: {max_iter: 20}",
        "{metric: recall, at-least: 0.8}, {metric: roc_auc, at-least: 0.95}",
        ", positive: true",
    )
    project.mlci("run")
    recall = project.check("compare-to-baseline", "recall")["metric"]["value"]
    assert 0.8 <= recall < 1  # of the malignant ones, which are True
    assert metrics_of(project)["roc_auc"] > 0.95


def test_numbers(new_project: NewProject) -> None:
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True)
    rows = bunch.data.assign(y=bunch.target)
    project = laid_out(
        new_project("diabetes"),
        rows,
        "estimator: sklearn.linear_model.Ridge, params: {alpha: 1.0}",
        "{metric: rmse, at-most: 70}, {metric: r2, at-least: 0.3}, {metric: mae, no-worse-than: 2}",
    )
    project.mlci("run")
    metrics = metrics_of(project)
    assert set(metrics) == {"rmse", "mae", "r2"}
    assert 40 < metrics["mae"] < metrics["rmse"] < 70
    assert 0.3 < metrics["r2"] < 0.6
    assert project.check("compare-to-baseline", "mae")["word"] == "no baseline yet"
    project.replace("mlci.yaml", "r2, at-least: 0.3", "r2, at-least: 0.9")
    done = project.mlci("compare-to-baseline", expect=1)
    assert "r2 is beyond limit" in done.flat
