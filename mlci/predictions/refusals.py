"""Refuses evaluation rows and predictions that no metric could be computed from, with how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.predictions.scores import task_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_ROUNDING = 1e-6
"""How far a probability may lie outside 0 … 1: single precision leaves about as much."""


def refuse_labels(frame: pd.DataFrame, data: DataInputs) -> None:
    """Raise MlciError `data.bad-label` for labels that are empty, infinite, no numbers, or all one class."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    for name in data.label_columns:
        if frame[name].isna().any():
            raise MlciError(
                "data.bad-label",
                f"label '{name}' of '{data.evaluate}' is empty in {int(frame[name].isna().sum()):,} rows",
                "a model cannot be judged on rows without a label",
            )
    if data.labels:
        return
    label = frame[data.label]
    where = f"label '{data.label}' of '{data.evaluate}'"
    if data.task == "regression" and not is_numeric_dtype(label):
        raise MlciError(
            "data.bad-label",
            f"{where} is text, but data.task is regression",
            "write numbers only, or set data.task: classification",
        )
    if is_numeric_dtype(label) and not is_bool_dtype(label) and (bad := int(not_finite(label).sum())):
        raise MlciError(
            "data.bad-label", f"{where} is infinite in {bad:,} rows", "correct these rows, or leave them out"
        )
    first = label.iloc[0]
    if task_of(label.iloc[:1], data, has_probabilities=False) == "classification" and (label == first).all():
        raise MlciError(
            "data.bad-label",
            f"{where} is {first} in all {len(label):,} rows, so no model can be told from another",
            "use rows of at least two classes, or set data.task: regression",
        )


def refuse_weights(frame: pd.DataFrame, data: DataInputs) -> None:
    """Raise MlciError `data.bad-weight` for weights that are no numbers, not finite, negative, or all 0."""
    from pandas.api.types import is_numeric_dtype

    if not data.weight:
        return
    weight = frame[data.weight]
    where = f"weight '{data.weight}' of '{data.evaluate}'"
    if not is_numeric_dtype(weight):
        raise MlciError("data.bad-weight", f"{where} is not a column of numbers", "write numbers from 0 on")
    bad = not_finite(weight) | (weight < 0).to_numpy(dtype=bool, na_value=False)
    if bad.any():
        raise MlciError(
            "data.bad-weight",
            f"{where} is empty, infinite or negative in {int(bad.sum()):,} rows",
            "write numbers from 0 on; 0 leaves a row out",
        )
    if not (weight > 0).any():
        raise MlciError("data.bad-weight", f"{where} is 0 in all {len(weight):,} rows", "let some rows count")


def refuse_gaps(table: pd.DataFrame, columns: Sequence[str], whose: str) -> None:
    """Raise MlciError for predictions that are missing, not finite, or no probabilities where these belong."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    for name in columns:
        values = table[name]
        if not name.startswith("prediction") and (not is_numeric_dtype(values) or is_bool_dtype(values)):
            raise MlciError(
                "predictions.unreadable", f"the {whose}'s '{name}' is not a column of numbers", "write 0 … 1"
            )
        bad = not_finite(values) if is_numeric_dtype(values) else values.isna().to_numpy()
        if bad.any():
            raise MlciError(
                "predictions.not-finite",
                f"the {whose}'s '{name}' is NaN, infinite or empty in {int(bad.sum()):,} of {len(table):,} rows",
                "a model that does not answer cannot be judged; look at these rows' features",
            )
        if not name.startswith("prediction"):
            _refuse_outside(values, name, whose)


def _refuse_outside(values: pd.Series, name: str, whose: str) -> None:
    low, high = float(values.min()), float(values.max())
    if low >= -_ROUNDING and high <= 1 + _ROUNDING:
        return
    outside = int(((values < -_ROUNDING) | (values > 1 + _ROUNDING)).sum())
    raise MlciError(
        "predictions.out-of-range",
        f"the {whose}'s '{name}' is outside 0 … 1 in {outside:,} of {len(values):,} rows ({low:g} … {high:g})",
        "write probabilities, not scores, logits or percent",
    )


def refuse_other_kind(table: pd.DataFrame, data: DataInputs, whose: str) -> None:
    """Refuse predictions of another type than the labels: text beside numbers would only look like errors.

    Raises MlciError `predictions.unreadable`.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    label, prediction = table[data.label], table["prediction"]
    numbers = is_numeric_dtype(label) or is_bool_dtype(label)
    same_kind = numbers == (is_numeric_dtype(prediction) or is_bool_dtype(prediction))
    if same_kind or set(prediction.unique().tolist()) & set(label.unique().tolist()):
        return
    kinds = ("text", "numbers") if numbers else ("numbers", "text")
    raise MlciError(
        "predictions.unreadable",
        f"the {whose}'s predictions are {kinds[0]}, but the labels ('{data.label}') are {kinds[1]}",
        "write predictions as the labels are written",
    )


def not_finite(values: pd.Series) -> NDArray[np.bool_]:
    """Return which numbers are missing, NaN or infinite; columns of plain numbers are not copied for it."""
    import numpy as np

    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iub":
        return np.zeros(len(values), dtype=np.bool_)
    plain = isinstance(values.dtype, np.dtype) and values.dtype.kind == "f"
    numbers: NDArray[np.floating[Any]] = (
        values.to_numpy() if plain else values.to_numpy(dtype=float, na_value=np.nan)
    )
    return np.asarray(~np.isfinite(numbers))
