"""Training commands that leave an MLflow model, a joblib file, or predictions and no model."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_project import NewProject, Project

pytestmark = pytest.mark.slow

HEAD = """\
import os, pathlib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

label, key = os.environ["MLCI_DATA_LABEL"], os.environ["MLCI_DATA_KEY"]
train = pd.read_csv(os.environ["MLCI_DATA_TRAIN"])
evaluate = pd.read_csv(os.environ["MLCI_DATA_EVALUATE"])
features = [name for name in train.columns if name not in (label, key)]
model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(train[features], train[label])
folder = pathlib.Path(os.environ["MLCI_MODEL_DIR"])
"""
WAYS = {
    "mlflow": """\
import mlflow.sklearn
from mlflow.models import infer_signature
signature = infer_signature(train[features], model.predict(train[features]))
mlflow.sklearn.save_model(
    model, str(folder), signature=signature, pip_requirements=["scikit-learn"], serialization_format="skops"
)
""",
    "joblib": """\
import joblib
joblib.dump(model, folder / "model.joblib")
""",
    "predictions": """\
said = evaluate[[key]].assign(prediction=model.predict(evaluate[features]))
said["probability"] = model.predict_proba(evaluate[features])[:, 1]
said.to_parquet(os.environ["MLCI_PREDICTIONS_FILE"], index=False)
""",
}


def commanded(new_tumour: NewProject, way: str) -> Project:
    project = new_tumour("tumour", "package: {name: tumour}\ndeploy: {target: registry}\n")
    project.write("train.py", HEAD + WAYS[way])
    estimator = (
        "  estimator: sklearn.linear_model.LogisticRegression\n  params: {C: 1.0}\n  cross-validation: 0\n"
    )
    project.replace("mlci.yaml", estimator, "  command: python train.py\n")
    project.commit(way)
    return project


@pytest.mark.parametrize("way", ["mlflow", "joblib"])
def test_model_is_packaged_and_deployed(new_tumour: NewProject, way: str) -> None:
    project = commanded(new_tumour, way)
    project.mlci("run")
    assert project.alias("tumour") == "1"
    assert project.result("package")["details"]["format"] == "skops"  # also what came as a joblib file
    assert "repeats all 285 predictions" in project.check("package", "the packaged model says")["message"]
    metrics = {metric["name"]: metric["value"] for metric in project.result("train")["metrics"]}
    assert metrics["accuracy"] > 0.93
    assert metrics["roc_auc"] > 0.98  # the command wrote no predictions: the model was asked


def test_predictions_are_judged_but_not_packaged(new_tumour: NewProject, tmp_path: Path) -> None:
    project = commanded(new_tumour, "predictions")
    done = project.mlci("run", expect=3)
    assert project.result("train")["status"] == "warned"
    assert project.result("compare-to-baseline")["status"] == "warned"  # a first evaluation
    error = project.result("package")["error"]
    assert "no model" in error["message"]
    assert "train.model" in error["hint"]
    assert "could not be finished" in done.out
    # Neither side has a model: that does not make them the same one.
    better_than_any_model(project)
    project.mlci("compare-to-baseline", "--set", "compare-to-baseline.baseline=perfect.csv")
    check = project.check("compare-to-baseline", "accuracy")
    assert check["word"] != "identical"
    assert check["metric"]["baseline"] == 1.0
    assert project.result("compare-to-baseline")["outputs"]["state"] == "compared"


def better_than_any_model(project: Project) -> None:
    import pandas as pd

    rows = pd.read_csv(project.root / "data" / "evaluate.csv")[["patient", "malignant"]]
    table = rows.assign(prediction=rows["malignant"], probability=rows["malignant"] * 0.98 + 0.01)
    table.to_csv(project.root / "perfect.csv", index=False)
