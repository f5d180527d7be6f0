"""Metrics that others wrote: any scikit-learn scorer, and a project's own `module:function`."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.recomputed import Ask, Recomputed, Redrawn, rows_of, same_value
from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats

if TYPE_CHECKING:
    import pandas as pd

SCORER = "sklearn:"


class OutsideError(ValueError):
    """A metric that others wrote raised an error, returned no number, or is not deterministic."""


def scorer(name: str) -> Callable[[Scores], Recomputed]:
    """Return the metric of a scikit-learn scorer; raises ValueError with the nearest name for an unknown one."""
    from sklearn.metrics import get_scorer, get_scorer_names

    wanted, known = name.removeprefix(SCORER), get_scorer_names()
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1)
        hint = (
            f"did you mean '{SCORER}{near[0]}'?" if near else "scikit-learn lists them by get_scorer_names()"
        )
        raise ValueError(f"scikit-learn has no scorer '{wanted}'; {hint}")
    return _checked(name, _Scorer(get_scorer(wanted)).prepare)


class _Scorer:
    """A scorer of scikit-learn, asked by the cheapest way that gives the same values."""

    def __init__(self, judge: Callable[..., float]) -> None:
        self._judge = judge
        self._by_cells: bool | None = None

    def prepare(self, scores: Scores) -> Ask:
        """Return the scorer's value on some scores as a function of how often each row counts.

        A scorer that asks for predicted classes only, and takes weights, is asked about a table with one
        row for each pair of label and prediction. That it says the same of all rows, and of two resamples
        of them, is tried out when it is first asked.
        """
        recorded = _recorder(scores)

        def by_rows(counts: Floats) -> float:
            rows = rows_of(counts)
            weight = {} if scores.weight is None else {"sample_weight": scores.weights[rows]}
            probability = None if scores.probability is None else scores.probability[rows]
            answers = recorded(scores.prediction[rows], probability)
            return float(self._judge(answers, np.arange(len(rows))[:, None], scores.label[rows], **weight))

        if self._by_cells is False or scores.classes is None or not scores.rows:
            return by_rows
        by_cells = self._on_cells(scores, recorded)
        if self._by_cells is None:
            self._by_cells = _agree(by_rows, by_cells, scores.rows) and not recorded.asked_probability
        return by_cells if self._by_cells else by_rows

    def _on_cells(self, scores: Scores, recorded: Any) -> Ask:
        codes = scores.label_codes * len(scores.classes or ()) + scores.prediction_codes
        _, first, cell = np.unique(codes, return_index=True, return_inverse=True)
        label, prediction = scores.label[first], scores.prediction[first]
        probability = None if scores.probability is None else scores.probability[first]

        def by_cells(counts: Floats) -> float:
            totals = np.bincount(cell, counts * scores.weights, minlength=len(first))
            there = np.flatnonzero(totals)  # a class without rows is one that the scorer must not see
            answers = recorded(prediction[there], None if probability is None else probability[there])
            return float(
                self._judge(
                    answers, np.arange(len(there))[:, None], label[there], sample_weight=totals[there]
                )
            )

        return by_cells


def _agree(one: Ask, other: Ask, rows: int) -> bool:
    """Return whether two ways to ask say the same of all rows and of two resamples of them."""
    chance = np.random.default_rng(rows)
    drawn = [np.bincount(chance.integers(0, rows, rows), minlength=rows) for _ in range(2)]
    for counts in (np.ones(rows), *(counts.astype(np.float64) for counts in drawn)):
        expected = one(counts)
        try:
            if not same_value(expected, other(counts)):
                return False
        except (TypeError, ValueError):  # it takes no weights
            return False
    return True


def function(name: str) -> tuple[Callable[[Scores], Recomputed], bool]:
    """Return a project's own metric, and whether more of it is better (its `greater_is_better`, else yes).

    Raises ValueError when there is no such module or function.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"metric '{name}' cannot be loaded: {error}") from error
    if not callable(found):
        raise ValueError(f"metric '{name}' is no function but {type(found).__name__}")  # noqa: TRY004 one kind of error

    def prepare(scores: Scores) -> Ask:
        table = Redrawn(frame(scores))

        def ask(counts: Floats) -> float:
            value = found(table.of(counts))
            if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
                raise TypeError(f"returned {type(value).__name__}, not a number")
            return float(value)

        return ask

    return _checked(name, prepare), bool(getattr(found, "greater_is_better", True))


