"""The OpenMetrics text is valid for the real parser, whatever a report holds, and the same for the same numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mlci.core.results import Check, Metric, Provenance, Report, StageResult
from mlci.core.status import Status, worst
from mlci.reporters.openmetrics import MOST_SERIES, reporter
from mlci.stats.metrics import METRICS
from mlci.stats.names import METRIC_NAMES, RATIO_METRICS

texts = st.one_of(
    st.text(st.characters(), max_size=30),
    st.text(alphabet='\\"{}=,\n\r\t# \u2028x', max_size=20),
    st.sampled_from(['a"} 1\n# EOF', "\\", "\\n", "# TYPE x gauge", "x" * 10_240, "slice", 'say \\"hi\\"']),
)
numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


def metric(name: str = "recall", slice_: str | None = None, value: float | None = 0.5, **more: Any) -> Metric:
    return Metric(name=name, value=value, direction="higher", n=10, slice=slice_, **more)


def gate(found: Metric, name: str = "gate", status: Status = Status.PASSED) -> Check:
    return Check(name=name, status=status, message="m", slice=found.slice, metric=found)


def report(*checks: Check, project: str = "churn", metrics: list[Metric] | None = None) -> Report:
    judged = StageResult(
        stage="compare-to-baseline",
        status=worst([Status.PASSED, *(one.status for one in checks)]),
        reason="r",
        checks=list(checks),
        metrics=[one.metric for one in checks if one.metric is not None] if metrics is None else metrics,
    )
    return Report(
        id="p",
        project=project,
        status=judged.status,
        headline="h",
        stages=[judged],
        provenance=Provenance(),
        created="2026-01-01T00:00:00Z",
        tool="mlci 0",
    )


def samples(found: Report) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the text as Prometheus does; no series may stand twice."""
    read: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in text_string_to_metric_families(reporter.render(found)):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in read
            read[key] = sample.value
    return read


def test_one_name_for_each_metric_with_its_baseline() -> None:
    whole = metric(value=0.71236, baseline=0.7, delta=0.01236)
    part = metric(slice_="region=LATAM", value=0.6)
    found = samples(report(gate(whole, "recall no-worse-than 0.02"), gate(part, "x", Status.FAILED)))
    model = ("model", "churn")
    assert found["mlci_eval_recall_ratio", (model,)] == 0.7124
    assert found["mlci_baseline_recall_ratio", (model,)] == 0.7
    assert found["mlci_eval_recall_ratio", (model, ("slice", "region=LATAM"))] == 0.6
    assert found["mlci_gate_passed", (("gate", "recall no-worse-than 0.02"), model)] == 1
    assert found["mlci_gate_passed", (("gate", "x"), model)] == 0
    counted = {status: found["mlci_checks", (model, ("stage", "compare-to-baseline"), ("status", status))]
               for status in Status}  # fmt: skip
    assert counted == dict.fromkeys(Status, 0) | {Status.PASSED: 1, Status.FAILED: 1}
    assert found["mlci_series_left_out", (model,)] == 0


def test_only_what_is_between_0_and_1_is_a_ratio() -> None:
    assert set(METRIC_NAMES) == set(METRICS)
    assert set(METRIC_NAMES) - RATIO_METRICS == {
        "brier", "kappa", "log_loss", "mae", "mape", "mcc", "mse", "r2", "rmse"
    }  # fmt: skip
    text = reporter.render(report(gate(metric("log_loss", value=0.3)), gate(metric("roc_auc"))))
    assert "# UNIT mlci_eval_roc_auc_ratio ratio\n" in text
    assert 'mlci_eval_log_loss{model="churn"} 0.3\n' in text
    assert "UNIT mlci_eval_log_loss" not in text


def test_noise_changes_nothing() -> None:
    """GitLab compares the values as text with those of the target branch."""
    first, again = (
        report(gate(metric(value=value, baseline=value, delta=delta))).model_copy(update={"created": when})
        for value, delta, when in ((0.1 + 0.2, 1e-17, "2026-01-01T00:00:00Z"), (0.3, -1e-17, "2027-01-01T00:00:00Z"))
    )  # fmt: skip
    assert reporter.render(first) == reporter.render(again)
    assert " 0\n" in reporter.render(report(gate(metric(value=-0.0))))


def test_slices_are_bounded_and_what_is_missing_is_counted() -> None:
    few = report(*(gate(metric(slice_=f"s={number}"), f"g {number}") for number in range(500)))
    assert samples(few)["mlci_series_left_out", (("model", "churn"),)] == 0
    many = report(
        *(gate(metric(slice_=f"s={number}"), f"g {number}") for number in range(60_000)),
        gate(metric("accuracy", value=0.25), "the last one"),
    )
    found = samples(many)
    assert found["mlci_series_left_out", (("model", "churn"),)] == 6 + 2 * 60_000 + 2 - MOST_SERIES
    assert len(found) == MOST_SERIES + 1
    assert found["mlci_eval_accuracy_ratio", (("model", "churn"),)] == 0.25
    assert found["mlci_gate_passed", (("gate", "the last one"), ("model", "churn"))] == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    project=texts,
    rows=st.lists(st.tuples(texts, texts, st.one_of(st.none(), texts), numbers, numbers), max_size=6),
)
def test_hostile_names_are_values_and_nothing_else(
    project: str, rows: list[tuple[str, str, str | None, float | None, float | None]]
) -> None:
    checks = [
        gate(metric(name, slice_, value, baseline=baseline), title, Status.FAILED)
        for title, name, slice_, value, baseline in rows
    ]
    found = samples(report(*checks, project=project))
    assert {name.partition("_")[0] for name, _ in found} == {"mlci"}
    assert all(set(dict(labels)) <= {"model", "slice", "gate", "stage", "status"} for _, labels in found)
    assert reporter.render(report(*checks, project=project)).endswith("\n# EOF\n")
