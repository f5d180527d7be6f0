"""Markdown for the models of a change in one comment: one decision, a table, then each model, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlci.core.results import Report
from mlci.core.status import ExitCode, Status, severity, worst
from mlci.reporters._escape import escape, escape_in_tag
from mlci.reporters._marker import marker
from mlci.reporters._plan import NOTHING
from mlci.reporters._room import STEPS, Detail, fit
from mlci.reporters._words import SIGNS, reason
from mlci.reporters.markdown import ADDRESS, body, reporter, whole

_BLOCKING = (Status.FAILED, Status.ERRORED)
_NO_REPORT = "it was to be evaluated, and there is no report of it: its job ended before one was written"
_MOST_UNTOUCHED = 10


@dataclass(frozen=True)
class Model:
    """A model of the change: its report, or None with the `problem` that kept it from having one."""

    name: str
    report: Report | None
    problem: str = _NO_REPORT

    @property
    def status(self) -> Status:
        """Its verdict. What was not evaluated is never well."""
        return Status.ERRORED if self.report is None else self.report.status

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that says the same."""
        return ExitCode.NOT_EVALUATED if self.report is None else self.report.exit_code

    @property
    def why(self) -> str:
        """The one sentence that explains the verdict."""
        return self.problem if self.report is None else reason(self.report) or self.report.headline

    @property
    def blocking(self) -> int:
        """How many of its checks failed."""
        stages = [] if self.report is None else self.report.stages
        return sum(check.status in _BLOCKING for stage in stages for check in stage.checks)


@dataclass(frozen=True)
class Combined:
    """What one comment says.

    `notice` goes before the decision of several models; one says it in its own headline. `why` explains
    why there is no model, `untouched` names those that did not have to be evaluated, and `run_url` is
    where the jobs are.
    """

    models: Sequence[Model]
    notice: str = ""
    why: str = ""
    untouched: Sequence[str] = ()
    run_url: str | None = None

    @property
    def status(self) -> Status:
        """The verdict over all models."""
        return worst(model.status for model in self.models)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the model that the verdict comes from."""
        lead = next((model for model in self.models if model.status is self.status), None)
        return ExitCode.PASSED if lead is None else lead.exit_code

    def render(self, identifier: str) -> str:
        """Return the whole comment within 60,000 bytes, with the marker of this name as first line."""
        if len(self.models) == 1 and self.models[0].report is not None:
            return reporter.render(self.models[0].report.model_copy(update={"id": identifier}))
        return fit(f"{marker(identifier)}\n{text}\n" for text in self._texts())

    def _texts(self) -> Iterator[str]:
        """Yield the texts from the most detailed to the shortest."""
        ordered = sorted(self.models, key=lambda model: -severity(model.status))
        shown = [model for model in ordered if model.report and model.status is not Status.SKIPPED]
        troubled = [model for model in shown if not _is_well(model)]
        for step in STEPS:
            yield self._text(ordered, shown, step.shared(max(len(shown), 1)))
        for step in STEPS[-3:]:
            yield self._text(ordered, troubled, step.shared(max(len(troubled), 1)))
        yield self._text(ordered, [], STEPS[-1])
        yield self._text([model for model in ordered if not _is_well(model)], [], STEPS[-1], name=40, why=80)

    def _text(
        self, rows: Sequence[Model], shown: Sequence[Model], detail: Detail, name: int = 120, why: int = 300
    ) -> str:
        before = f"{escape(self.notice, 400)}. " if self.notice else ""
        lines = [f"### {SIGNS[self.status]} {before}{self._decision()}", self._reason(detail)]
        if rows:
            lines.append("\n".join(_table(rows, name, min(why, detail.text))))
        if len(rows) < len(self.models):
            lines.append(f"… and {len(self.models) - len(rows):,} more models with which all is well")
        lines += [_part(model, detail) for model in shown]
        lines += [self._untouched(), self._footer()]
        return "\n\n".join(line for line in lines if line)

    def _decision(self) -> str:
        total = len(self.models)
        count = {status: sum(model.status is status for model in self.models) for status in Status}
        bad = count[self.status]
        some = f"{bad:,} of {total:,} models"
        match self.status:
            case Status.ERRORED:
                failed = f", {count[Status.FAILED]:,} failed" if count[Status.FAILED] else ""
                return f"Not evaluated: {some} could not be evaluated{failed}"
            case Status.FAILED:
                return f"Do not merge: {some} failed"
            case Status.INCONCLUSIVE:
                return f"Unclear: {some} could not be told better or worse"
            case Status.WARNED:
                return f"Passed with warnings: {some}"
            case Status.PASSED:
                return f"Passed: {total:,} model{'s' if total != 1 else ''}"
            case _:
                return NOTHING + (": no stage of any model ran" if self.models else "")

    def _reason(self, detail: Detail) -> str:
        lead = next((model for model in self.models if model.status is self.status), None)
        if lead is None:
            return escape(self.why, detail.text)
        return f"**{escape(lead.name, 120)}: {escape(lead.why, detail.text)}**"

    def _untouched(self) -> str:
        if not self.untouched:
            return ""
        names = [escape(name, 120) for name in self.untouched[:_MOST_UNTOUCHED]]
        more = len(self.untouched) - len(names)
        return f"{SIGNS[Status.SKIPPED]} not touched by this change: {', '.join(names)}" + (
            f" and {more:,} more" if more else ""
        )

    def _footer(self) -> str:
        return f"<sub>[run]({self.run_url})</sub>" if ADDRESS.fullmatch(self.run_url or "") else ""


def _is_well(model: Model) -> bool:
    """Return whether a model may be folded: a failure never is."""
    return model.status in (Status.PASSED, Status.SKIPPED) and not model.blocking


def _table(rows: Sequence[Model], name: int, why: int) -> list[str]:
    lines = ["| Model | Verdict | Why |", "|:--|:--|:--|"]
    for model in rows:
        word = "not evaluated" if model.report is None else model.status.value
        failed = f", {model.blocking:,} checks" if model.blocking > 1 else ""
        verdict = f"{SIGNS[model.status]} {word}{failed}"
        lines.append(f"| {escape(model.name, name)} | {verdict} | {escape(model.why, why)} |")
    return lines


def _part(model: Model, detail: Detail) -> str:
    report = model.report
    if report is None:
        return ""
    label = model.name if model.name != report.project else ""
    if not _is_well(model):
        return whole(report, detail, "####", label)
    title = escape_in_tag(report.headline, 300) + (f" · {escape_in_tag(label, 120)}" if label else "")
    return (
        f"<details><summary>{SIGNS[report.status]} {title}</summary>\n\n"
        f"{body(report, detail, '####')}\n\n</details>"
    )
