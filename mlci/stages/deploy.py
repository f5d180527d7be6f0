"""deploy: the packaged model into service, or the old one left in place."""

from __future__ import annotations

from pydantic import Field

from mlci.core.errors import MlciError
from mlci.core.inputs import Inputs
from mlci.core.ports import Deployment, Release, Tracker
from mlci.core.results import Check, ErrorRecord, StageResult, status_of
from mlci.core.stage import Context, Stage
from mlci.core.status import Status
from mlci.stages._tracking import open_tracker
from mlci.targets import TARGETS

NAME = "deploy"
COMPARE = "compare-to-baseline"


class DeployInputs(Inputs):
    """Where the model goes, and what may go there."""

    target: str = Field(
        "registry", description="What receives the model: registry (an alias) or local (a server)."
    )
    alias: str = Field("champion", description="Alias that target registry moves.")
    port: int = Field(5001, ge=1, le=65535, description="Port on 127.0.0.1 where target local serves.")
    health_timeout: float = Field(
        60,
        gt=0,
        description="Seconds that a server may take to become healthy.",
        json_schema_extra={"affects-result": False},
    )
    accept_inconclusive: str | None = Field(
        None, description="Reason to deploy although the comparison was unclear; it is recorded."
    )
    trusted_types: list[str] = Field(
        [], description="Types in the model that may be loaded, beside those of scikit-learn that are known."
    )
    stop: bool = Field(
        False, description="Take out of service what target local serves, and do nothing else."
    )


def parts(inputs: DeployInputs, context: Context) -> dict[str, str]:
    """Return the packaged model's digest and version, its verdict, and what is deployed right now."""
    packaged = context.result("package")
    name = packaged.outputs.get("name", context.project)
    target = TARGETS.get(inputs.target)
    found = {
        "package": packaged.outputs.get("model-sha256", ""),
        "version": packaged.outputs.get("version", ""),
        "state deployed": target.state(name, inputs, context.cache.parent, open_tracker(context)),
    }
    if COMPARE in context.results:
        found["verdict"] = context.results[COMPARE].status.value
    return found


def run(inputs: DeployInputs, context: Context) -> StageResult:
    """Check that this model may be deployed, then hand it to the target; a dry run only asks what it would do."""
    target = TARGETS.get(inputs.target)
    if inputs.stop:
        return _stopped(target.stop(_name(context), inputs, context.cache.parent))
    packaged = context.result("package")
    if packaged.status is Status.FAILED or "version" not in packaged.outputs:
        raise MlciError(
            "deploy.refused",
            "the package stage did not pass, so there is nothing to deploy",
            "see its report",
        )
    verdict = _verdict(inputs, context, packaged)
    if verdict.status is Status.FAILED:
        return StageResult(stage=NAME, status=Status.FAILED, reason=verdict.message, checks=[verdict])
    tracker = open_tracker(context)
    tracker.check()
    release = _release(inputs, context, packaged)
    if context.dry_run:
        planned = target.plan(release, tracker)
        return _result(
            inputs, [verdict], planned, release, f"would do: {planned.change} (dry run, nothing was touched)"
        )
    try:
        with context.step(f"deploy version {release.version} to target {inputs.target}"):
            done = target.deploy(release, tracker)
    except MlciError as error:
        if error.code != "deploy.smoke-test":
            raise
        return _refused_by_smoke_test(inputs, [verdict], release, error)
    _record_verdict(inputs, context, release, tracker)
    return _result(inputs, [verdict, _smoke(done)], done, release, done.change)


def _name(context: Context) -> str:
    packaged = context.results.get("package")
    return packaged.outputs.get("name", context.project) if packaged else context.project


