"""mlci comment: lets the pull or merge request say what the reports say, in one comment that is kept up to date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli import options
from mlci.core.errors import MlciError, NotPostedError
from mlci.core.status import ExitCode

if TYPE_CHECKING:
    from mlci.comments import Mode, Posted
    from mlci.comments.gather import Found
    from mlci.core.forge import Forge
    from mlci.core.plan import Plan
    from mlci.core.provider import Provider
    from mlci.reporters._combined import Combined

_MODE_HELP = (
    "update: one comment, updated in place. only-on-change: as update, but a text that says the same is not written "
    "again, and a first comment appears only when there is something to say (not while everything passes). "
    "new: another comment each time."
)


def comment(
    reports: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, or folders that are searched for report.json; default: mlci-out/report.json.",
            metavar="REPORT",
        ),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            help="plan.json: a model in it that has no report is shown as not evaluated.", metavar="FILE"
        ),
    ] = None,
    id_: Annotated[
        str | None,
        typer.Option(
            "--id", help="Names the comment; default: the project, or `models` for several.", metavar="NAME"
        ),
    ] = None,
    mode: Annotated[str | None, typer.Option(help=_MODE_HELP, metavar="update|only-on-change|new")] = None,
    untrusted: Annotated[
        bool,
        typer.Option(
            "--untrusted",
            help="Take reports as data of a fork, in a job for the event workflow_run: verdicts are made anew, the "
            "pull request and the rules of its base are asked of GitHub.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for comment.md; default: mlci-out at the top of the repository.", metavar="PATH"
        ),
    ] = None,
    debug: options.DebugOption = False,
) -> None:
    """Write the verdict into the pull or merge request: one comment for all models, kept up to date.

    A comment that cannot be posted is a warning that names the missing permission; the exit code stays 0.
    """
    options.set_debug(debug)
    asked = _asked(reports, plan, id_, mode, out, untrusted=untrusted)
    found, planned = _read(asked)
    prepared = _prepare(asked, found, planned)
    posted = _post(asked, prepared)
    _hand_on(asked, prepared.combined, posted)
    if found.problems:
        raise found.problems[0][1]


@dataclass(frozen=True)
class _Asked:
    """What the command was asked for, and where it runs."""

    places: list[Path]
    plan: Path | None
    identifier: str | None
    mode: Mode
    folder: Path
    untrusted: bool
    variables: Mapping[str, str]
    provider: Provider


@dataclass(frozen=True)
class _Prepared:
    """The comment, and the place for it; or the reason why there is no place."""

    combined: Combined
    text: str
    forge: Forge | None = None
    number: int = 0
    problem: NotPostedError | None = None


def _asked(
    reports: list[str] | None,
    plan: str | None,
    identifier: str | None,
    mode: str | None,
    out: Path | None,
    *,
    untrusted: bool,
) -> _Asked:
    """Return what was asked for; raises MlciError `usage`. An empty text counts as not given."""
    from mlci.comments import MODES
    from mlci.forges._workflow_run import EVENT
    from mlci.providers import detect
    from mlci.results_folder import OUT_FOLDER, REPORT_FILE
    from mlci.stores import git

    chosen = next((known for known in MODES if known == (mode or MODES[0])), None)
    if chosen is None:
        raise MlciError("usage", f"there is no mode '{mode}'", f"one of: {', '.join(MODES)}")
    variables = options.variables()
    started = variables.get("GITHUB_EVENT_NAME") == EVENT
    if untrusted and not started:
        raise MlciError(
            "usage", "--untrusted is for GitHub jobs of the event workflow_run", "leave it out in other jobs"
        )
    folder = options.out_folder(out)
    lines = [line.strip() for text in reports or [] for line in text.splitlines()]
    places = [Path(line) for line in lines if line]
    if not places:
        places = [(folder or Path(OUT_FOLDER)) / REPORT_FILE]
        if plan and not places[0].exists():
            places = []
    return _Asked(
        places=places,
        plan=Path(plan) if plan else None,
        identifier=identifier or None,
        mode=chosen,
        folder=folder or (git.top(Path.cwd()) or Path.cwd()) / OUT_FOLDER,
        untrusted=started,  # what such a job gets was made by another one
        variables=variables,
        provider=detect(variables),
    )


def _read(asked: _Asked) -> tuple[Found, Plan | None]:
    """Return reports and plan; raises MlciError `report.unreadable` when there is nothing to say anything about."""
    from mlci.comments.gather import find_reports, read_plan, read_reports
    from mlci.comments.untrusted import read_untrusted, read_untrusted_plan

    # With a plan, a model without a report is a finding; without one, nothing tells what is missing.
    places = [place for place in asked.places if place.exists()] if asked.plan else asked.places
    if asked.untrusted:
        planned = read_untrusted_plan(asked.plan) if asked.plan else None
        found = read_untrusted(places)
    else:
        planned = read_plan(asked.plan) if asked.plan else None
        found = read_reports(find_reports(places))
    if planned is None and not found.reports:
        if found.problems:
            raise found.problems[0][1]
        names = ", ".join(f"'{place}'" for place in places)
        raise MlciError("report.unreadable", f"there is no report.json in {names}", "run `mlci run` first")
    return found, planned


def _prepare(asked: _Asked, found: Found, planned: Plan | None) -> _Prepared:
    """Return the comment and where it goes."""
    from mlci import forges

    if asked.untrusted:
        return _prepare_untrusted(asked, found, planned)
    combined, text = _rendered(asked, found, planned, asked.provider.provenance().get("run_url"))
    try:
        forge = forges.detect(asked.variables)
        if forge is None:
            raise NotPostedError("this is no job of GitHub or GitLab")
        return _Prepared(combined, text, forge, forge.number())
    except NotPostedError as error:
        return _Prepared(combined, text, problem=error)


def _prepare_untrusted(asked: _Asked, found: Found, planned: Plan | None) -> _Prepared:
    """Return the comment of a run that is not trusted, after asking the forge what that run was for."""
    from mlci.comments.gather import Found
    from mlci.comments.rules import Rules
    from mlci.comments.untrusted import judged_anew
    from mlci.forges._workflow_run import WorkflowRun
    from mlci.forges.github import GithubForge

    try:
        forge = GithubForge(asked.variables)
        run = WorkflowRun(forge)
        reviewed = run.reviewed()
        rules = Rules(run, reviewed)
        alone = len(found.reports) == 1
        judged = [rules.judge(report, alone=alone) for report in found.reports]
        notice = "" if alone else rules.notice(found.reports, judged)
    except NotPostedError as error:
        plain = Found([judged_anew(report) for report in found.reports], found.problems)
        combined, text = _rendered(asked, plain, planned, None)
        return _Prepared(combined, text, problem=error)
    anew = [judged_anew(*pair, reviewed) for pair in zip(found.reports, judged, strict=True)]
    combined, text = _rendered(asked, Found(anew, found.problems), planned, reviewed.run_url, notice)
    return _Prepared(combined, text, forge, reviewed.number)


def _rendered(
    asked: _Asked, found: Found, planned: Plan | None, run_url: str | None, notice: str = ""
) -> tuple[Combined, str]:
    """Return the comment and its text, which is kept in comment.md as well."""
    from mlci.cli.execute import COMMENT_FILE
    from mlci.comments.gather import combine
    from mlci.comments.secrets import masked, masked_text
    from mlci.core.files import write_atomic
    from mlci.results_folder import prepare_folder

    masks = replace(found, reports=[masked(report, asked.variables) for report in found.reports])
    combined, name = combine(masks, planned, run_url, notice)
    text = masked_text(combined.render(asked.identifier or name), asked.variables)
    prepare_folder(asked.folder)
    write_atomic(asked.folder / COMMENT_FILE, text)
    return combined, text


def _post(asked: _Asked, prepared: _Prepared) -> Posted | None:
    """Post the comment; None, with a warning, when that is not possible."""
    from mlci.comments import Message, post
    from mlci.comments.gather import is_quiet
    from mlci.core.status import Status

    try:
        if prepared.forge is None:
            raise prepared.problem or NotPostedError("there is nowhere to comment")
        message = Message(
            prepared.text,
            evaluated=prepared.combined.status is not Status.SKIPPED,
            quiet=is_quiet(prepared.combined),
        )
        return post(prepared.forge, prepared.number, message, asked.mode)
    except NotPostedError as error:
        hint = f"; {error.hint}" if error.hint else ""
        asked.provider.warn(_clean(f"comment not posted: {error.why}{hint}", asked.variables))
        return None


def _hand_on(asked: _Asked, combined: Combined, posted: Posted | None) -> None:
    """Say what was done, and write the outputs."""
    done = posted is not None and posted.comment is not None
    url = posted.comment.url if posted is not None and posted.comment is not None else ""
    if posted is not None:
        words = "no comment" if posted.done == "nothing" else f"comment {posted.done}"
        typer.echo(_clean(f"{words}: {posted.why}{f' {url}' if url else ''}", asked.variables))
    code = combined.exit_code if combined.models else ExitCode.PASSED
    asked.provider.hand_on(
        {
            "verdict": combined.status.value,
            "exit-code": str(int(code)),
            "posted": "true" if done else "false",
            "comment-url": url,
        }
    )


def _clean(text: str, variables: Mapping[str, str]) -> str:
    """Return one line without secrets and without commands to a CI system."""
    from mlci.process import redact
    from mlci.reporters._escape import no_command, one_line

    return no_command(one_line(redact(text, variables)))
