""".gitlab-ci-templates: a job for each stage, a job for all of them, and a pipeline of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mlci.core.stage import Stage
from mlci.stages import under_review
from mlci.sync import _gitlab, _gitlab_jobs, _gitlab_scripts, _stages
from mlci.sync._gitlab import distinct, named, option, put
from mlci.sync._gitlab_jobs import for_merge_requests, job, of_the_default_branch, runner
from mlci.sync._stages import Input
from mlci.sync._tree import Kind
from mlci.sync._yaml import Quoted, document

FOLDER = ".gitlab-ci-templates"
NOTES = (
    "Inputs become variables of the job: they hide `variables:` of .gitlab-ci.yml, not those of the project.",
)
CACHE_NOTES = (
    "Without a tracking server, models and baseline live in .mlci, which two caches keep. The default branch",
    "reads and writes one that GitLab keeps from unprotected branches. Merge requests read a copy, which anyone",
    "who may push a branch can replace: that can spoil a verdict under review, never what is deployed.",
    "A cache that was evicted or cleared means: no baseline until the default branch has run again.",
    "A merge request from a fork runs in the fork's project and sees the fork's caches only.",
)
_STAGE = "Stage of the pipeline."
_DEPLOY = "deploy"

Template = tuple[dict[str, Any], dict[str, Any]]


def files() -> dict[str, str]:
    """Return the text of every template by path."""
    found = {}
    for name, parts in templates().items():
        cached = any("cache" in job for job in parts[1].values())
        found[f"{FOLDER}/{name}.yml"] = document(*parts, notes=NOTES + (CACHE_NOTES if cached else ()))
    return found


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
        (distinct if deploys else named)("job-name", "Name of the job.", f"mlci-{stage.name}"),
        named("stage", _STAGE, "deploy" if deploys else "test"),
        _gitlab.ENVIRONMENT if deploys else {},
        inputs=_stages.unique(inputs),
    )
    command = f"mlci {stage.name} --warn-exit-code{dry}"
    made = job(
        [_gitlab_scripts.INSTALL, *_fetching(stage, stages), command],
        inputs,
        when=_when(stage, stages),
        deploys="job-name" if deploys else None,
    )
    return header, {**runner(), put("job-name"): made}


def _of_run(stages: Sequence[Stage]) -> Template:
    """Return two jobs: under review up to the verdict, on the default branch up to the deployment."""
    inputs = [_stages.CONFIG, _stages.TRACKING_URI, _stages.FROM, _only_true(_stages.FORCE)]
    verdict = under_review(stages)[-1].name
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
        distinct(
            "job-name",
            "Name of the job, in a merge request with -review after it; another one for each model.",
            "mlci",
        ),
        named("stage", _STAGE, "test"),
        _gitlab.ENVIRONMENT,
        until,
        inputs=inputs,
    )
    command = (
        "mlci run --warn-exit-code"
        + option("--from", "MLCI_FROM")
        + option("--until", "MLCI_UNTIL")
        + option("--force", "MLCI_FORCE", takes_value=False)
    )
    review = job(
        [
            _gitlab_scripts.install_light(),
            _gitlab_scripts.FETCH_BASE,
            _gitlab_scripts.END_IF_NOTHING,
            _gitlab_scripts.INSTALL,
            command,
        ],
        inputs,
        when=_gitlab_jobs.REVIEW,
        variables={"MLCI_UNTIL": put("review-until"), "MLCI_NOTE": put("job-name")},
        cache=[for_merge_requests("job-name", "pull")],
        note=_gitlab_scripts.note(),
    )
    # Nothing is planned on the default branch: the push that touches documentation only may have cancelled
    # the pipeline of the one before it, and what that one changed would never be evaluated.
    full = job(
        [_gitlab_scripts.INSTALL, command],
        inputs,
        when=_gitlab_jobs.PUBLISH,
        variables={"MLCI_UNTIL": put("until")},
        cache=[of_the_default_branch("job-name", "pull-push"), for_merge_requests("job-name", "push")],
        deploys="job-name",
    )
    return header, {**runner(), Quoted("$[[ inputs.job-name ]]-review"): review, put("job-name"): full}


def _of_pipeline(stages: Sequence[Stage]) -> Template:
    """Return a job that plans a merge request, and one for each stage.

    A stage that mlci.yaml does not describe passes at once. A job needs only those that come directly
    before it: artifacts add up along the chain, and an older copy of them would replace a newer one.
    """
    inputs = [_stages.CONFIG, _stages.TRACKING_URI]
    header = _gitlab.header(
        distinct(
            "prefix",
            "What the names of the jobs begin with; another one for each model of a repository.",
            "mlci",
        ),
        named("stage", f"{_STAGE} All jobs but the deployment are in it.", "test"),
        named("deploy-stage", "Stage of the pipeline with the deployment.", "deploy"),
        _gitlab.ENVIRONMENT,
        inputs=inputs,
    )
    jobs: dict[str, Any] = {**runner(), _job_name("plan"): _planning(inputs)}
    for stage in stages:
        jobs[_job_name(stage.name)] = _one_of_many(stage, stages, inputs)
    return header, jobs


def _planning(inputs: Sequence[Input]) -> dict[str, Any]:
    return job(
        [_gitlab_scripts.install_light(), _gitlab_scripts.FETCH_BASE, "mlci plan"],
        inputs,
        when=_gitlab_jobs.REVIEW,
        needs=[],
        variables={"MLCI_NOTE": put("prefix")},
        cache=[for_merge_requests("prefix", "pull")],
        note=_gitlab_scripts.note(_gitlab_scripts.NOTE_IF_LAST),
    )


def _one_of_many(stage: Stage, stages: Sequence[Stage], inputs: Sequence[Input]) -> dict[str, Any]:
    deploys = stage.name == _DEPLOY
    before: list[Any] = [_job_name(name) for name in _stages.direct(stage, stages)]
    reviewed = under_review(stages)
    cache = []
    if not before:
        # Artifacts come after caches, so in a merge request what the plan's job had is what counts.
        cache = [of_the_default_branch("prefix", "pull")]
    elif stage is stages[-1]:
        cache = [of_the_default_branch("prefix", "push"), for_merge_requests("prefix", "push")]
    note = None
    if stage in reviewed:
        note = _gitlab_scripts.note("" if stage is reviewed[-1] else _gitlab_scripts.NOTE_IF_LAST)
    ends = [_gitlab_scripts.END_IF_PLANNED_SO] if stage in reviewed else []
    command = f"mlci run --warn-exit-code --from {stage.name} --until {stage.name}"
    return job(
        [*ends, _gitlab_scripts.INSTALL, *_fetching(stage, stages), command],
        inputs,
        stage="deploy-stage" if deploys else "stage",
        when=_when(stage, stages),
        needs=before or [{"job": _job_name("plan"), "optional": True}],
        variables={"MLCI_NOTE": put("prefix")} if note else None,
        cache=cache,
        note=note,
        deploys="prefix" if deploys else None,
    )


def _job_name(stage: str) -> Quoted:
    return Quoted(f"$[[ inputs.prefix ]]-{stage}")


def _when(stage: Stage, stages: Sequence[Stage]) -> tuple[str, ...]:
    return _gitlab_jobs.EVERYWHERE if stage in under_review(stages) else _gitlab_jobs.PUBLISH


def _fetching(stage: Stage, stages: Sequence[Stage]) -> list[str]:
    return [_gitlab_scripts.FETCH_BASE] if stage in under_review(stages) else []


def _only_true(flag: Input) -> Input:
    """Return a flag that is given or not given, as an option without a value is."""
    return replace(flag, allowed=("true",))


kind = Kind(files, (f"{FOLDER}/*.yml",))
