"""The names of all metrics, for those who only want to know whether one exists: needs no NumPy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from difflib import get_close_matches

METRIC_NAMES = (
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "brier",
    "calibration_error",
    "f1",
    "f1_micro",
    "hamming_loss",
    "kappa",
    "log_loss",
    "mae",
    "mape",
    "mcc",
    "mse",
    "pr_auc",
    "precision",
    "precision_micro",
    "r2",
    "recall",
    "recall_micro",
    "rmse",
    "roc_auc",
)
RATIO_METRICS = frozenset(
    {
        "accuracy",
        "average_precision",
        "balanced_accuracy",
        "calibration_error",
        "f1",
        "f1_micro",
        "hamming_loss",
        "map",
        "ndcg",
        "pr_auc",
        "precision",
        "precision_micro",
        "recall",
        "recall_micro",
        "roc_auc",
    }
)
"""Those that are between 0 and 1 whatever the data."""


PARAMETERS = {
    "f_beta": "how many times as much recall counts as precision, above 0",
    "map": "how many documents of each query are looked at, a whole number from 1",
    "ndcg": "how many documents of each query are looked at, a whole number from 1",
    "pinball": "the quantile that is predicted, between 0 and 1",
}
"""Metrics that are named with a number, as in f_beta@2, and what the number says."""

RANKING = ("map", "ndcg")
"""Those that compare the documents of a query."""

BETWEEN_GROUPS = {
    f"{rate}_{form}": f"{words}; {compared}"
    for rate, words in {
        "selection_rate": "share of rows called positive",
        "tpr": "share of positive rows that are called so",
        "fpr": "share of negative rows that are called positive",
    }.items()
    for form, compared in {
        "difference": "largest less smallest group",
        "ratio": "smallest over largest group",
    }.items()
}
"""Metrics that are named with a column of the evaluation file, as in tpr_difference@sex, and what they compare."""

OUTSIDE = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
"""Metrics that others wrote: sklearn:SCORER, or module:function of the project."""

NAME_PATTERN = (
    rf"^({'|'.join(PARAMETERS)})@[0-9]*\.?[0-9]+$|^({'|'.join(BETWEEN_GROUPS)})@.+$|{OUTSIDE.pattern}"
)


def check_metric(name: str) -> str:
    """Return `name`; raises ValueError with the nearest name when no metric is called so."""
    if name in METRIC_NAMES or OUTSIDE.match(name):
        return name
    family, _, number = name.partition("@")
    if family in PARAMETERS:
        _parameter(family, number)
        return name
    if family in BETWEEN_GROUPS:
        if not number.strip():
            raise ValueError(f"{family} is named with a column of data.evaluate, as in {family}@sex")
        return name
    near = get_close_matches(family, [*METRIC_NAMES, *PARAMETERS, *BETWEEN_GROUPS], n=1)
    known = ", ".join(listed())
    hint = f"did you mean '{near[0]}'?" if near else f"known: {known}"
    raise ValueError(f"unknown metric '{name}'; {hint}")


def listed() -> list[str]:
    """Return all names, with what stands in the place of a number, column or function in capitals."""
    numbered = [f"{family}@NUMBER" for family in PARAMETERS]
    grouped = [f"{family}@COLUMN" for family in BETWEEN_GROUPS]
    return [*METRIC_NAMES, *numbered, *grouped, "sklearn:SCORER", "module:function"]


def named_columns(names: Iterable[str]) -> list[str]:
    """Return the columns of the evaluation file that metrics are named with, each once."""
    parts = [name.partition("@") for name in names]
    return list(dict.fromkeys(column for family, _, column in parts if family in BETWEEN_GROUPS))


def by_others(name: str) -> bool:
    """Return whether a metric is a scorer of scikit-learn or a function of the project."""
    return OUTSIDE.match(name) is not None


def unit_range(name: str) -> bool:
    """Return whether the values of a metric lie between 0 and 1 whatever the data."""
    return name.partition("@")[0] in RATIO_METRICS | BETWEEN_GROUPS.keys()


def parameter(name: str) -> tuple[str, float | None]:
    """Return the family of a metric and its number; None for a metric without one."""
    family, _, number = check_metric(name).partition("@")
    return family, _parameter(family, number) if family in PARAMETERS else None


_EXAMPLES = {"f_beta": "2", "pinball": "0.5"}


def _parameter(family: str, text: str) -> float:
    """Return the number of a metric such as f_beta@2; raises ValueError for one that makes no sense."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    sensible = math.isfinite(value) and value > 0 and (family != "pinball" or value < 1)
    if not sensible or (family in RANKING and not text.isdecimal()):
        asks = f"{family} is named with a number, as in {family}@{_EXAMPLES.get(family, 10)}"
        raise ValueError(f"{asks}: {PARAMETERS[family]}")
    return value
