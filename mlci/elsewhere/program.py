"""Scores one model in a foreign Python: a program of its own, which needs pandas, pyarrow and the model's libraries.

It is run by its path and imports nothing of mlci, which need not be installed there; so it is written
for older versions of Python too. Its only argument is a JSON file: `model`, `kind` (skops, pickle or
python_function), `data` and `out` (Parquet), `drop`, `pickles` (whether one may be opened), `trusted`
(types that a skops file may hold) and `structure` (a Python file with `broken_part`, which checks the
indices inside a loaded model).
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any


class Refused(Exception):  # noqa: N818 - it is caught a few lines below
    """The model may not be loaded, or does not answer; the text says why."""


def main(task_file: str) -> None:
    """Do what the task says; a failure ends the process with one line of JSON on standard error."""
    task = json.loads(Path(task_file).read_text("utf-8"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = _scores(task)
        part = "{}.part".format(task["out"])
        scores.to_parquet(part, index=False)
        os.replace(part, task["out"])
    except Exception as error:  # a foreign model and foreign libraries may raise anything
        what = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
        record = {"message": what.splitlines()[0] if what else type(error).__name__}
        raise SystemExit(json.dumps(record)) from None


def _scores(task: dict[str, Any]) -> Any:
    import numpy as np
    import pandas as pd

    frame = pd.read_parquet(task["data"])
    model = _LOADERS[task["kind"]](task)
    features = getattr(model, "feature_names_in_", None)
    if features is None:
        frame = frame.drop(columns=[name for name in task["drop"] if name in frame.columns])
    else:
        missing = [str(name) for name in features if name not in frame.columns]
        if missing:
            raise Refused("the model needs columns that the data does not have: " + ", ".join(missing[:10]))
        frame = frame[list(features)]
    predictions = np.asarray(model.predict(frame))
    if predictions.ndim == 2 and predictions.shape[1] == 1:
        predictions = predictions[:, 0]
    if predictions.shape != (len(frame),):
        raise Refused(f"the model answers {len(frame)} rows with an array of shape {predictions.shape}")
    columns = {"prediction": predictions}
    classes = getattr(model, "classes_", None)
    if classes is not None and hasattr(model, "predict_proba"):
        probabilities = np.asarray(model.predict_proba(frame), dtype=float)
        for index, label in enumerate(np.asarray(classes).tolist()):
            columns[f"probability_{label}"] = probabilities[:, index]
    return pd.DataFrame(columns)


def _skops(task: dict[str, Any]) -> Any:
    import skops.io

    refused = sorted(set(skops.io.get_untrusted_types(file=task["model"])) - set(task["trusted"]))
    if refused:
        raise Refused("the model holds types that are not trusted: " + ", ".join(refused))
    model = skops.io.load(task["model"], trusted=task["trusted"])
    spec = importlib.util.spec_from_file_location("structure", task["structure"])
    if spec is None or spec.loader is None:
        raise Refused("the model's structure cannot be checked")
    structure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(structure)
    broken = structure.broken_part(model)
    if broken is not None:
        raise Refused(f"the model is damaged or forged: {broken}")
    return model


def _pickle(task: dict[str, Any]) -> Any:
    import cloudpickle  # type: ignore[import-untyped]  # it has no stubs

    if not task["pickles"]:
        raise Refused("the model is a pickle, which MLFLOW_ALLOW_PICKLE_DESERIALIZATION forbids")
    with Path(task["model"]).open("rb") as stream:
        return cloudpickle.load(stream)


def _python_function(task: dict[str, Any]) -> Any:
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(task["model"])


_LOADERS = {"skops": _skops, "pickle": _pickle, "python_function": _python_function}

if __name__ == "__main__":
    main(sys.argv[1])
