"""compare-to-baseline: whether the candidate is good enough, judged on the same rows as the baseline."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from mlci.baselines import source_of
from mlci.core.errors import MlciError
from mlci.core.gates import Gate
from mlci.core.inputs import Inputs
from mlci.core.ports import Baseline, BaselineRequest
from mlci.core.quantities import BUDGETS
from mlci.core.results import Check, StageResult, leading_check, status_of
from mlci.core.stage import Context, Stage
from mlci.core.status import Status
from mlci.core.versions import version_parts
from mlci.stages._baseline_rows import (
    baseline_table,
    candidate_file,
    digest_of_model,
    keep_answers,
    same_model,
)
from mlci.stages._guarding import evaluation_use, leakage, with_guards
from mlci.stages._repeats import is_repeat, repeats_of, values_over_seeds
from mlci.stages._tracking import open_tracker
from mlci.stats.names import check_metric, named_columns

if TYPE_CHECKING:
    import pandas as pd

    from mlci.slicing import Sliced
    from mlci.stages._judging import Judge

NAME = "compare-to-baseline"
_SETTINGS = ("alpha", "resamples", "seed", "minimum_rows", "minimum_events")
"""Inputs that an explanation of the verdict needs, kept with it."""


def _known_metric(gate: Gate) -> Gate:
    """Refuse an unknown metric when the configuration is read, not after hours of training."""
    if gate.is_budget:
        return gate
    try:
        check_metric(gate.metric)
    except ValueError as error:
        near = get_close_matches(gate.metric, BUDGETS, n=1)
        if not near:
            raise
        raise ValueError(f"unknown metric '{gate.metric}'; did you mean '{near[0]}'?") from error
    return gate


class CompareInputs(Inputs):
    """What the candidate is compared with, and the gates that it has to pass."""

    baseline: str | None = Field(
        None,
        description="models:/NAME@ALIAS, git:REF, or a predictions file; default: models:/PROJECT@champion.",
    )
    gates: list[Annotated[Gate, AfterValidator(_known_metric)]] = Field(
        [], description="Rules: a metric and exactly one limit each."
    )
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="Error of each side of an interval; 0.05 gives 90 % intervals."
    )
    resamples: int = Field(
        2000, ge=200, description="Resamples, for metrics whose interval has no closed form."
    )
    seed: int = Field(17, ge=0, description="Seed of the resampling.")
    minimum_rows: int = Field(30, ge=2, description="Fewer rows than this give no verdict.")
    minimum_events: int = Field(5, ge=1, description="Fewer rows that a metric rests on give no verdict.")
    latency_batch: int = Field(1, ge=1, description="Rows of each timed call, for budgets of latency.")
    on_inconclusive: Literal["pass", "warn", "fail"] = Field(
        "warn", description="What an unclear verdict does."
    )
    first_run: Literal["accept", "fail"] = Field(
        "accept", description="What happens while there is no baseline."
    )
    leakage: Literal["fail", "warn", "off"] = Field(
        "fail",
        description="What evaluation rows, keys or times that training rows have too do, above allow-shared.",
    )
    allow_shared: float = Field(
        0.01, ge=0, le=1, description="Share of evaluation rows that may leak; below it they only warn."
    )
    warn_after_uses: int = Field(
        50, ge=1, description="Candidates that one evaluation set may decide on before there is a warning."
    )
    environment: Literal["here", "auto", "model"] = Field(
        "here",
        description="Where a baseline is scored again: with this Python or the project's (here); if it cannot be "
        "loaded there, in the environment that the MLflow model records, installed for it (auto); only there (model).",
    )
    trusted_types: list[str] = Field(
        [],
        description="Types in the baseline's model that may be loaded, beside those of scikit-learn that are known.",
    )


def baseline_text(inputs: CompareInputs, context: Context) -> str:
    """Return the baseline as configured, or the champion of the project's own name."""
    return inputs.baseline or f"models:/{context.project}@champion"


def parts(inputs: CompareInputs, context: Context) -> dict[str, str]:
    """Return the digests of both sides: the candidate's predictions and what the baseline is now."""
    text = baseline_text(inputs, context)
    trained = context.result("train")
    found = {
        artifact.path: artifact.sha256
        for artifact in trained.artifacts
        if artifact.role in ("model", "predictions") or is_repeat(artifact)
    }
    if inputs.leakage != "off" and (
        train := trained.details.get("lineage", {}).get("mlci.data.train.sha256")
    ):
        found[context.data.train or "data.train"] = str(train)
    if context.data.evaluate:
        found[context.data.evaluate] = context.digests.of(
            context.existing(context.data.evaluate, "data.evaluate")
        )
    identity = source_of(text).identity(baseline_request(text, context))
    if identity == _own_version(context):
        # The baseline moved because this very candidate was deployed: its verdict stands.
        identity = (
            context.results[NAME].fingerprint.get("baseline", identity)
            if NAME in context.results
            else identity
        )
    return {**found, "baseline": identity, **version_parts("numpy")}


