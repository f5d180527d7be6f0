"""Predictions as a table: one row for each evaluation row, joined on the key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs
from mlci.core.slice_rules import columns_of
from mlci.predictions.blocks import give_back_memory, with_answers
from mlci.predictions.joining import UnmatchedError, both_text_or_neither, places, repeats
from mlci.predictions.multilabel import answers_for, refuse_other_answers, refuse_other_labels
from mlci.predictions.proper import refuse_bad_queries, refuse_improper_shares
from mlci.predictions.refusals import refuse_gaps, refuse_labels, refuse_other_kind, refuse_weights
from mlci.predictions.scores import spelled_out
from mlci.readers import read_columns, read_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def judged_columns(data: DataInputs, extra: Sequence[str] = ()) -> list[str]:
    """Return the columns of data.evaluate that a verdict needs: no features but those that slices name.

    `extra` are further ones, those that metrics are named with.
    """
    usual = (data.key, *data.label_columns, data.query, data.weight, data.group)
    return list(dict.fromkeys(name for name in (*usual, *columns_of(data.slices), *extra) if name))


def evaluation_rows(
    data: DataInputs,
    root: Path,
    where: Callable[[str], str | None] | None = None,
    extra: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the evaluation file's key, label, weight, group and slice columns, in its order.

    Nothing else of the file is loaded but the columns `extra`. `where` tells which line of mlci.yaml set a
    dotted key. Raises MlciError `config.invalid`, `data.missing-column`, `data.bad-key`, `data.bad-label` or
    `data.bad-weight`.
    """
    from mlci.slicing import check_columns

    if not data.evaluate or not data.label_columns:
        raise MlciError(
            "config.invalid",
            "data.evaluate and data.label (or data.labels) are needed to judge a model",
            "set both in mlci.yaml",
        )
    path = root / data.evaluate
    names, present = judged_columns(data, extra), read_columns(path)
    check_columns(data.slices, present, data.evaluate, where or _nowhere)
    missing = [name for name in names if name not in present]
    if missing:
        raise MlciError(
            "data.missing-column",
            f"'{data.evaluate}' has no column {', '.join(repr(name) for name in missing)}",
            f"it has: {', '.join(present[:30])}",
        )
    frame = read_table(path, names)
    give_back_memory()
    bad = int(frame[data.key].isna().sum()) + repeats(frame[data.key].dropna()) if data.key else 0
    if bad:
        raise MlciError(
            "data.bad-key",
            f"key '{data.key}' of '{data.evaluate}' is empty or repeated in {bad:,} rows",
            "a key names one row",
        )
    refuse_labels(frame, data)
    refuse_other_labels(frame, data)
    refuse_bad_queries(frame, data)
    refuse_weights(frame, data)
    return frame


def _nowhere(key: str) -> str | None:  # noqa: ARG001 - the signature of a look-up
    return None


def read_predictions(path: Path, whose: str, data: DataInputs) -> pd.DataFrame:
    """Return a table of predictions, without the columns that no verdict needs.

    Raises MlciError `predictions.unreadable`.
    """
    try:
        present = read_columns(path)
        kept = {data.key, data.label, *_answers(present, data, whose)}
        table = read_table(path, [name for name in present if name in kept])
    except MlciError as error:
        if error.code == "predictions.unreadable":
            raise
        raise MlciError(
            "predictions.unreadable", f"the {whose}'s predictions cannot be read: {error.message}", error.hint
        ) from error
    give_back_memory()
    return table


def answers(path: Path, rows: pd.DataFrame, data: DataInputs, whose: str) -> pd.DataFrame:
    """Return the predictions in a file, in the order of the evaluation rows; raises as `align` does."""
    return align(read_predictions(path, whose, data), rows, data, whose)


def align(table: pd.DataFrame, rows: pd.DataFrame, data: DataInputs, whose: str) -> pd.DataFrame:
    """Return predictions in the order of the evaluation rows, with those rows' columns beside them.

    Joined on the key; without one, the number of rows (and labels, where given) must agree. The columns of
    `rows` are shared, not copied, and `table` is used up.
    Raises MlciError `predictions.unreadable`, `predictions.unpaired`, `predictions.not-finite` or
    `predictions.out-of-range`.
    """
    given = _answers([str(name) for name in table.columns], data, whose)
    where = None
    if data.key:
        where = _by_key(table, rows, data.key, whose)
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
    _drop(table, [str(name) for name in table.columns if name not in given])
    joined = with_answers(rows, table, given, where)
    give_back_memory()
    refuse_gaps(joined, given, whose)
    if data.labels:
        refuse_other_answers(joined, data, whose)
        return joined
    refuse_other_kind(joined, data, whose)
    refuse_improper_shares(joined, whose)
    return spelled_out(joined, data) if "probability" in given else joined


def _answers(names: Sequence[str], data: DataInputs, whose: str) -> list[str]:
    """Return the columns that hold what a model says; raises MlciError `predictions.unreadable`."""
    if data.labels:
        return answers_for(names, data, whose)
    if "prediction" not in names:
        raise MlciError(
            "predictions.unreadable",
            f"the {whose}'s predictions have no column 'prediction' (they have: {', '.join(names)})",
            "write key, label, prediction, and probability_<class> for a classifier",
        )
    return ["prediction", *(name for name in names if name.startswith("probability"))]


def _by_key(table: pd.DataFrame, rows: pd.DataFrame, key: str, whose: str) -> NDArray[np.intp] | None:
    """Return the place of each evaluation row in the predictions; None when they are in the same order."""
    if key not in table.columns:
        raise MlciError(
            "predictions.unreadable",
            f"the {whose}'s predictions have no key column '{key}'",
            "write data.key too",
        )
    if not both_text_or_neither(rows[key], table[key]):
        raise MlciError(
            "predictions.unpaired",
            f"key '{key}' is {_kind(table[key])} in the {whose}'s predictions, "
            f"but {_kind(rows[key])} in the evaluation rows",
            "write the key as data.evaluate has it",
        )
    try:
        return places(rows[key], table[key])
    except UnmatchedError as found:
        if found.repeated:
            raise MlciError(
                "predictions.unpaired",
                f"the {whose} has several predictions for one '{key}' ({found.repeated:,} times)",
                "predict each row of data.evaluate once",
            ) from None
        raise MlciError(
            "predictions.unpaired",
            f"the {whose} lacks {found.missing:,} of {len(rows):,} evaluation rows"
            f" and has {found.extra:,} others (by '{key}')",
            "predict exactly the rows of data.evaluate",
        ) from None


def _drop(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Drop columns where they are, so that whoever else holds the table holds less of it."""
    for name in names:
        table.pop(name)


def _kind(keys: pd.Series) -> str:
    from pandas.api.types import is_numeric_dtype

    return "numbers" if is_numeric_dtype(keys) else "text"


def _same(left: pd.Series, right: pd.Series) -> bool:
    return bool((left.to_numpy() == right.to_numpy()).all())
