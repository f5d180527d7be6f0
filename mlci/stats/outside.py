"""Metrics that others wrote: any scikit-learn scorer, and a project's own `module:function`."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.class_metrics import all_rows
from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats, Mask

if TYPE_CHECKING:
    import pandas as pd

SCORER = "sklearn:"


class OutsideError(ValueError):
    """A metric that others wrote raised an error, returned no number, or is not deterministic."""


class Recomputed:
    """A metric that only its own function can compute: it is called on the rows of every resample."""

    def __init__(self, scores: Scores, name: str, compute: Callable[[Scores], float]) -> None:
        self.support: Mask = all_rows(scores)
        self._scores = scores
        self._name = name
        self._compute = compute

    @property
    def marks(self) -> NDArray[Any]:
        """All that is known of each row."""
        scores = self._scores
        own = scores.prediction if scores.classes is None else scores.prediction_codes
        parts = [own] if scores.probability is None else [own, scores.probability]
        return np.column_stack(parts)

    def values(self, counts: Floats) -> Floats:
        """Return what the function says of each line of `counts`; NaN for a line without rows."""
        return np.array([self._value(line) for line in counts])

    def _value(self, line: Floats) -> float:
        rows = np.repeat(np.arange(len(line)), line.astype(np.intp))
        return self._compute(self._scores.take(rows)) if len(rows) else math.nan


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
    judge = get_scorer(wanted)

    def compute(scores: Scores) -> float:
        weight = {} if scores.weight is None else {"sample_weight": scores.weights}
        return float(judge(_answers(scores), np.arange(scores.rows)[:, None], scores.label, **weight))

    return _checked(name, compute)


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

    def compute(scores: Scores) -> float:
        value = found(frame(scores))
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"returned {type(value).__name__}, not a number")
        return float(value)

    return _checked(name, compute), bool(getattr(found, "greater_is_better", True))


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


def _checked(name: str, compute: Callable[[Scores], float]) -> Callable[[Scores], Recomputed]:
    def guarded(scores: Scores) -> float:
        try:
            return compute(scores)
        except (Exception, SystemExit) as error:  # whatever the project's code does is its own
            raise OutsideError(f"metric '{name}' failed on {scores.rows} rows: {error}") from error

    asked: list[int] = []

    def build(scores: Scores) -> Recomputed:
        if not asked and scores.rows:  # all rows come first; a slice may well be without a value
            asked.append(scores.rows)
            first, again = guarded(scores), guarded(scores)
            if first != again and not (math.isnan(first) and math.isnan(again)):
                raise OutsideError(f"metric '{name}' is not deterministic: {first:.6g}, then {again:.6g}")
            if not math.isfinite(first):
                raise OutsideError(f"metric '{name}' is {first} on {scores.rows} rows, and no number")
        return Recomputed(scores, name, guarded)

    return build


def _answers(scores: Scores) -> Any:
    """Return an estimator that gives the recorded answers, as a scorer asks an estimator."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    kind = RegressorMixin if scores.task == "regression" else ClassifierMixin

    class Recorded(kind, BaseEstimator):  # type: ignore[misc, valid-type]  # the base depends on the task
        """Answers that were given already."""

        classes_: Any = None if scores.classes is None else np.asarray(scores.classes)
        if scores.labels is not None:
            classes_ = [np.array([False, True])] * len(scores.labels)

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, rows: NDArray[Any]) -> Any:
            """Return the recorded predictions."""
            return np.asarray(scores.prediction)[rows[:, 0]]

        if scores.probability is not None:

            def predict_proba(self, rows: NDArray[Any]) -> Any:
                """Return the recorded probabilities."""
                return np.asarray(scores.probability)[rows[:, 0]]

    return Recorded()
