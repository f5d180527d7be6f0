"""What changed on a slice: every gate's metric there, and the rows that went right or wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError
from mlci.core.files import Digests
from mlci.core.inputs import DataInputs
from mlci.core.quantities import BUDGETS
from mlci.core.results import StageResult
from mlci.explaining.differences import differences
from mlci.explaining.explanation import Explanation, signed, unknown
from mlci.explaining.last_comparison import (
    metric_of,
    read_answers,
    read_comparison,
    refuse_other_rows,
    top_checks,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlci.stats.comparison import Comparison

_MOST_EXAMPLES = 5


def explain_slice(out: Path, root: Path, data: DataInputs, asked: str, *, show_values: bool) -> Explanation:
    """Explain one slice from the last comparison and the predictions that it was made from.

    `root` is the project's folder. Without `show_values` no value of a row is shown, only how many rows
    there are. Raises MlciError `stage.not-run` without a comparison of today's rows and `usage` for a
    slice that there is not.
    """
    from mlci import predictions
    from mlci.readers import read_table
    from mlci.slicing import sliced
    from mlci.stats.names import named_columns

    comparison = read_comparison(out)
    paths = read_answers(out, comparison)
    extra = named_columns(_metrics(comparison))
    rows = predictions.evaluation_rows(data, root, extra=extra)
    refuse_other_rows(comparison, data.evaluate or "", Digests().of(root / (data.evaluate or "")))
    inside = _rows_of(asked, [(each.column.names, each.column.numbers) for each in sliced(data.slices, rows)])
    candidate = predictions.answers(paths[0], rows, data, "candidate")
    baseline = None if paths[1] is None else predictions.answers(paths[1], rows, data, "baseline")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # a metric may live in the project's own code
    found = _compared(comparison, data, (candidate, baseline), asked, inside)
    outcome = _Outcome(data, candidate, baseline)
    counts = outcome.counts(inside)
    parts = [
        ("rows", _rows_lines(counts)),
        (
            "metrics (intervals are of this slice alone, not adjusted for the number of slices)",
            _metric_lines(found, asked),
        ),
    ]
    facts: dict[str, Any] = {
        "slice": asked,
        "rows": counts,
        "metrics": [_as_facts(each) for (_, name), each in found.items() if name == asked],
    }
    if baseline is not None:
        changed = outcome.changed & inside
        full = read_table(root / (data.evaluate or ""))
        ignored = [name for name in (*data.label_columns, data.key, data.weight) if name]
        common = differences(full.drop(columns=ignored), changed, inside & ~changed)
        parts.append(("changed rows", _changed_lines(counts)))
        parts.append(
            (
                "where the changed rows differ most from the rest of the slice",
                [each.sentence(show_values) for each in common],
            )
        )
        facts["differences"] = [each.facts(show_values) for each in common]
        examples = _examples(outcome, inside, candidate, data) if show_values else {}
        parts.append(
            ("examples", [f"{what}: {', '.join(map(str, keys))}" for what, keys in examples.items()])
        )
        facts["examples"] = examples
    return Explanation(f"{asked}: {counts['rows']:,} of {counts['of']:,} rows", parts, facts)


def _rows_of(asked: str, columns: Sequence[tuple[Sequence[str], NDArray[Any]]]) -> NDArray[np.bool_]:
    for names, numbers in columns:
        if asked in names:
            inside: NDArray[np.bool_] = numbers == list(names).index(asked)
            if not inside.any():
                raise MlciError("usage", f"'{asked}' has no rows today", "it is declared, and gone")
            return inside
    raise unknown("slice", asked, [name for names, _ in columns for name in names])


def _compared(
    result: StageResult,
    data: DataInputs,
    tables: tuple[pd.DataFrame, pd.DataFrame | None],
    asked: str,
    inside: NDArray[np.bool_],
) -> Mapping[tuple[str, str | None], Comparison]:
    """Return the metrics of all gates on all rows and on the slice, by the numbers of the policy that judged."""
    from mlci.predictions import known_classes, scores_of
    from mlci.stats.compare import compare
    from mlci.stats.names import named_columns

    candidate, baseline = tables
    classes = known_classes([candidate] if baseline is None else [candidate, baseline], data)
    metrics = _metrics(result)
    extra = named_columns(metrics)
    return compare(
        metrics,
        None if baseline is None else scores_of(baseline, data, classes, extra),
        scores_of(candidate, data, classes, extra),
        slices={asked: inside},
        groups=candidate[unit].to_numpy() if (unit := data.group or data.query) else None,
        confidence=1 - 2 * float(result.details.get("alpha", 0.05)),
        replicates=int(result.details.get("resamples", 2000)),
        seed=int(result.details.get("seed", 17)),
    )


def _metrics(result: StageResult) -> list[str]:
    """Return the metrics of all gates that are about answers, and not about what a model costs."""
    names = dict.fromkeys(metric_of(check) for check in top_checks(result))
    return [name for name in names if name not in BUDGETS]


class _Outcome:
    """Which rows each model gets right; for numbers, which come out nearer to the truth."""

    def __init__(self, data: DataInputs, candidate: pd.DataFrame, baseline: pd.DataFrame | None) -> None:
        import numpy as np

        from mlci.predictions import known_classes, scores_of

        tables = [candidate] if baseline is None else [candidate, baseline]
        scores = scores_of(candidate, data, known_classes(tables, data))
        if data.labels:
            self._several_labels(data, candidate, baseline)
            return
        label = candidate[data.label or ""].to_numpy()
        after = candidate["prediction"].to_numpy()
        before = after if baseline is None else baseline["prediction"].to_numpy()
        self.classes = scores.classes is not None
        self.positive = scores.label_codes == scores.positive_index if scores.task == "binary" else None
        self.changed: NDArray[np.bool_] = np.asarray(before != after, dtype=np.bool_)
        if self.classes:
            right = np.asarray(before == label, dtype=np.bool_), np.asarray(after == label, dtype=np.bool_)
            self.better, self.worse = ~right[0] & right[1], right[0] & ~right[1]
        else:
            errors = np.abs(before.astype(float) - label), np.abs(after.astype(float) - label)
            self.better, self.worse = errors[1] < errors[0], errors[1] > errors[0]

    def _several_labels(
        self, data: DataInputs, candidate: pd.DataFrame, baseline: pd.DataFrame | None
    ) -> None:
        """Take a row for right when all of its labels are."""
        names = [f"prediction_{label}" for label in data.labels]
        label = candidate[data.labels].to_numpy(dtype=bool)
        after = candidate[names].to_numpy(dtype=bool)
        before = after if baseline is None else baseline[names].to_numpy(dtype=bool)
        self.classes, self.positive = True, None
        self.changed = (before != after).any(axis=1)
        right = (before == label).all(axis=1), (after == label).all(axis=1)
        self.better, self.worse = ~right[0] & right[1], right[0] & ~right[1]

    def counts(self, inside: NDArray[np.bool_]) -> dict[str, Any]:
        """Return how many rows of the slice are positive, and how many changed which way."""
        words = ("wrong_to_right", "right_to_wrong") if self.classes else ("nearer", "farther")
        found: dict[str, Any] = {
            "rows": int(inside.sum()),
            "of": len(inside),
            "positives": None if self.positive is None else int((self.positive & inside).sum()),
            "prediction_changed": int((self.changed & inside).sum()),
        }
        return found | {
            words[0]: int((self.better & inside).sum()),
            words[1]: int((self.worse & inside).sum()),
        }


def _rows_lines(counts: Mapping[str, Any]) -> list[str]:
    lines = [f"{counts['rows']:,} rows, {counts['rows'] / counts['of']:.1%} of all"]
    if counts["positives"] is not None:
        lines.append(
            f"{counts['positives']:,} positives, {counts['positives'] / counts['rows']:.1%} of the slice"
        )
    return lines


def _changed_lines(counts: Mapping[str, Any]) -> list[str]:
    changed = counts["prediction_changed"]
    lines = [f"{changed:,} predictions differ from the baseline's ({changed / counts['rows']:.1%})"]
    if "right_to_wrong" in counts:
        words = f"{counts['right_to_wrong']:,} went from right to wrong, "
        words += f"{counts['wrong_to_right']:,} from wrong to right"
    else:
        words = f"{counts['farther']:,} are farther from the truth, {counts['nearer']:,} are nearer"
    return [*lines, words]


def _metric_lines(found: Mapping[tuple[str, str | None], Comparison], asked: str) -> list[str]:
    lines = []
    for (metric, name), here in found.items():
        if name != asked:
            continue
        if here.delta is None or here.baseline is None:
            lines.append(f"{metric}: {here.candidate:.4g} [{here.own_low:.4g}, {here.own_high:.4g}]")
            continue
        if here.problem is not None:
            lines.append(f"{metric}: {here.problem}")
            continue
        everywhere = found[metric, None]
        lines.append(
            f"{metric}: {here.baseline:.4g} → {here.candidate:.4g}, change {signed(here.delta)}"
            f" [{signed(here.low)}, {signed(here.high)}] ({here.method})"
            + (f"; on all rows {signed(everywhere.delta)}" if everywhere.delta is not None else "")
        )
    return lines


def _as_facts(found: Comparison) -> dict[str, Any]:
    from mlci.core.results import plain

    names = (
        "metric",
        "baseline",
        "candidate",
        "delta",
        "low",
        "high",
        "n",
        "support",
        "confidence",
        "method",
        "problem",
    )
    return {name: plain(getattr(found, name)) for name in names}


def _examples(
    outcome: _Outcome, inside: NDArray[np.bool_], candidate: pd.DataFrame, data: DataInputs
) -> dict[str, list[Any]]:
    """Return the keys of the first rows that changed for the worse and for the better."""
    from mlci.core.results import plain

    if not data.key:
        return {}
    keys = candidate[data.key]
    return {
        what: [plain(key) for key in keys[rows & inside].head(_MOST_EXAMPLES).tolist()]
        for what, rows in (("worse", outcome.worse), ("better", outcome.better))
        if (rows & inside).any()
    }
