"""docs/reference/metrics.md: the metrics that a gate can name."""

from __future__ import annotations

from mlci.stats.metrics import METRICS, MetricKind, metric_kind
from mlci.stats.names import BETWEEN_GROUPS
from mlci.sync._markdown import code, page, table
from mlci.sync._tree import Kind

_INTRODUCTION = (
    "A gate names one of these, as in `{metric: roc_auc, no-worse-than: 0.005}`. *Needs* says whether the predicted "
    "value is enough, or whether probabilities must be there. *Range* is the smallest and largest possible value. "
    "In `f_beta@2` the number says how many times as much recall counts as precision; in `pinball@0.9` it is the "
    "quantile that is predicted; in `ndcg@10` and `map@10`, how many documents of each query (`data.query`) are looked "
    "at. In `tpr_difference@sex`, `sex` is a column of `data.evaluate` whose values are groups of rows: the difference "
    "is the largest rate less the smallest, the ratio the smallest over the largest. "
    "Any scorer of scikit-learn is `sklearn:NAME`, and a function of the project is "
    "`module:function`: it is given a table with `label`, `prediction`, and `probability_<class>` and `weight` where "
    "there are any (with `data.labels` these are `label_<label>` and so on; with `data.query` there is `query`), and "
    "returns a number; with `function.greater_is_better = False` less is better. Both are called for every resample. "
    "`mape` refuses labels of 0, for which scikit-learn gives a huge number. How each interval is made is told in "
    "[the verdict](../verdict.md)."
)


def files() -> dict[str, str]:
    """Return the page by path."""
    named = ["f_beta@2", "map@10", "ndcg@10", "pinball@0.9", *(f"{family}@sex" for family in BETWEEN_GROUPS)]
    kinds = [*METRICS.values(), *map(metric_kind, named)]
    rows = [_row(kind) for kind in sorted(kinds, key=lambda item: item.name)]
    heads = ("Metric", "Better is", "Tasks", "Needs", "Range")
    return {"docs/reference/metrics.md": page("Metrics", _INTRODUCTION, table(heads, rows))}


def _row(metric: MetricKind) -> tuple[str, ...]:
    bounds = f"{metric.bounds[0]:g} to {metric.bounds[1]:g}" if metric.bounds else "no bounds"
    return code(metric.name), metric.direction, ", ".join(sorted(metric.tasks)), metric.needs, bounds


kind = Kind(files, ("docs/reference/*.md",))
