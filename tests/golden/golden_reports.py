"""The reports whose faces are kept as golden files."""

from __future__ import annotations

from typing import Any

from mlci.core.results import (
    Artifact,
    Check,
    ErrorRecord,
    Interval,
    Metric,
    Provenance,
    Report,
    StageResult,
    Step,
)
from mlci.core.status import ExitCode, Status, worst
from mlci.reporters._combined import Combined, Model

PROVENANCE = Provenance(
    commit="a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
    dirty=False,
    ref="main",
    run_url="https://ci.example.org/runs/7",
    python="3.11.9",
    platform="Linux x86_64",
    versions={"mlflow": "3.17.2"},
    data={"data/evaluate.csv": "9f2c" + "0" * 60},
)
HOSTILE = "|<@team #1 `x` \\ **b** [a](http://e.example) $x$\n::error::no\x1b[31m &amp; !2 GH-3"
LONG = "w" * 10_240


def report(headline: str, *stages: StageResult, project: str = "churn", **provenance: Any) -> Report:
    return Report(
        id=project,
        project=project,
        status=worst(stage.status for stage in stages),
        headline=headline,
        stages=list(stages),
        provenance=PROVENANCE.model_copy(update=provenance),
        created="2026-01-02T03:04:05Z",
        tool="mlci 0.0.0",
    )


def metric(
    name: str, baseline: float | None, value: float, half: float = 0.005, slice_: str | None = None
) -> Metric:
    delta = None if baseline is None else round(value - baseline, 6)
    middle = value if delta is None else delta
    return Metric(
        name=name,
        value=value,
        direction="lower" if name == "log_loss" else "higher",
        n=12480,
        slice=slice_,
        baseline=baseline,
        delta=delta,
        interval=Interval(low=middle - half, high=middle + half, confidence=0.9, method="bootstrap"),
    )


def gate(name: str, status: Status, word: str, shown: Metric, **more: Any) -> Check:
    return Check(
        name=name,
        status=status,
        message=f"{shown.name} is {word}",
        word=word,
        limit="≥ −0.005",
        slice=shown.slice,
        metric=shown,
        where="mlci.yaml:14",
        **more,
    )


TRAIN = StageResult(
    stage="train",
    status=Status.PASSED,
    reason="trained by sklearn.linear_model.LogisticRegression: roc_auc 0.91 on 12,480 evaluation rows",
    metrics=[metric("roc_auc", None, 0.91), metric("log_loss", None, 0.338)],
    artifacts=[Artifact(path="train/model", sha256="0" * 64, size=1234, role="model")],
    outputs={"run-id": "r1"},
    steps=[Step(name="train", seconds=1.5)],
    seconds=2.0,
)
DATA = StageResult(
    stage="validate-data",
    status=Status.PASSED,
    reason="2 checks on data/train.csv (100 rows): all passed",
    checks=[
        Check(name="data/train.csv: columns of the project", status=Status.PASSED, message="all there"),
        Check(name="data/train.csv: key id names one row each", status=Status.PASSED, message="unique"),
    ],
    seconds=0.5,
    cached=True,
)
NOT_WORSE = gate("roc_auc no-worse-than 0.005", Status.PASSED, "not worse", metric("roc_auc", 0.905, 0.91))
SKIPPED = StageResult(
    stage="package", status=Status.SKIPPED, reason="not run: compare-to-baseline did not pass"
)


def compare(status: Status, reason: str, *checks: Check) -> StageResult:
    return StageResult(
        stage="compare-to-baseline", status=status, reason=reason, checks=list(checks), seconds=3.25
    )