def _verdict(inputs: DeployInputs, context: Context, packaged: StageResult) -> Check:
    """Return the check that the comparison allows this very model."""
    name = "the model may be deployed"
    if COMPARE not in context.configured:
        return Check(
            name=name,
            status=Status.WARNED,
            message="no comparison is configured, so any model may be deployed",
        )
    compared = context.results.get(COMPARE)
    if compared is None or compared.error is not None:
        raise MlciError("deploy.refused", "there is no verdict on this model", f"run `mlci {COMPARE}` first")
    if compared.details.get("candidate_model") != packaged.details.get("train_model"):
        raise MlciError(
            "deploy.refused",
            "the verdict is about another model than the one that was packaged",
            "run `mlci run`",
        )
    if compared.status is Status.FAILED:
        return Check(name=name, status=Status.FAILED, message=f"the comparison failed: {compared.reason}")
    if compared.status is Status.INCONCLUSIVE and not (inputs.accept_inconclusive or "").strip():
        return Check(
            name=name,
            status=Status.FAILED,
            message=f"the comparison was unclear: {compared.reason}; to deploy all the same, give a reason with"
            " --accept-inconclusive",
        )
    if compared.status is Status.INCONCLUSIVE:
        return Check(
            name=name,
            status=Status.WARNED,
            message=f"unclear comparison accepted: {inputs.accept_inconclusive}",
        )
    return Check(name=name, status=Status.PASSED, message=f"the comparison {compared.status.value}")


def _release(inputs: DeployInputs, context: Context, packaged: StageResult) -> Release:
    found = {artifact.role: context.out / artifact.path for artifact in packaged.artifacts}
    for artifact in packaged.artifacts:
        path = context.out / artifact.path
        if not path.exists() or context.digests.of(path) != artifact.sha256:
            raise MlciError(
                "deploy.refused",
                f"'{context.out.name}/{artifact.path}' is not what was packaged",
                "run `mlci package --force`",
            )
    return Release(
        name=packaged.outputs["name"],
        version=packaged.outputs["version"],
        model=found["model"],
        digest=packaged.outputs["model-sha256"],
        example=found["data"],
        expected=found["predictions"],
        root=context.root,
        state=context.cache.parent,
        work=context.work,
        options=inputs,
        variables=context.variables,
        digests=context.digests,
        say=context.say,
    )


def _smoke(done: Deployment) -> Check:
    message = (
        "the new version answers its example rows as it should" if done.changed else "it is deployed already"
    )
    return Check(name="smoke test", status=Status.PASSED, message=message)


def _refused_by_smoke_test(
    inputs: DeployInputs, checks: list[Check], release: Release, error: MlciError
) -> StageResult:
    """Return the verdict on a version that did not pass its trial: a failure, not a broken run.

    The error stays in the result, so that the next run tries again although nothing has changed.
    """
    record = ErrorRecord(code=error.code, message=error.message, hint=error.hint, exit_code=error.exit_code)
    failed = Check(name="smoke test", status=Status.FAILED, message=error.message)
    return StageResult(
        stage=NAME,
        status=Status.FAILED,
        reason=f"{error.message}; what was in service before still is",
        checks=[*checks, failed],
        outputs={"target": inputs.target, "version": release.version, "changed": "false"},
        error=record,
    )


def _record_verdict(inputs: DeployInputs, context: Context, release: Release, tracker: Tracker) -> None:
    """Write onto the version why it was allowed to go out."""
    compared = context.results.get(COMPARE)
    tags = {"mlci.verdict": compared.status.value if compared else "not compared"}
    if compared is not None and compared.status is Status.INCONCLUSIVE and inputs.accept_inconclusive:
        tags["mlci.accepted"] = inputs.accept_inconclusive
    tracker.tag_version(release.name, release.version, tags)


def _result(
    inputs: DeployInputs, checks: list[Check], done: Deployment, release: Release, reason: str
) -> StageResult:
    address = done.details.get("address")
    return StageResult(
        stage=NAME,
        status=status_of(checks),
        reason=reason,
        checks=checks,
        outputs={
            "target": inputs.target,
            "version": release.version,
            "previous-version": done.previous or "",
            "changed": str(done.changed).lower(),
            **({"address": str(address)} if address else {}),
        },
        details={"change": done.change, **done.details},
    )


def _stopped(sentence: str) -> StageResult:
    return StageResult(stage=NAME, status=Status.PASSED, reason=sentence, checks=[])


stage = Stage(
    name=NAME,
    summary="Put the packaged model into service, or leave the old version in place.",
    inputs=DeployInputs,
    parts=parts,
    run=run,
    after=("package", COMPARE),
    sections=("tracking",),
    can_dry_run=True,
)
