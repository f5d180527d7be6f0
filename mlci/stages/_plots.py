"""The plots of a verdict as data: slices as a forest, ROC, precision and recall, calibration, residuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.core.files import write_atomic
from mlci.core.plots import Plot, Plots, Series
from mlci.core.results import Check
from mlci.process import redact
from mlci.stats.curves import (
    MOST_POINTS,
    Curve,
    calibration_curve,
    rank_curves,
    residual_density,
    residual_edges,
)
from mlci.stats.probability_metrics import confidences
from mlci.stats.scores import Scores

if TYPE_CHECKING:
    import numpy as np

FILE = "plots.json"
_MOST_SLICES = 200
"""A forest shows the slices with the largest losses; all are in the result."""
_MOST_CLASSES = 10
"""So many classes or labels have curves of their own: those with most rows."""
_POINTS, _FEWEST_POINTS = 800, 60
"""The curves of all classes share so many points, but none has fewer than the second."""


def write_plots(
    folder: Path,
    checks: Sequence[Check],
    scores: Mapping[str, Scores],
    variables: Mapping[str, str],
) -> Path:
    """Write plots.json into a folder and return its path; `scores` are those of each model by whose they are.

    Values of `variables` that are secret are masked in the names of slices and classes.
    """

    def masked(text: str) -> str:
        return redact(text, variables)

    plots = Plots(plots=[*_forests(checks, masked), *_curves(scores, masked)])
    path = folder / FILE
    write_atomic(path, plots.model_dump_json(exclude_none=True) + "\n")
    return path


def _forests(checks: Sequence[Check], masked: Callable[[str], str]) -> list[Plot]:
    """Return a plot for each gate against the baseline: the change on all rows, then on each slice."""
    by_gate: dict[tuple[str, str | None], list[Check]] = {}
    for check in checks:
        metric = check.metric
        if metric is not None and metric.delta is not None and metric.interval is not None:
            by_gate.setdefault((metric.name, check.limit), []).append(check)
    return [_forest(name, found, masked) for (name, _), found in by_gate.items()]


def _forest(metric: str, checks: Sequence[Check], masked: Callable[[str], str]) -> Plot:
    higher = all(check.metric is not None and check.metric.direction == "higher" for check in checks)

    def gain(check: Check) -> float:
        delta = check.metric.delta if check.metric else None
        return (delta or 0.0) * (1 if higher else -1)

    whole = [check for check in checks if check.slice is None]
    slices = sorted((check for check in checks if check.slice is not None), key=gain)[:_MOST_SLICES]
    shown = [*whole, *slices]
    metrics = [check.metric for check in shown if check.metric is not None]
    limits = checks[0].expected if isinstance(checks[0].expected, dict) else {}
    margin = limits.get("no-worse-than", None if "better-by" not in limits else -limits["better-by"])
    return Plot(
        kind="forest",
        title=f"Change of {metric}, candidate − baseline",
        x=f"change of {metric}",
        metric=metric,
        # The margin of a relative gate is a share, and lies elsewhere in each slice.
        limit=None if margin is None or " relative" in checks[0].name else (-margin if higher else margin),
        series=[
            Series(
                name="change",
                x=[one.delta or 0.0 for one in metrics],
                low=[one.interval.low for one in metrics if one.interval],
                high=[one.interval.high for one in metrics if one.interval],
                rows=[one.n for one in metrics],
                labels=[masked(one.slice) if one.slice else "all rows" for one in metrics],
                verdicts=[check.word or "" for check in shown],
            )
        ],
    )


def _curves(scores: Mapping[str, Scores], masked: Callable[[str], str]) -> list[Plot]:
    first = next(iter(scores.values()))
    if first.task == "regression":
        return [_residuals(scores)] if first.rows else []
    if any(one.probability is None for one in scores.values()):
        return []
    plots = [plot for index in _shown(first) for plot in _of_ranks(scores, index, masked)]
    if first.task != "multilabel":
        plots.append(_calibration(scores))
    return [plot for plot in plots if any(series.x for series in plot.series)]


def _shown(scores: Scores) -> list[int]:
    """Return the classes (or labels) that have curves of their own: those with most rows, in their order."""
    if scores.task == "binary":
        return [scores.positive_index]
    rows = [int(scores.truth_of(index).sum()) for index in range(len(scores.labels or scores.classes or ()))]
    largest = sorted(range(len(rows)), key=lambda index: -rows[index])[:_MOST_CLASSES]
    return sorted(index for index in largest if rows[index])


def _of_ranks(scores: Mapping[str, Scores], index: int, masked: Callable[[str], str]) -> list[Plot]:
    """Return the curves of one class against all others, or of one label."""
    first = next(iter(scores.values()))
    shown = len(_shown(first))
    about = masked(str((first.labels or first.classes or ())[index])) if shown > 1 else None
    which = "" if about is None else f", {about}" + ("" if first.labels else " against all others")
    found = {}
    for name, one in scores.items():
        assert one.probability is not None  # noqa: S101 - models without probabilities were left out before
        weight = None if one.weight is None else one.weights
        most = max(_FEWEST_POINTS, min(MOST_POINTS, _POINTS // shown))
        found[name] = rank_curves(one.truth_of(index), one.probability[:, index], weight, most)
    roc, precision = ([_series(name, pair[side]) for name, pair in found.items()] for side in (0, 1))
    return [
        Plot(
            kind="roc",
            title=f"ROC: true and false positive rate at every threshold{which}",
            about=about,
            x="false positive rate",
            y="true positive rate",
            series=roc,
        ),
        Plot(
            kind="precision-recall",
            title=f"Precision and recall at every threshold{which}",
            about=about,
            x="recall",
            y="precision",
            series=precision,
        ),
    ]


def _calibration(scores: Mapping[str, Scores]) -> Plot:
    binary = next(iter(scores.values())).task == "binary"
    what = "of the positive class" if binary else "of the predicted class"
    series = []
    for name, one in scores.items():
        sure, right = confidences(one)
        weight = None if one.weight is None else one.weights
        series.append(_series(name, calibration_curve(right, sure, weight)))
    return Plot(
        kind="calibration",
        title=f"Calibration: probability {what}, and how often it came true",
        x="mean probability",
        y="share that came true",
        series=series,
    )


def _residuals(scores: Mapping[str, Scores]) -> Plot:
    residuals = {name: one.prediction - one.label for name, one in scores.items()}
    edges = residual_edges(list(residuals.values()))
    weights = {name: None if one.weight is None else one.weights for name, one in scores.items()}
    return Plot(
        kind="residuals",
        title="Residuals, prediction − label",
        x="residual, in the unit of the label",
        y="share of rows",
        series=[
            _series(name, residual_density(values, edges, weights[name]))
            for name, values in residuals.items()
        ],
    )


def _series(name: str, curve: Curve) -> Series:
    def plain(values: np.ndarray | None) -> list[float] | None:
        return None if values is None else [float(f"{value:.6g}") for value in values]

    return Series(
        name=name,
        x=plain(curve.x) or [],
        y=plain(curve.y) or [],
        low=plain(curve.low),
        high=plain(curve.high),
        rows=None if curve.rows is None else [int(count) for count in curve.rows],
    )