def frame(scores: Scores) -> pd.DataFrame:
    """Return scores as the table that a project's own metric is given."""
    import pandas as pd

    columns: dict[str, Any] = {"label": scores.label, "prediction": scores.prediction}
    if scores.labels is not None:
        columns = {
            f"{part}_{name}": values[:, index].astype(int)
            for part, values in (("label", scores.label), ("prediction", scores.prediction))
            for index, name in enumerate(scores.labels)
        }
    if scores.probability is not None:
        for index, value in enumerate(scores.labels or scores.classes or ()):
            columns[f"probability_{value}"] = scores.probability[:, index]
    if scores.query is not None:
        columns["query"] = scores.query
    if scores.weight is not None:
        columns["weight"] = scores.weight
    return pd.DataFrame(columns)


def _checked(name: str, prepare: Callable[[Scores], Ask]) -> Callable[[Scores], Recomputed]:
    asked: list[int] = []

    def build(scores: Scores) -> Recomputed:
        ask = _guarded(name, prepare, scores)
        if not asked and scores.rows:  # all rows come first; a slice may well be without a value
            asked.append(scores.rows)
            all_rows = np.ones(scores.rows)
            first, again = ask(all_rows), ask(all_rows)
            if first != again and not (math.isnan(first) and math.isnan(again)):
                raise OutsideError(f"metric '{name}' is not deterministic: {first:.6g}, then {again:.6g}")
            if not math.isfinite(first):
                raise OutsideError(f"metric '{name}' is {first} on {scores.rows} rows, and no number")
        return Recomputed(scores, ask)

    return build


def _guarded(name: str, prepare: Callable[[Scores], Ask], scores: Scores) -> Ask:
    """Return how to ask about some scores; whatever the project's code does is an OutsideError."""

    def refused(error: BaseException) -> OutsideError:
        return OutsideError(f"metric '{name}' failed on {scores.rows} rows: {error}")

    try:
        ask = prepare(scores)
    except (Exception, SystemExit) as error:
        raise refused(error) from error

    def guarded(counts: Floats) -> float:
        try:
            return ask(counts)
        except (Exception, SystemExit) as error:
            raise refused(error) from error

    return guarded


def _recorder(scores: Scores) -> Any:
    """Return the class of estimators that give recorded answers, as a scorer asks an estimator.

    `asked_probability` says whether any of them was asked for probabilities.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    kind = RegressorMixin if scores.task == "regression" else ClassifierMixin

    class Recorded(kind, BaseEstimator):  # type: ignore[misc, valid-type]  # the base depends on the task
        """Answers that were given already."""

        asked_probability = False
        classes_: Any = None if scores.classes is None else np.asarray(scores.classes)
        if scores.labels is not None:
            classes_ = [np.array([False, True])] * len(scores.labels)

        def __init__(self, prediction: Any = None, probability: Any = None) -> None:
            self.prediction = prediction
            self.probability = probability

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, rows: NDArray[Any]) -> Any:
            """Return the recorded predictions."""
            return np.asarray(self.prediction)[rows[:, 0]]

        if scores.probability is not None:

            def predict_proba(self, rows: NDArray[Any]) -> Any:
                """Return the recorded probabilities."""
                Recorded.asked_probability = True
                return np.asarray(self.probability)[rows[:, 0]]

    return Recorded
