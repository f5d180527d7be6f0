"""Predictions as a table: one row for each evaluation row, joined on the key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.predictions.multilabel import answers_for, refuse_other_answers, refuse_other_labels
from mlci.predictions.proper import refuse_bad_queries, refuse_improper_shares
from mlci.predictions.scores import spelled_out
from mlci.readers import read_table

if TYPE_CHECKING:
    import pandas as pd


def evaluation_rows(data: DataInputs, root: Path, extra: Sequence[str] = ()) -> pd.DataFrame:
    """Return the evaluation file's key, label, weight, group and slice columns, in its order.

    `extra` are further columns, those that metrics are named with.
    Raises MlciError `config.invalid`, `data.missing-column`, `data.bad-key` or `data.bad-label`.
    """
    if not data.evaluate or not data.label_columns:
        raise MlciError(
            "config.invalid",
            "data.evaluate and data.label (or data.labels) are needed to judge a model",
            "set both in mlci.yaml",
        )
    frame = read_table(root / data.evaluate)
    names = list(
        dict.fromkeys(
            n
            for n in (
                data.key,
                *data.label_columns,
                data.query,
                data.weight,
                data.group,
                *data.slices,
                *extra,
            )
            if n
        )
    )
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
    for label in data.label_columns:
        if frame[label].isna().any():
            raise MlciError(
                "data.bad-label",
                f"label '{label}' of '{data.evaluate}' is empty in {int(frame[label].isna().sum()):,} rows",
                "a model cannot be judged on rows without a label",
            )
    refuse_other_labels(frame, data)
    refuse_bad_queries(frame, data)
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
    if not data.labels and "prediction" not in table.columns:
        raise MlciError(
            "predictions.unreadable",
            f"the {whose}'s predictions have no column 'prediction' (they have: {', '.join(map(str, table.columns))})",
            "write key, label, prediction, and probability_<class> for a classifier",
        )
    given = ["prediction", *(str(n) for n in table.columns if str(n).startswith("probability"))]
    if data.labels:
        given = answers_for(list(table.columns), data, whose)
    if data.key:
        table = _by_key(table, rows, data.key, whose)
    elif len(table) != len(rows):
        raise MlciError(
            "predictions.unpaired",
            f"the {whose} has {len(table):,} predictions for {len(rows):,} evaluation rows",
            "set data.key, so that rows can be matched",
        )
    elif any(name in table.columns and not _same(table[name], rows[name]) for name in data.label_columns):
        raise MlciError(
            "predictions.unpaired",
            f"the {whose}'s predictions hold other labels than the evaluation rows, in the same order",
            "set data.key, so that rows can be matched",
        )
    joined = rows.reset_index(drop=True).copy()
    for name in given:
        joined[name] = table[name].to_numpy()
    _refuse_gaps(joined, given, whose)
    if data.labels:
        refuse_other_answers(joined, data, whose)
        return joined
    _refuse_other_kind(joined, data, whose)
    refuse_improper_shares(joined, whose)
    return spelled_out(joined, data) if "probability" in given else joined


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
        if not name.startswith("prediction") and not is_numeric_dtype(values):
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