def slices(failed: int, total: int) -> list[Check]:
    return [
        gate(
            f"recall no-worse-than 0.02 [region=R{number:03}]",
            Status.FAILED
            if number % (total // failed) == 0 and number // (total // failed) < failed
            else Status.PASSED,
            "worse" if number % (total // failed) == 0 else "not worse",
            metric("recall", 0.716, 0.653, 0.03, f"region=R{number:03}"),
            p_value=0.007,
        )
        for number in range(total)
    ]


def passed() -> Report:
    """Everything is well, and data was taken over unchanged."""
    return report("Passed: churn", DATA, TRAIN, compare(Status.PASSED, "1 of 1 gates pass", NOT_WORSE))


def first_run() -> Report:
    """There is no baseline yet."""
    waiting = gate(
        "roc_auc no-worse-than 0.005", Status.SKIPPED, "no baseline yet", metric("roc_auc", None, 0.91)
    )
    return report(
        "Passed: churn", TRAIN, compare(Status.PASSED, "first evaluation: there is no baseline yet", waiting)
    )


def failed_gate() -> Report:
    """A gate said no, an advisory one warns, and what comes after is not run."""
    worse = gate(
        "recall no-worse-than 0.02",
        Status.FAILED,
        "worse",
        metric("recall", 0.716, 0.653, 0.03),
        note="agreed with the support team",
    )
    advisory = gate(
        "log_loss no-worse-than 0.01", Status.WARNED, "worse", metric("log_loss", 0.3380, 0.3384, 0.0001)
    )
    reason = "recall is worse: 0.716 → 0.653, change −0.063, limit ≥ −0.02"
    return report(
        "Do not merge: churn failed compare-to-baseline",
        TRAIN,
        compare(Status.FAILED, reason, NOT_WORSE, worse, advisory),
        SKIPPED,
        dirty=True,
    )


def failed_slices() -> Report:
    """60 of 500 slices are worse."""
    return report(
        "Do not merge: churn failed compare-to-baseline",
        compare(Status.FAILED, "recall is worse on 60 of 500 slices", NOT_WORSE, *slices(60, 500)),
    )


def all_slices_failed() -> Report:
    """500 of 500 slices are worse: more than has room."""
    return report(
        "Do not merge: churn failed compare-to-baseline",
        compare(Status.FAILED, "recall is worse on 500 of 500 slices", NOT_WORSE, *slices(500, 500)),
    )


def unclear() -> Report:
    """A gate that the rows cannot decide."""
    check = gate(
        "recall no-worse-than 0.02", Status.INCONCLUSIVE, "unclear", metric("recall", 0.716, 0.71, 0.04)
    )
    return report(
        "Unclear: churn could not be told better or worse in compare-to-baseline",
        compare(Status.INCONCLUSIVE, "recall is unclear; these rows can only see 0.05 or more", check),
    )


def errored() -> Report:
    """A stage ended with an error that has a hint and several lines."""
    record = ErrorRecord(
        code="train.command-failed",
        message="`python train.py` ended with exit code 1\n  | Traceback\n  | KeyError: 'age'",
        hint="its whole output is in mlci-out/train.log; run the command by hand to see more",
        exit_code=ExitCode.NOT_EVALUATED,
    )
    stage = StageResult(
        stage="train",
        status=Status.ERRORED,
        reason="`python train.py` ended with exit code 1",
        error=record,
        seconds=1.0,
    )
    return report("Not evaluated: train of churn could not be finished", DATA, stage, SKIPPED)


def bad_data() -> Report:
    """Expectations of every outcome, without a metric."""
    checks = [
        Check(name=f"d.csv: {status.value} rule", status=status, message=f"rule {status.value}: 3 of 9 rows",
              observed={"rows": 9}, where="mlci.yaml:9")
        for status in Status
    ]  # fmt: skip
    stage = StageResult(
        stage="validate-data", status=Status.ERRORED, reason="4 of 6 checks did not pass", checks=checks
    )
    return report("Not evaluated: validate-data of churn could not be finished", stage)


def skipped() -> Report:
    """No stage ran."""
    stage = StageResult(
        stage="train", status=Status.SKIPPED, reason="there is no 'train' section in mlci.yaml"
    )
    return report("Nothing to evaluate: no stage of churn ran", stage, commit=None, run_url=None)


def nothing() -> Report:
    """There was not even a stage."""
    return report("Nothing to evaluate: no stage of churn ran", commit=None, run_url=None, data={})


def hostile() -> Report:
    """Names that want to break out of their place."""
    checks = [
        gate(
            f"{HOSTILE} at-least 1",
            Status.FAILED,
            HOSTILE,
            metric(HOSTILE, 0.5, 0.4, 0.03, f"region={HOSTILE}"),
            note=HOSTILE,
        ),
        Check(name=HOSTILE, status=Status.FAILED, message=HOSTILE),
        Check(name=f"{HOSTILE} passed", status=Status.PASSED, message=HOSTILE),
        Check(name=LONG, status=Status.WARNED, message=LONG),
    ]
    stage = compare(Status.FAILED, HOSTILE, *checks)
    return report(
        f"Do not merge: {HOSTILE}",
        stage,
        SKIPPED.model_copy(update={"reason": HOSTILE}),
        project=HOSTILE,
        data={HOSTILE: "9f2c" + "0" * 60},
        run_url="javascript:alert(1)",
    )


def several_models() -> Combined:
    """A failure, a model without a report, one that is well, one that nothing had to be done for."""
    renamed = {"project": "fraud", "headline": "Passed: fraud"}
    weak = first_run().model_copy(update=renamed)
    return Combined(
        [
            Model("fraud", weak),
            Model("churn", failed_gate()),
            Model("ranking", None),
            Model("prices", nothing().model_copy(update={"project": "prices"})),
        ],
        notice="churn: Weakens the policy (recall: no-worse-than 0.02 → 0.2; judged by the rules of the base)",
        untouched=["weather", "traffic"],
        run_url="https://ci.example.org/runs/7",
    )


def no_models() -> Combined:
    """A change that touches no model."""
    return Combined([], why="only documentation is changed: README.md", untouched=["churn"])


COMMENTS = {make.__name__.replace("_", "-"): make for make in (several_models, no_models)}
REPORTS = {
    make.__name__.replace("_", "-"): make
    for make in (
        passed,
        first_run,
        failed_gate,
        failed_slices,
        all_slices_failed,
        unclear,
        errored,
        bad_data,
        skipped,
        nothing,
        hostile,
    )
}
