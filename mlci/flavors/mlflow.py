"""Loads MLflow model folders: the estimator itself where there is one, else MLflow's Python function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError
from mlci.core.ports import Model
from mlci.flavors import skops
from mlci.flavors._estimator import EstimatorModel, one_column, predicted, select
from mlci.flavors._opening import opening, with_version_check
from mlci.flavors._quiet import quiet_mlflow

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class MlflowFlavor:
    """A folder with an MLmodel file, or a folder whose only such folder it is."""

    def recognises(self, path: Path) -> bool:
        """Return whether `path` is such a folder."""
        return model_folder(path) is not None

    def load(self, path: Path, trusted: Sequence[str]) -> Model:
        """Load a model.

        A scikit-learn model becomes the estimator; when it was saved by skops, our list and `trusted`
        decide and not the list in MLmodel, which the author of the model wrote, and code that the
        folder brings along is not used. Anything else is loaded by MLflow and may run code.
        Raises MlciError `model.unreadable` or `model.untrusted`.
        """
        folder = model_folder(path) or path
        with opening(folder):
            config = read_mlmodel(folder)["flavors"]
            if "sklearn" not in config:
                return PythonFunctionModel(_load_python_function(folder))
            if config["sklearn"].get("serialization_format") == "skops":
                file = _inside(folder, str(config["sklearn"]["pickled_model"]))
                return EstimatorModel(skops.load_estimator(file, trusted))
            return EstimatorModel(with_version_check(folder, lambda: _unpickle(folder)))


class PythonFunctionModel:
    """A model of which only MLflow's `predict` is known: no classes, no probabilities."""

    classes: Sequence[Any] | None = None

    def __init__(self, function: Any) -> None:
        self.function = function
        schema = function.metadata.get_input_schema()
        names = [] if schema is None or not schema.has_input_names() else schema.required_input_names()
        self.features: tuple[str, ...] | None = tuple(names) or None
        self._optional = [] if not names else [name for name in schema.input_names() if name not in names]

    def predict(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return one prediction for each row.

        Raises MlciError `data.missing-column`, or `model.unreadable` when the model refuses the rows.
        """
        features = self.features
        if features is not None:
            features += tuple(name for name in self._optional if name in frame.columns)
        rows = _without_categories(select(frame, features))
        with quiet_mlflow():
            return one_column(predicted(self.function.predict, rows), len(frame))

    def predict_proba(self, frame: pd.DataFrame) -> None:  # noqa: ARG002 - the port gives the rows
        """Return None: a Python function has no probabilities that are known as such."""
        return


def model_folder(path: Path) -> Path | None:
    """Return where the MLmodel file is: in `path` or in its only folder that has one; None without."""
    if not path.is_dir():
        return None
    if (path / "MLmodel").is_file():
        return path
    found = [item for item in path.iterdir() if (item / "MLmodel").is_file()]
    return found[0] if len(found) == 1 else None


def read_mlmodel(folder: Path) -> Mapping[str, Any]:
    """Return the content of an MLmodel file; raises MlciError `model.unreadable`."""
    import yaml

    with opening(folder / "MLmodel"):
        content = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("flavors"), dict):
            raise TypeError("it names no flavors")
    return content


def _without_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with plain values: MLflow writes a category down as text, then refuses it as such."""
    categories = frame.select_dtypes("category").columns
    return frame.astype({name: frame[name].cat.categories.dtype for name in categories})


def _inside(folder: Path, name: str) -> Path:
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise MlciError(
            "model.unreadable",
            f"'{folder.name}/MLmodel' names a file outside its folder: {name}",
            "do not use this model; train it again",
        )
    return file


def _load_python_function(folder: Path) -> Any:
    with quiet_mlflow():
        import mlflow.pyfunc

        return mlflow.pyfunc.load_model(str(folder))


def _unpickle(folder: Path) -> Any:
    # Left to MLflow, so that its own switch against pickles (MLFLOW_ALLOW_PICKLE_DESERIALIZATION) holds.
    with quiet_mlflow():
        import mlflow.sklearn

        return mlflow.sklearn.load_model(str(folder))


flavor = MlflowFlavor()