def run(inputs: CompareInputs, context: Context) -> StageResult:
    """Bring both models onto the same rows and judge every gate."""
    from mlci import predictions
    from mlci.guards import uses_check
    from mlci.slicing import sizes, sliced
    from mlci.stages._budget_gates import budget_checks
    from mlci.stages._plots import write_plots
    from mlci.stages._slices_before import presence_checks

    file = candidate_file(context)
    text = baseline_text(inputs, context)
    rows = judged_rows(inputs, context)
    guards = leakage(inputs, context, len(rows))
    candidate = predictions.answers(file, rows, context.data, "candidate")
    with context.step(f"fetch the baseline {text}"):
        baseline = source_of(text).fetch(baseline_request(text, context))
    reference = None
    if baseline is not None:
        with context.step("bring the baseline onto today's rows"):
            table = baseline_table(inputs, context, baseline)
            reference = predictions.align(table, rows, context.data, "baseline")
    identical = (
        baseline is not None and reference is not None and same_model(context, baseline, candidate, reference)
    )
    with context.step(f"judge {len(inputs.gates)} gates on {len(rows):,} rows"):
        slices = sliced(context.data.slices, rows, context.where)
        judge, luck = _judge(inputs, context, slices, [candidate, *repeats_of(context, rows)])
        checks = judge.judge(candidate, reference, identical=identical)
        checks += presence_checks(inputs, context.data, slices, baseline, context.where("data.slices"))
    with context.step("draw the plots as data"):
        plots = write_plots(context.work, checks, judge.scores, context.variables)
    checks += budget_checks(inputs, context, baseline, identical=identical)
    if baseline is None:
        checks = [_no_baseline(inputs, text), *checks]
    evaluation = evaluation_use(context, baseline, file)
    checks = with_guards(checks, [*guards, uses_check(evaluation["uses"], inputs.warn_after_uses)])
    gates = [check for check in checks if check.metric is not None]
    return StageResult(
        stage=NAME,
        status=status_of(checks),
        reason=_reason(checks, baseline, len(rows)),
        checks=checks,
        metrics=[gate.metric for gate in gates if gate.metric is not None],
        artifacts=[
            context.keep(NAME, plots, "report"),
            *([] if reference is None else [keep_answers(context, reference, NAME)]),
        ],
        outputs={
            "gates-failed": str(sum(gate.status is Status.FAILED for gate in gates)),
            "gates-unclear": str(sum(gate.status is Status.INCONCLUSIVE for gate in gates)),
            "state": "no-baseline" if baseline is None else "identical" if identical else "compared",
        },
        details={
            "baseline": {
                "text": text,
                "label": baseline.label if baseline else None,
                **(baseline.details if baseline else {}),
            },
            "rows": len(rows),
            "evaluation": evaluation,
            "candidate_model": digest_of_model(context),
            **{name: getattr(inputs, name) for name in _SETTINGS},
            "slices": sizes(slices),
            "values_over_seeds": luck,
        },
    )


def judged_rows(inputs: CompareInputs, context: Context) -> pd.DataFrame:
    """Return the evaluation rows with the columns that gates and slices name."""
    from mlci.predictions import evaluation_rows

    extra = named_columns(gate.metric for gate in inputs.gates)
    return evaluation_rows(context.data, context.root, context.where, extra)


def _judge(
    inputs: CompareInputs, context: Context, slices: Sequence[Sliced], seeds: list[pd.DataFrame]
) -> tuple[Judge, dict[str, list[float]]]:
    """Return a judge that knows the luck of the seeds, and the values of each metric over them.

    `seeds` are the candidate's predictions and those of the other seeds, if it was trained with several.
    """
    from mlci.stages._judging import Judge

    if any(":" in gate.metric for gate in inputs.gates) and str(context.root) not in sys.path:
        sys.path.insert(0, str(context.root))  # a metric may live in the project's own code
    found = values_over_seeds(
        [gate.metric for gate in inputs.gates if not gate.is_budget],
        seeds,
        context.data,
        [each.column for each in slices] if any(gate.sliced for gate in inputs.gates) else [],
    )
    judge = Judge(inputs, context.data, slices, context.where, found)
    return judge, {metric: values for (metric, slice_), values in found.items() if not slice_}


def _refuse_no_gates(inputs: CompareInputs) -> None:
    if not inputs.gates:
        raise MlciError(
            "config.no-gates",
            "compare-to-baseline has no gate, so there is nothing to pass",
            "add one, such as gates: [{metric: accuracy, no-worse-than: 0.01}]",
        )


def baseline_request(text: str, context: Context) -> BaselineRequest:
    """Return what a source of baselines is asked."""
    return BaselineRequest(
        text=text,
        root=context.root,
        cache=context.cache,
        work=context.work / "baseline",
        data=context.data,
        open_tracker=lambda: open_tracker(context),
        variables=context.variables,
        digests=context.digests,
        say=context.say,
    )


def _own_version(context: Context) -> str | None:
    """Return the version that this candidate was packaged as, while the package is up to date."""
    packaged = context.results.get("package")
    if packaged is None or packaged.error is not None or "version" not in packaged.outputs:
        return None
    if packaged.details.get("train_model") != digest_of_model(context):
        return None
    return f"version {packaged.outputs['version']}"


def _no_baseline(inputs: CompareInputs, text: str) -> Check:
    return Check(
        name="baseline",
        status=Status.WARNED if inputs.first_run == "accept" else Status.FAILED,
        word="no baseline",
        message=f"First evaluation: there is no {text} yet, so only absolute limits were judged",
        expected=text,
    )


def _reason(checks: list[Check], baseline: Baseline | None, rows: int) -> str:
    lead = leading_check(checks)
    judged = [check for check in checks if check.metric is not None and check.slice is None]
    if lead is None or lead.status is Status.PASSED:
        against = f" against {baseline.label}" if baseline else ""
        return f"{len(judged)} of {len(judged)} gates passed on {rows:,} rows{against}"
    return lead.message


stage = Stage(
    name=NAME,
    summary="Judge the candidate against the baseline on the same rows, gate by gate.",
    inputs=CompareInputs,
    parts=parts,
    run=run,
    after=("train",),
    sections=("data", "tracking"),
    check=_refuse_no_gates,
)
