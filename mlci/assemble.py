"""Assembles the report of a run from the results of its stages."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mlci import __version__
from mlci.core.results import Policy, Provenance, Report, StageResult
from mlci.core.status import Status, severity, worst
from mlci.core.versions import installed_version
from mlci.policy import headline as policy_headline
from mlci.stores import git

_VERSIONS = ("dvc", "great-expectations", "mlflow", "scikit-learn")


def assemble(
    project: str,
    results: Sequence[StageResult],
    root: Path,
    environment: Mapping[str, str],
    data: Mapping[str, str],
    *,
    policy: Policy | None = None,
    config: Path | None = None,
) -> Report:
    """Return the report of these results. `environment` is what the CI system knows of the run.

    `policy` is what the results were judged by, and `config` the file that describes the project.
    """
    status = worst(result.status for result in results)
    head = git.head(root)
    return Report(
        id=project,
        project=project,
        status=status,
        headline=headline(project, results, policy),
        stages=list(results),
        policy=policy,
        provenance=Provenance(
            config=_inside_repository(config) if config else None,
            commit=environment.get("commit") or (head.commit if head else None),
            dirty=head.dirty if head else None,
            ref=environment.get("ref") or (head.ref if head else None),
            run_url=environment.get("run_url"),
            reason=environment.get("reason") or None,
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}",
            versions={name: version for name in _VERSIONS if (version := installed_version(name))},
            data=dict(data),
        ),
        created=now(),
        tool=f"mlci {__version__}",
    )


def headline(project: str, results: Sequence[StageResult], policy: Policy | None = None) -> str:
    """Return the decision in words, for the first line of every face; a change of the policy comes first."""
    warning = policy_headline(policy)
    return f"{warning}. {_verdict(project, results)}" if warning else _verdict(project, results)


def _verdict(project: str, results: Sequence[StageResult]) -> str:
    ran = [result for result in results if result.status is not Status.SKIPPED]
    if not ran:
        return f"Nothing to evaluate: no stage of {project} ran"
    lead = max(ran, key=lambda result: severity(result.status))
    deployed = next((r for r in ran if r.stage == "deploy" and r.status is Status.PASSED), None)
    match lead.status:
        case Status.ERRORED:
            return f"Not evaluated: {lead.stage} of {project} could not be finished"
        case Status.FAILED:
            return f"Do not merge: {project} failed {lead.stage}"
        case Status.INCONCLUSIVE:
            return f"Unclear: {project} could not be told better or worse in {lead.stage}"
        case Status.WARNED:
            return f"{'Deployed' if deployed else 'Passed'} with warnings: {project} (see {lead.stage})"
        case _:
            return f"{'Deployed' if deployed else 'Passed'}: {project}"


def _inside_repository(file: Path) -> str:
    top = git.top(file.parent)
    return file.resolve().relative_to(top.resolve()).as_posix() if top else file.name


def now() -> str:
    """Return the current time: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
