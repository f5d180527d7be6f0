"""Predictions as numbers: the arrays that metrics are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.predictions.blocks import beside
from mlci.predictions.multilabel import scores_of_labels

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlci.stats.scores import Groups, Scores

PREFIX = "probability_"
_MOST_CLASSES = 20
Task = Literal["classification", "regression"]


def task_of(labels: pd.Series, data: DataInputs, *, has_probabilities: bool) -> Task:
    """Return what is predicted: as configured, else classes when the labels look like classes."""
    from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

    if data.query:  # a relevance of 0 to 4 looks like a class
        return "regression"
    if data.task:
        return data.task
    if has_probabilities or is_bool_dtype(labels) or not is_numeric_dtype(labels):
        return "classification"
    if is_float_dtype(labels) and not (labels == labels.round()).all():
        return "regression"
    return "classification" if labels.nunique() <= _MOST_CLASSES else "regression"


def scores_of(
    table: pd.DataFrame,
    data: DataInputs,
    classes: Sequence[Any] | None = None,
    columns: Sequence[str] = (),
) -> Scores:
    """Return the arrays that metrics are computed from.

    `classes` are all classes that either model knows; default: those of the labels and predictions.
    `columns` are other columns that metrics are named with.
    """
    from mlci.stats.scores import Scores

    if data.labels:
        return scores_of_labels(table, data, _weight(table, data), _groups(table, columns))
    label = table[data.label]
    shares = [name for name in table.columns if name.startswith(PREFIX)]
    weight = _weight(table, data)
    if task_of(label, data, has_probabilities=bool(shares)) == "regression":
        return Scores(
            label=label.to_numpy(dtype=float),
            prediction=table["prediction"].to_numpy(dtype=float),
            probability=None,
            classes=None,
            weight=weight,
            columns=_groups(table, columns),
            query=_queries(table, data),
        )
    known = tuple(classes) if classes is not None else known_classes([table], data)
    return Scores(
        label=label.to_numpy(),
        prediction=table["prediction"].to_numpy(),
        probability=_probabilities(table, shares, known),
        classes=known,
        positive=positive_of(known, data),
        weight=weight,
        columns=_groups(table, columns),
    )


def usual_metrics(scores: Scores) -> list[str]:
    """Return the metrics that are recorded for every model of this kind of task."""
    if scores.labels is not None:
        names = ["accuracy", "hamming_loss", "f1"]
        return [*names, "roc_auc", "log_loss", "brier"] if scores.probability is not None else names
    if scores.query is not None:
        return ["ndcg@10", "map@10"]
    if scores.classes is None:
        return ["rmse", "mae", "r2"]
    names = ["accuracy", "balanced_accuracy", "f1"]
    return [*names, "roc_auc", "log_loss", "brier"] if scores.probability is not None else names


def metric_value(name: str, scores: Scores) -> float | None:
    """Return a metric's value on all rows; None where it is undefined."""
    import numpy as np

    from mlci.stats.metrics import statistic

    found = float(statistic(name, scores).values(np.ones((1, scores.rows)))[0])
    return found if np.isfinite(found) else None


def known_classes(tables: Sequence[pd.DataFrame], data: DataInputs) -> tuple[Any, ...]:
    """Return all label values in several tables of predictions, in order; none for several labels."""
    import pandas as pd

    if data.labels:
        return ()

    found = [pd.Series(t[name].unique()) for t in tables for name in (data.label, "prediction")]
    return tuple(in_order(pd.concat(found).unique().tolist()))


def in_order(values: Sequence[Any]) -> list[Any]:
    """Return values sorted; those that cannot be compared by how they are written."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def positive_of(classes: Sequence[Any], data: DataInputs) -> Any:
    """Return the class that counts as positive: as configured, else the larger of two; None for more.

    Raises MlciError `config.invalid` when the configured one is none of the classes.
    """
    if data.positive is None:
        return classes[-1] if len(classes) == 2 else None
    for value in classes:
        if value == data.positive or str(value) == str(data.positive):
            return value
    raise MlciError(
        "config.invalid",
        f"'data.positive': {data.positive!r} is none of the labels ({', '.join(map(str, classes))})",
        "name one of these",
    )


def spelled_out(table: pd.DataFrame, data: DataInputs) -> pd.DataFrame:
    """Return the table with one column for each class in place of the single column `probability`."""
    classes = known_classes([table], data)
    if len(classes) != 2:
        raise MlciError(
            "predictions.unreadable",
            f"one column 'probability' for {len(classes)} classes ({', '.join(map(str, classes[:5]))})",
            "write probability_<class> for each",
        )
    positive = positive_of(classes, data)
    share = table.pop("probability").to_numpy(dtype=float)
    names = [f"{PREFIX}{value}" for value in classes]
    return beside(table, names, (share if value == positive else 1 - share for value in classes))


def _weight(table: pd.DataFrame, data: DataInputs) -> NDArray[np.float64] | None:
    return table[data.weight].to_numpy(dtype=float) if data.weight else None


def _queries(table: pd.DataFrame, data: DataInputs) -> NDArray[np.intp] | None:
    """Return the query of each row as a number."""
    import pandas as pd

    return pd.factorize(table[data.query])[0] if data.query else None


def _groups(table: pd.DataFrame, columns: Sequence[str]) -> dict[str, Groups]:
    """Return columns as numbered groups; rows without a value are a group of their own."""
    import pandas as pd

    from mlci.stats.scores import Groups

    found = {}
    for name in columns:
        numbers, values = pd.factorize(table[name], use_na_sentinel=False)
        empty = pd.isna(values)
        found[name] = Groups(
            numbers, ["(empty)" if gone else str(value) for value, gone in zip(values, empty, strict=True)]
        )
    return found


def _probabilities(
    table: pd.DataFrame, columns: Sequence[str], classes: Sequence[Any]
) -> NDArray[np.float64] | None:
    """Return rows × classes; a class that the model does not know has probability 0."""
    import numpy as np

    if not columns:
        return None
    names = {name.removeprefix(PREFIX): name for name in columns}
    if all(str(value) in names for value in classes):
        # Of columns that lie in one block this is a view.
        return table[[names[str(value)] for value in classes]].to_numpy(dtype=float)
    return np.column_stack(
        [
            table[names[str(value)]].to_numpy(dtype=float) if str(value) in names else np.zeros(len(table))
            for value in classes
        ]
    )
