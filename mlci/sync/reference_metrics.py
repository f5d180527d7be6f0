"""docs/reference/metrics.md: the metrics that a gate can name."""

from __future__ import annotations

from mlci.stats.metrics import METRICS, MetricKind
from mlci.sync._markdown import code, page, table
from mlci.sync._tree import Kind

_INTRODUCTION = (
    "A gate names one of these, as in `{metric: roc_auc, no-worse-than: 0.005}`. *Needs* says whether the predicted "
    "value is enough, or whether probabilities must be there. *Range* is the smallest and largest possible value."
)


def files() -> dict[str, str]:
    """Return the page by path."""
    rows = [_row(kind) for kind in sorted(METRICS.values(), key=lambda item: item.name)]
    heads = ("Metric", "Better is", "Tasks", "Needs", "Range")
    return {"docs/reference/metrics.md": page("Metrics", _INTRODUCTION, table(heads, rows))}


def _row(metric: MetricKind) -> tuple[str, ...]:
    bounds = f"{metric.bounds[0]:g} to {metric.bounds[1]:g}" if metric.bounds else "no bounds"
    return code(metric.name), metric.direction, ", ".join(sorted(metric.tasks)), metric.needs, bounds


kind = Kind(files, ("docs/reference/*.md",))
