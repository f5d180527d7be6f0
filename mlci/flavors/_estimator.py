"""A fitted scikit-learn estimator as a `Model`: one prediction a row, on the columns it was fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError, first_line

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class EstimatorModel:
    """A fitted estimator.

    `features` are the names of the columns it was fitted on, in their order; None when it was fitted
    on an array. `classes` are Python values in the order of the columns of `predict_proba`.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        names = _attribute(estimator, "feature_names_in_")
        self.features: tuple[str, ...] | None = None if names is None else tuple(str(name) for name in names)
        classes = _attribute(estimator, "classes_")
        flat = getattr(classes, "ndim", 0) == 1
        self.classes: Sequence[Any] | None = tuple(classes.tolist()) if flat else None

    def predict(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return one prediction for each row.

        Raises MlciError `data.missing-column`, or `model.unreadable` when the estimator refuses the rows.
        """
        rows = select(frame, self.features)
        return one_column(predicted(self.estimator.predict, rows), len(frame))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray[Any, Any] | None:
        """Return probabilities, rows × classes; None for an estimator without them."""
        if self.classes is None or not hasattr(self.estimator, "predict_proba"):
            return None
        import numpy as np

        rows = select(frame, self.features)
        return np.asarray(predicted(self.estimator.predict_proba, rows), dtype=float)


def select(frame: pd.DataFrame, features: Sequence[str] | None) -> pd.DataFrame:
    """Return the columns that a model was fitted on; all columns when it does not name them.

    Raises MlciError `data.missing-column`.
    """
    if features is None:
        return frame
    missing = [name for name in features if name not in frame.columns]
    if missing:
        raise MlciError(
            "data.missing-column",
            f"the model needs {len(missing)} columns that the data does not have: {', '.join(missing[:10])}",
            "score it on data with the columns that it was trained on, or train it again",
        )
    return frame[list(features)]


def predicted(function: Callable[[Any], Any], rows: pd.DataFrame) -> Any:
    """Return what a model's own function says about `rows`, its warnings left out.

    Raises MlciError `model.unreadable` when it raises an error of its own.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(rows)
    except MlciError:
        raise
    except Exception as error:
        raise MlciError(
            "model.unreadable",
            f"the model cannot predict these {len(rows)} rows: {type(error).__name__}: {first_line(error)}",
            "the columns must have the types that the model was trained on; "
            "do what the rows need inside a Pipeline, so that it is saved with the model",
        ) from error


def one_column(values: Any, rows: int) -> np.ndarray[Any, Any]:
    """Return predictions as a one-dimensional array of `rows` values.

    A table counts when it has one column, or one named 'prediction' or 'predictions'.
    Raises MlciError `model.unreadable` for any other shape.
    """
    import numpy as np

    columns = getattr(values, "columns", None)
    if columns is not None and len(columns) > 1:
        named = [name for name in columns if str(name).lower() in ("prediction", "predictions")]
        values = values[named[0]] if len(named) == 1 else values
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or len(array) != rows:
        raise MlciError(
            "model.unreadable",
            f"the model answers {rows} rows with an array of shape {array.shape}, not one prediction a row",
            "let the model's predict return one value for each row",
        )
    return array


def _attribute(estimator: Any, name: str) -> Any:
    """Return a fitted attribute; None where it is missing, or a meta-estimator cannot say."""
    try:
        return getattr(estimator, name, None)
    except (IndexError, TypeError, ValueError):
        return None
