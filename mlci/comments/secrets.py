"""Keeps the secrets of the commenting job out of its comment, whatever reports and plan say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlci.core.results import Report, StageResult
from mlci.failures import cleaned, without_secrets
from mlci.process import redact
from mlci.reporters._escape import escape, escape_in_tag


def masked(report: Report, variables: Mapping[str, str]) -> Report:
    """Return a report without the secrets of this job.

    It goes before rendering: a text that is escaped or cut no longer holds a secret as it was.
    """
    return report.model_copy(
        update={
            "project": redact(report.project, variables),
            "headline": redact(report.headline, variables),
            "stages": [_masked_stage(stage, variables) for stage in report.stages],
            "provenance": report.provenance.model_copy(
                update={"data": cleaned(report.provenance.data, variables)}
            ),
        }
    )


def _masked_stage(stage: StageResult, variables: Mapping[str, str]) -> StageResult:
    error = stage.error and stage.error.model_copy(
        update={
            "message": redact(stage.error.message, variables),
            "hint": redact(stage.error.hint, variables),
        }
    )
    return without_secrets(stage, variables).model_copy(update={"error": error})


def masked_text(text: str, variables: Mapping[str, str]) -> str:
    """Return Markdown without secrets, as they are or as Markdown writes them; its first line stays."""
    first, _, rest = text.partition("\n")
    for write in (str, escape, escape_in_tag):
        rest = redact(rest, _written(variables, write))
    return f"{first}\n{rest}"


def _written(variables: Mapping[str, str], write: Callable[[str], str]) -> dict[str, str]:
    return {name: "\n".join(map(write, value.splitlines())) for name, value in variables.items()}
