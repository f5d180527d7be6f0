"""The main job on examples/quickstart, written by hand against the libraries: what mlci is measured against.

It does what a careful engineer would: check both files with Great Expectations, cross-validate, fit,
record the run in MLflow, compare with the champion by a paired bootstrap, save with skops, load the
saved model in a fresh process and compare its predictions, register it, try what was registered in a
fresh process again, move the alias. With --point it compares bare values instead, as most teams do.
Usage: direct.py FOLDER [--point]   (a copy of examples/quickstart)
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

for name, value in {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}.items():
    os.environ.setdefault(name, value)

import great_expectations as gx
import mlflow
import numpy as np
import pandas as pd
import yaml
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from scipy import stats
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_validate
from skops.io import get_untrusted_types

CHECK = """
import sys, mlflow, pandas as pd
model = mlflow.sklearn.load_model(sys.argv[1])
rows = pd.read_csv(sys.argv[2])
pd.DataFrame({"p": model.predict_proba(rows[model.feature_names_in_])[:, 1]}).to_parquet(sys.argv[3])
"""


def validate(frame: pd.DataFrame, expectations: list[dict]) -> bool:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("f")
    batch = asset.add_batch_definition_whole_dataframe("b").get_batch(batch_parameters={"dataframe": frame})
    suite = gx.ExpectationSuite(name="s")
    for item in expectations:
        arguments = {key: value for key, value in item.items() if key not in ("type", "severity")}
        kind = gx.expectations.registry.get_expectation_impl(item["type"])
        suite.add_expectation(kind(**arguments, severity=item.get("severity", "critical")))
    found = batch.validate(suite, result_format="SUMMARY")
    return all(r.success for r in found.results if r.expectation_config.severity == "critical")


def in_fresh_process(model: Path, rows: Path, out: Path) -> np.ndarray:
    subprocess.run([sys.executable, "-c", CHECK, str(model), str(rows), str(out)], check=True)
    return pd.read_parquet(out)["p"].to_numpy()


def bootstrap(metric, label, *answers) -> tuple[float, float]:
    """A paired percentile bootstrap by scipy, with the number of resamples that mlci uses."""

    def statistic(*columns):
        y, *sides = columns
        values = [metric(y, side) for side in sides]
        return values[-1] - values[0] if len(values) > 1 else values[0]

    found = stats.bootstrap(
        (label, *answers), statistic, paired=True, vectorized=False, n_resamples=2000,
        confidence_level=0.9, method="percentile", random_state=17,
    )  # fmt: skip
    return tuple(found.confidence_interval)


def main(folder: Path, *, point: bool) -> None:
    config = yaml.safe_load((folder / "mlci.yaml").read_text())
    paths = {role: folder / config["data"][role] for role in ("train", "evaluate")}
    train, evaluate = (pd.read_csv(path) for path in paths.values())
    label, key = config["data"]["label"], config["data"]["key"]
    expectations = config["validate-data"]["expectations"]
    if not all([validate(train, expectations), validate(evaluate, expectations)]):
        sys.exit("data gate failed")

    mlflow.set_tracking_uri(f"sqlite:///{folder}/direct.db")
    client = mlflow.MlflowClient()
    if client.get_experiment_by_name("direct") is None:
        client.create_experiment("direct", artifact_location=(folder / "direct-artifacts").as_uri())
    mlflow.set_experiment("direct")

    module, _, kind = config["train"]["estimator"].rpartition(".")
    estimator = getattr(__import__(module, fromlist=[kind]), kind)(
        **{"random_state": 17, **config["train"]["params"]}
    )
    features = [name for name in train.columns if name not in (label, key)]
    folds = StratifiedKFold(5, shuffle=True, random_state=17)
    cv = cross_validate(
        estimator, train[features], train[label], cv=folds, scoring=["accuracy", "roc_auc", "neg_log_loss"]
    )
    estimator.fit(train[features], train[label])
    proba = estimator.predict_proba(evaluate[features])[:, 1]
    table = evaluate[[key, label]].assign(probability=proba, prediction=(proba > 0.5).astype(int))
    table.to_parquet(folder / "predictions.parquet")

    model = folder / "direct-model"
    pins = [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas", "scikit-learn", "skops")]
    with mlflow.start_run() as run:
        mlflow.log_params(config["train"]["params"])
        mlflow.log_metrics({f"cv_{name}": float(values.mean()) for name, values in cv.items()})
        mlflow.log_metrics(
            {
                "accuracy": accuracy_score(table[label], table.prediction),
                "roc_auc": roc_auc_score(table[label], proba),
            }
        )
        mlflow.log_artifact(str(folder / "predictions.parquet"))
        try:
            champion = client.get_model_version_by_alias("direct", "champion")
            before = pd.read_parquet(
                mlflow.artifacts.download_artifacts(
                    run_id=champion.run_id, artifact_path="predictions.parquet"
                )
            )
        except MlflowException:
            before = None
        y = table[label].to_numpy()
        for metric, column in (
            (roc_auc_score, "probability"),
            (recall_score, "prediction"),
            (accuracy_score, "prediction"),
        ):
            sides = [] if before is None else [before[column].to_numpy()]
            now = table[column].to_numpy()
            if point:
                low = metric(y, now) - (metric(y, sides[0]) if sides else 0.0)
            else:
                low, _ = bootstrap(metric, y, *sides, now)
            if before is not None and low <= -0.05:
                sys.exit(f"model gate failed: {metric.__name__}")
        if not model.exists():
            import skops.io

            types = get_untrusted_types(data=skops.io.dumps(estimator))
            mlflow.sklearn.save_model(
                estimator, str(model), signature=infer_signature(evaluate[features], table.prediction),
                input_example=evaluate[features].head(5), pip_requirements=pins, skops_trusted_types=types,
            )  # fmt: skip
        mlflow.log_artifacts(str(model), "model")
        assert np.allclose(in_fresh_process(model, paths["evaluate"], folder / "check.parquet"), proba)
        registered = mlflow.register_model(f"runs:/{run.info.run_id}/model", "direct")
    stored = mlflow.artifacts.download_artifacts(registered.source, dst_path=str(folder / "stored"))
    assert np.allclose(in_fresh_process(Path(stored), paths["evaluate"], folder / "smoke.parquet"), proba)
    client.set_registered_model_alias("direct", "champion", registered.version)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), point="--point" in sys.argv)
