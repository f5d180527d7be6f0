""".gitlab-ci-templates: a job for each stage, a job for all of them, and a pipeline of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mlci.core.stage import Stage
from mlci.sync import _gitlab, _stages
from mlci.sync._gitlab import named, option
from mlci.sync._stages import Input
from mlci.sync._tree import Kind
from mlci.sync._yaml import Quoted, document

FOLDER = ".gitlab-ci-templates"
NOTES = (
    "Inputs become variables of the job: they hide `variables:` of .gitlab-ci.yml, not those of the project.",
)
_STAGE = "Stage of the pipeline."
_DEPLOY = "deploy"

Template = tuple[dict[str, Any], dict[str, Any]]


def files() -> dict[str, str]:
    """Return the text of every template by path."""
    return {f"{FOLDER}/{name}.yml": document(*parts, notes=NOTES) for name, parts in templates().items()}


def templates() -> dict[str, Template]:
    """Return header and jobs of every template by name."""
    stages = _stages.own_stages()
    found = {stage.name: _of_stage(stage, stages) for stage in stages}
    return {**found, "run": _of_run(stages), "pipeline": _of_pipeline(stages)}


def _of_stage(stage: Stage, stages: Sequence[Stage]) -> Template:
    deploys = stage.name == _DEPLOY
    inputs = [*_stages.own_inputs(stage), _stages.CONFIG]
    inputs += [_stages.TRACKING_URI] if "tracking" in stage.sections else []
    inputs += [_only_true(_stages.DRY_RUN)] if stage.can_dry_run else []
    dry = option("--dry-run", "MLCI_DRY_RUN", takes_value=False) if stage.can_dry_run else ""
    header = _gitlab.header(
        named("job-name", "Name of the job.", f"mlci-{stage.name}"),
        named("stage", _STAGE, "deploy" if deploys else "test"),
        _gitlab.ENVIRONMENT if deploys else {},
        inputs=_stages.unique(inputs),
    )
    job = _gitlab.job(
        f"mlci {stage.name} --warn-exit-code{dry}", inputs, when=_when(stage, stages), deploys=deploys
    )
    return header, {_gitlab.put("job-name"): job}


def _of_run(stages: Sequence[Stage]) -> Template:
    """Return two jobs: under review up to the verdict, on the default branch up to the deployment."""
    inputs = [_stages.CONFIG, _stages.TRACKING_URI, _stages.FROM, _only_true(_stages.FORCE)]
    verdict = _stages.under_review(stages)[-1].name
    until: dict[str, dict[str, Any]] = {
        "until": {
            "description": "Last stage on the default branch. Default: the last one.",
            "default": "",
            "options": ["", *(stage.name for stage in stages)],
        },
        "review-until": {
            "description": "Last stage in a merge request.",
            "default": verdict,
            "options": [stage.name for stage in stages],
        },
    }
    header = _gitlab.header(
        named("job-name", "Name of the job; in a merge request with -review after it.", "mlci"),
        named("stage", _STAGE, "test"),
        _gitlab.ENVIRONMENT,
        until,
        inputs=inputs,
    )
    script = (
        "mlci run --warn-exit-code"
        + option("--from", "MLCI_FROM")
        + option("--until", "MLCI_UNTIL")
        + option("--force", "MLCI_FORCE", takes_value=False)
    )
    review = _gitlab.job(
        script, inputs, when=_gitlab.REVIEW, variables={"MLCI_UNTIL": _gitlab.put("review-until")}
    )
    full = _gitlab.job(
        script,
        inputs,
        when=_gitlab.PUBLISH,
        variables={"MLCI_UNTIL": _gitlab.put("until")},
        deploys=True,
    )
    return header, {Quoted("$[[ inputs.job-name ]]-review"): review, _gitlab.put("job-name"): full}


def _of_pipeline(stages: Sequence[Stage]) -> Template:
    """Return one job for each stage; a stage that mlci.yaml does not describe passes at once.

    A job needs only those that come directly before it: artifacts add up along the chain, and an
    older copy of them would replace a newer one.
    """
    inputs = [_stages.CONFIG, _stages.TRACKING_URI]
    header = _gitlab.header(
        named("prefix", "What the names of the jobs begin with.", "mlci"),
        named("stage", f"{_STAGE} All jobs but the deployment are in it.", "test"),
        named("deploy-stage", "Stage of the pipeline with the deployment.", "deploy"),
        _gitlab.ENVIRONMENT,
        inputs=inputs,
    )
    jobs: dict[str, Any] = {}
    for stage in stages:
        deploys = stage.name == _DEPLOY
        jobs[_job_name(stage.name)] = _gitlab.job(
            f"mlci run --warn-exit-code --from {stage.name} --until {stage.name}",
            inputs,
            stage="deploy-stage" if deploys else "stage",
            when=_when(stage, stages),
            needs=[_job_name(name) for name in _stages.direct(stage, stages)],
            deploys=deploys,
        )
    return header, jobs


def _job_name(stage: str) -> Quoted:
    return Quoted(f"$[[ inputs.prefix ]]-{stage}")


def _when(stage: Stage, stages: Sequence[Stage]) -> tuple[str, ...]:
    return _gitlab.EVERYWHERE if stage in _stages.under_review(stages) else _gitlab.PUBLISH


def _only_true(flag: Input) -> Input:
    """Return a flag that is given or not given, as an option without a value is."""
    return replace(flag, allowed=("true",))


kind = Kind(files, (f"{FOLDER}/*.yml",))
