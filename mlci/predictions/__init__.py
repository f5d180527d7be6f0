"""Predictions: a table with one row for each evaluation row, and the numbers that metrics are made from."""

from __future__ import annotations

from mlci.predictions.rows import align, answers, evaluation_rows, read_predictions
from mlci.predictions.scores import known_classes, metric_value, scores_of, task_of, usual_metrics

__all__ = [
    "align",
    "answers",
    "evaluation_rows",
    "known_classes",
    "metric_value",
    "read_predictions",
    "scores_of",
    "task_of",
    "usual_metrics",
]
