"""Says what a pull request's run would publish, and which permissions, secrets and variables it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlci.cli import options
from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs, TrackingInputs
from mlci.core.plan import Plan
from mlci.process import redact
from mlci.stores import dvc, git

_CREDENTIALS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "gs": ("GOOGLE_APPLICATION_CREDENTIALS",),
    "azure": ("AZURE_STORAGE_CONNECTION_STRING",),
}


def needs(plan: Plan, root: Path, variables: Mapping[str, str]) -> str:
    """Return the text about publishing and needs, for the projects of a plan that are evaluated."""
    lines = ["It would publish"]
    lines += [f"  - {line}" for line in _published(plan)]
    lines.append("It needs")
    lines += [f"  - {line}" for line in _needed(plan, git.top(root) or root, variables)]
    return redact("\n".join(lines), variables)


def _published(plan: Plan) -> Iterator[str]:
    yield "the job summary (GitHub), or the log and the test report (GitLab)"
    if not plan.evaluate:
        yield "no new comment; one that is there would say that there is nothing to evaluate"
        return
    for project in plan.chosen:
        files = "report.json, report.md and junit.xml"
        yield f"{project.name}: {files}, as artifact mlci-report-{project.name}"
    yield "one comment on the request, updated in place, and at most five annotations in mlci.yaml for each model"
    yield "the outputs verdict, exit-code, evaluate and models"


def _needed(plan: Plan, top: Path, variables: Mapping[str, str]) -> Iterator[str]:
    yield "GitHub: permissions contents: read, and pull-requests: write for the comment"
    yield "GitLab: nothing; MLCI_GITLAB_TOKEN (scope api) for the note"
    for project in plan.chosen:
        try:
            config = options.load(top / project.config)
        except MlciError:
            continue
        uri = config.section("tracking", TrackingInputs).uri or variables.get("MLFLOW_TRACKING_URI", "")
        if uri.startswith(("http://", "https://")):
            yield f"{project.name}: the tracking server {uri}, with {_named(('MLFLOW_TRACKING_TOKEN',), variables)}"
        else:
            yield f"{project.name}: no tracking server; the champion comes from the cache of the default branch"
        yield from _storage(project.name, config.root, config.section("data", DataInputs), variables)


def _storage(name: str, root: Path, data: DataInputs, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield where data come from that git does not hold."""
    elsewhere = [path for path in (data.train, data.evaluate) if path and not git.is_tracked(root, path)]
    if not elsewhere:
        return
    remotes = dvc.remote_urls(root)
    yield f"{name}: {', '.join(elsewhere)}, which git does not hold" + (
        "" if remotes else " and no DVC remote has"
    )
    for url in remotes:
        scheme = url.partition("://")[0]
        wanted = _CREDENTIALS.get(scheme)
        yield f"{name}: the DVC remote {url}" + (f", with {_named(wanted, variables)}" if wanted else "")


def _named(names: tuple[str, ...], variables: Mapping[str, str]) -> str:
    return " and ".join(f"{name} ({'set' if variables.get(name) else 'not set'} here)" for name in names)
