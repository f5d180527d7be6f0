"""The names of all metrics, for those who only want to know whether one exists: needs no NumPy."""

from __future__ import annotations

from difflib import get_close_matches

METRIC_NAMES = (
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "brier",
    "f1",
    "log_loss",
    "mae",
    "mape",
    "mcc",
    "mse",
    "pr_auc",
    "precision",
    "r2",
    "recall",
    "rmse",
    "roc_auc",
)
RATIO_METRICS = frozenset(
    {
        "accuracy",
        "average_precision",
        "balanced_accuracy",
        "f1",
        "pr_auc",
        "precision",
        "recall",
        "roc_auc",
    }
)
"""Those that are between 0 and 1 whatever the data."""


def check_metric(name: str) -> str:
    """Return `name`; raises ValueError with the nearest name when no metric is called so."""
    if name in METRIC_NAMES:
        return name
    near = get_close_matches(name, METRIC_NAMES, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(METRIC_NAMES)}"
    raise ValueError(f"unknown metric '{name}'; {hint}")
