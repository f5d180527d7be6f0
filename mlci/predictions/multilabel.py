"""Predictions of several labels at once: a column of 0 and 1 for each, and their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlci.stats.scores import Groups, Scores

_PREDICTION, _PROBABILITY = "prediction_", "probability_"


def answers_for(names: Sequence[str], data: DataInputs, whose: str) -> list[str]:
    """Return the columns of predictions that answer for data.labels; probabilities for all of them or none.

    Raises MlciError `predictions.unreadable` for one that is missing.
    """
    predictions = [f"{_PREDICTION}{label}" for label in data.labels]
    shares = [f"{_PROBABILITY}{label}" for label in data.labels]
    wanted = predictions + (shares if any(name in names for name in shares) else [])
    missing = [name for name in wanted if name not in names]
    if missing:
        raise MlciError(
            "predictions.unreadable",
            f"the {whose}'s predictions have no column {', '.join(map(repr, missing[:5]))}"
            f" (they have: {', '.join(map(str, names[:30]))})",
            "write prediction_<label>, 0 or 1, for each of data.labels, and probability_<label> for all or none",
        )
    return wanted


def refuse_other_labels(frame: pd.DataFrame, data: DataInputs) -> None:
    """Raise MlciError `data.bad-label` for a column of data.labels that holds anything but 0 and 1."""
    for label in data.labels:
        bad = int((~_zero_or_one(frame[label])).sum())
        if bad:
            raise MlciError(
                "data.bad-label",
                f"label '{label}' of '{data.evaluate}' is neither 0 nor 1 in {bad:,} of {len(frame):,} rows",
                "each of data.labels is a column of 0 and 1; one label of several classes is data.label",
            )


def refuse_other_answers(table: pd.DataFrame, data: DataInputs, whose: str) -> None:
    """Raise MlciError `predictions.unreadable` for predictions other than 0 and 1."""
    for label in data.labels:
        name = f"{_PREDICTION}{label}"
        bad = int((~_zero_or_one(table[name])).sum())
        if bad:
            raise MlciError(
                "predictions.unreadable",
                f"the {whose}'s '{name}' is neither 0 nor 1 in {bad:,} of {len(table):,} rows",
                f"write 0 or 1 there, and a share into {_PROBABILITY}{label}",
            )


def scores_of_labels(
    table: pd.DataFrame,
    data: DataInputs,
    weight: NDArray[np.float64] | None,
    columns: Mapping[str, Groups],
) -> Scores:
    """Return the arrays that metrics are computed from, rows × labels."""
    import numpy as np

    from mlci.stats.scores import Scores

    def stacked(prefix: str, kind: type) -> NDArray[np.generic]:
        return np.column_stack([table[f"{prefix}{label}"].to_numpy(dtype=kind) for label in data.labels])

    shares = f"{_PROBABILITY}{data.labels[0]}" in table.columns
    return Scores(
        label=stacked("", bool),
        prediction=stacked(_PREDICTION, bool),
        probability=stacked(_PROBABILITY, float) if shares else None,
        weight=weight,
        columns=columns,
        labels=tuple(data.labels),
    )


def _zero_or_one(values: pd.Series) -> pd.Series:
    return values.isin([0, 1])
