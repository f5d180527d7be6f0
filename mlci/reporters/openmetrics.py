"""OpenMetrics text: the numbers of a run, as GitLab's merge request widget and Prometheus read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mlci.core.results import Check, Report, StageResult
from mlci.core.status import Status
from mlci.reporters._escape import one_line
from mlci.stats.names import unit_range

MOST_SERIES = 10_000
"""More series than this are counted and left out: 500 slices of several gates fit, 100,000 do not.

Those of all rows come first, so that what is left out is always a slice."""

_JUDGED = "compare-to-baseline"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}

Labels = tuple[tuple[str, str], ...]


@dataclass
class _Family:
    """One name, what it means, and its values by their labels."""

    meaning: str
    unit: str = ""
    values: dict[Labels, float] = field(default_factory=dict)


class OpenmetricsReporter:
    """Writes gauges only: GitLab compares the text with that of the target branch, character by character.

    So there is no time in it, and values have four significant digits: what differs from run to run
    would be shown as a change of the model. The format allows no comments of our own.
    """

    file: str | None = "metrics.txt"

    def render(self, report: Report) -> str:
        """Return the numbers with a name for each metric, so that a sum or a mean of one name means something."""
        families: dict[str, _Family] = {}
        left_out = 0
        # Two gates may rest on one metric, and hostile names may become one: the first stays.
        for count, (name, meaning, unit, labels, value) in enumerate(_series(report)):
            if count >= MOST_SERIES:
                left_out += 1
                continue
            families.setdefault(name, _Family(meaning, unit)).values.setdefault(labels, value)
        families["mlci_series_left_out"] = _Family(
            f"Series that are not in this file, which holds at most {MOST_SERIES}.",
            values={_labels(model=report.project): left_out},
        )
        return "".join(f"{line}\n" for line in [*_lines(families), "# EOF"])


_Series = tuple[str, str, str, Labels, float]


def _series(report: Report) -> Iterator[_Series]:
    yield from _counts(report)
    for sliced in (False, True):
        for result in report.stages:
            if result.stage == _JUDGED:
                yield from _gates(report.project, result, sliced=sliced)
        for result in reversed(report.stages):  # the comparison's numbers are those that were judged
            yield from _metrics(report.project, result, sliced=sliced)


def _counts(report: Report) -> Iterator[_Series]:
    for result in report.stages:
        if result.status is Status.SKIPPED:
            continue
        for status in Status:  # also those of which there is none, or a line would come and go
            count = sum(check.status is status for check in result.checks)
            labels = _labels(model=report.project, stage=result.stage, status=status.value)
            yield "mlci_checks", "Checks of a stage by their verdict.", "", labels, count


def _gates(model: str, result: StageResult, *, sliced: bool) -> Iterator[_Series]:
    for check in result.checks:
        if _is_judged(check) and (check.slice is not None) is sliced:
            labels = _labels(model=model, gate=check.name)
            meaning = "1 where a gate passed; 0 where it failed, warned or was unclear."
            yield "mlci_gate_passed", meaning, "", labels, int(check.status is Status.PASSED)


def _is_judged(check: Check) -> bool:
    return check.metric is not None and check.status is not Status.SKIPPED


def _metrics(model: str, result: StageResult, *, sliced: bool) -> Iterator[_Series]:
    for metric in result.metrics:
        if (metric.slice is not None) is not sliced:
            continue
        unit = "ratio" if unit_range(metric.name.removeprefix("worst-slice ")) else ""
        ending = _NOT_IN_NAMES.sub("_", metric.name) + (f"_{unit}" if unit else "")
        labels = _labels(model=model, slice=metric.slice or "")
        shown = _escaped(one_line(metric.name, 100))
        if metric.value is not None:
            yield f"mlci_eval_{ending}", f"{shown} of the candidate.", unit, labels, metric.value
        if metric.baseline is not None:
            yield f"mlci_baseline_{ending}", f"{shown} of the baseline.", unit, labels, metric.baseline


def _labels(**values: str) -> Labels:
    """Return labels; one without a value is the same as none."""
    return tuple((name, one_line(value)) for name, value in values.items() if value)


def _lines(families: dict[str, _Family]) -> Iterator[str]:
    for name, family in sorted(families.items()):
        yield f"# TYPE {name} gauge"
        if family.unit:
            yield f"# UNIT {name} {family.unit}"
        yield f"# HELP {name} {family.meaning}"
        for labels, value in family.values.items():
            shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
            yield f"{name}{{{shown}}} {_number(value)}"


def _number(value: float) -> str:
    shown = str(value) if isinstance(value, int) else f"{value:.4g}"
    return "0" if shown == "-0" else shown


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


reporter = OpenmetricsReporter()
