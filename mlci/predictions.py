"""Predictions as a table: one row for each evaluation row, and the scores that metrics are made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.readers import read_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlci.stats.scores import Scores

PREFIX = "probability_"
_MOST_CLASSES = 20
Task = Literal["classification", "regression"]


def evaluation_rows(data: DataInputs, root: Path) -> pd.DataFrame:
    """Return the evaluation file's key, label, weight, group and slice columns, in its order.

    Raises MlciError `config.invalid`, `data.missing-column`, `data.bad-key` or `data.bad-label`.
    """
    if not data.evaluate or not data.label:
        raise MlciError(
            "config.invalid",
            "data.evaluate and data.label are needed to judge a model",
            "set both in mlci.yaml",
        )
    frame = read_table(root / data.evaluate)
    names = list(dict.fromkeys(n for n in (data.key, data.label, data.weight, data.group, *data.slices) if n))
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise MlciError(
            "data.missing-column",
            f"'{data.evaluate}' has no column {', '.join(repr(name) for name in missing)}",
            f"it has: {', '.join(map(str, list(frame.columns)[:30]))}",
        )
    if data.key and (frame[data.key].isna().any() or frame[data.key].duplicated().any()):
        bad = int(frame[data.key].duplicated().sum() + frame[data.key].isna().sum())
        raise MlciError(
            "data.bad-key",
            f"key '{data.key}' of '{data.evaluate}' is empty or repeated in {bad:,} rows",
            "a key names one row",
        )
    if frame[data.label].isna().any():
        raise MlciError(
            "data.bad-label",
            f"label '{data.label}' of '{data.evaluate}' is empty in {int(frame[data.label].isna().sum()):,} rows",
            "a model cannot be judged on rows without a label",
        )
    return frame[names]


def read_predictions(path: Path, whose: str) -> pd.DataFrame:
    """Return a table of predictions; raises MlciError `predictions.unreadable`."""
    try:
        return read_table(path)
    except MlciError as error:
        raise MlciError(
            "predictions.unreadable", f"the {whose}'s predictions cannot be read: {error.message}", error.hint
        ) from error


def align(table: pd.DataFrame, rows: pd.DataFrame, data: DataInputs, whose: str) -> pd.DataFrame:
    """Return predictions in the order of the evaluation rows, with those rows' columns beside them.

    Joined on the key; without one, the number of rows (and labels, where given) must agree.
    Raises MlciError `predictions.unreadable`, `predictions.unpaired` or `predictions.not-finite`.
    """
    if "prediction" not in table.columns:
        raise MlciError(
            "predictions.unreadable",
            f"the {whose}'s predictions have no column 'prediction' (they have: {', '.join(map(str, table.columns))})",
            "write key, label, prediction, and probability_<class> for a classifier",
        )
    given = ["prediction", *(str(n) for n in table.columns if str(n).startswith("probability"))]
    if data.key:
        table = _by_key(table, rows, data.key, whose)
    elif len(table) != len(rows):
        raise MlciError(
            "predictions.unpaired",
            f"the {whose} has {len(table):,} predictions for {len(rows):,} evaluation rows",
            "set data.key, so that rows can be matched",
        )
    elif data.label in table.columns and not _same(table[data.label], rows[data.label]):
        raise MlciError(
            "predictions.unpaired",
            f"the {whose}'s predictions hold other labels than the evaluation rows, in the same order",
            "set data.key, so that rows can be matched",
        )
    joined = rows.reset_index(drop=True).copy()
    for name in given:
        joined[name] = table[name].to_numpy()
    _refuse_gaps(joined, given, whose)
    _refuse_other_kind(joined, data, whose)
    return _spelled_out(joined, data) if "probability" in given else joined


def task_of(labels: pd.Series, data: DataInputs, *, has_probabilities: bool) -> Task:
    """Return what is predicted: as configured, else classes when the labels look like classes."""
    from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

    if data.task:
        return data.task
    if has_probabilities or is_bool_dtype(labels) or not is_numeric_dtype(labels):
        return "classification"
    if is_float_dtype(labels) and not (labels == labels.round()).all():
        return "regression"
    return "classification" if labels.nunique() <= _MOST_CLASSES else "regression"


def scores_of(table: pd.DataFrame, data: DataInputs, classes: Sequence[Any] | None = None) -> Scores:
    """Return the arrays that metrics are computed from.

    `classes` are all classes that either model knows; default: those of the labels and predictions.
    """
    from mlci.stats.scores import Scores

    label = table[data.label]
    columns = [name for name in table.columns if name.startswith(PREFIX)]
    weight = table[data.weight].to_numpy(dtype=float) if data.weight else None
    if task_of(label, data, has_probabilities=bool(columns)) == "regression":
        return Scores(
            label=label.to_numpy(dtype=float),
            prediction=table["prediction"].to_numpy(dtype=float),
            probability=None,
            classes=None,
            weight=weight,
        )
    known = tuple(classes) if classes is not None else known_classes([table], data)
    return Scores(
        label=label.to_numpy(),
        prediction=table["prediction"].to_numpy(),
        probability=_probabilities(table, columns, known),
        classes=known,
        positive=_positive(known, data),
        weight=weight,
    )


def usual_metrics(scores: Scores) -> list[str]:
    """Return the metrics that are recorded for every model of this kind of task."""
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
    """Return all label values in several tables of predictions, in order."""
    import pandas as pd

    values = pd.concat([column for t in tables for column in (t[data.label], t["prediction"])]).unique()
    try:
        return tuple(sorted(values.tolist()))
    except TypeError:
        return tuple(sorted(values.tolist(), key=str))


def _by_key(table: pd.DataFrame, rows: pd.DataFrame, key: str, whose: str) -> pd.DataFrame:
    if key not in table.columns:
        raise MlciError(
            "predictions.unreadable",
            f"the {whose}'s predictions have no key column '{key}'",
            "write data.key too",
        )
    if table[key].duplicated().any():
        raise MlciError(
            "predictions.unpaired",
            f"the {whose} has several predictions for one '{key}' ({int(table[key].duplicated().sum()):,} times)",
            "predict each row of data.evaluate once",
        )
    missing = int((~rows[key].isin(table[key])).sum())
    extra = int((~table[key].isin(rows[key])).sum())
    if missing or extra:
        raise MlciError(
            "predictions.unpaired",
            f"the {whose} lacks {missing:,} of {len(rows):,} evaluation rows and has {extra:,} others (by '{key}')",
            "predict exactly the rows of data.evaluate",
        )
    return table.set_index(key).loc[rows[key]].reset_index()


def _same(left: pd.Series, right: pd.Series) -> bool:
    return bool((left.to_numpy() == right.to_numpy()).all())


def _refuse_gaps(table: pd.DataFrame, columns: Sequence[str], whose: str) -> None:
    import numpy as np
    from pandas.api.types import is_numeric_dtype

    for name in columns:
        values = table[name]
        bad = values.isna().to_numpy()
        if name != "prediction" and not is_numeric_dtype(values):
            raise MlciError(
                "predictions.unreadable", f"the {whose}'s '{name}' is not a column of numbers", "write 0 … 1"
            )
        if is_numeric_dtype(values):
            bad = bad | ~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan))
        if bad.any():
            raise MlciError(
                "predictions.not-finite",
                f"the {whose}'s '{name}' is NaN, infinite or empty in {int(bad.sum()):,} of {len(table):,} rows",
                "a model that does not answer cannot be judged; look at these rows' features",
            )


def _refuse_other_kind(table: pd.DataFrame, data: DataInputs, whose: str) -> None:
    """Refuse predictions of another type than the labels: text beside numbers would only look like errors."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    label, prediction = table[data.label], table["prediction"]
    numbers = is_numeric_dtype(label) or is_bool_dtype(label)
    same_kind = numbers == (is_numeric_dtype(prediction) or is_bool_dtype(prediction))
    if same_kind or set(prediction.tolist()) & set(label.tolist()):
        return
    kinds = ("text", "numbers") if numbers else ("numbers", "text")
    raise MlciError(
        "predictions.unreadable",
        f"the {whose}'s predictions are {kinds[0]}, but the labels ('{data.label}') are {kinds[1]}",
        "write predictions as the labels are written",
    )


def _positive(classes: Sequence[Any], data: DataInputs) -> Any:
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


def _spelled_out(table: pd.DataFrame, data: DataInputs) -> pd.DataFrame:
    """Return the table with one column for each class in place of the single column `probability`."""
    classes = known_classes([table], data)
    if len(classes) != 2:
        raise MlciError(
            "predictions.unreadable",
            f"one column 'probability' for {len(classes)} classes ({', '.join(map(str, classes[:5]))})",
            "write probability_<class> for each",
        )
    positive = _positive(classes, data)
    share = table.pop("probability")
    for value in classes:
        table[f"{PREFIX}{value}"] = share if value == positive else 1 - share
    return table


def _probabilities(
    table: pd.DataFrame, columns: Sequence[str], classes: Sequence[Any]
) -> NDArray[np.float64] | None:
    """Return rows × classes; a class that the model does not know has probability 0."""
    import numpy as np

    if not columns:
        return None
    names = {name.removeprefix(PREFIX): name for name in columns}
    return np.column_stack(
        [
            table[names[str(value)]].to_numpy(dtype=float) if str(value) in names else np.zeros(len(table))
            for value in classes
        ]
    )
