"""validate-data: whether the files hold what a model may be trained and judged on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mlci.core.errors import MlciError
from mlci.core.inputs import Inputs
from mlci.core.results import Check, StageResult, leading_check, status_of
from mlci.core.slice_rules import columns_of
from mlci.core.stage import Context, Stage
from mlci.core.status import Status
from mlci.core.versions import version_parts

if TYPE_CHECKING:
    import pandas as pd

NAME = "validate-data"


class ValidateDataInputs(Inputs):
    """What is checked, and against which expectations."""

    files: list[str] = Field([], description="Data files to check; default: data.train and data.evaluate.")
    suite: str | None = Field(None, description="Great Expectations 1.x suite (JSON file).")
    expectations: list[dict[str, Any]] = Field(
        [], description="Expectations written in place: type, its arguments, and severity."
    )
    show_values: Literal["auto", "always", "never"] = Field(
        "auto", description="Show example values of bad rows; auto: on a terminal of your own, not in CI."
    )


def parts(inputs: ValidateDataInputs, context: Context) -> dict[str, str]:
    """Return the digests of the files and of the suite, and the version of Great Expectations."""
    found = {
        name: context.digests.of(context.existing(name, key)) for name, key in _files(inputs, context).items()
    }
    if inputs.suite:
        found[inputs.suite] = context.digests.of(context.existing(inputs.suite, f"{NAME}.suite"))
    return {**found, **version_parts("great-expectations", "pandas")}


def run(inputs: ValidateDataInputs, context: Context) -> StageResult:
    """Check every file: first that it has the columns that are named, then its expectations."""
    from mlci.readers import read_table
    from mlci.validators import VALIDATORS

    expectations = _expectations(inputs, context)
    show = inputs.show_values == "always" or (inputs.show_values == "auto" and not context.ci)
    checks: list[Check] = []
    rows: dict[str, int] = {}
    for name, key in _files(inputs, context).items():
        with context.step(f"read {name}"):
            frame = read_table(context.existing(name, key))
        rows[name] = len(frame)
        if key.startswith("data."):
            checks += _contract(frame, name, context)
        if expectations:
            with context.step(f"check {name}"):
                validator = VALIDATORS.get("great-expectations")
                checks += validator.validate(frame, expectations, file=name, show_values=show)
    status = status_of(checks)
    return StageResult(
        stage=NAME,
        status=status,
        reason=_reason(checks, rows),
        checks=[_placed(check, inputs, context) for check in checks],
        outputs={
            "checks": str(len(checks)),
            "failed": str(sum(check.status is Status.FAILED for check in checks)),
            "warned": str(sum(check.status is Status.WARNED for check in checks)),
        },
        details={"rows": rows},
    )


def _files(inputs: ValidateDataInputs, context: Context) -> dict[str, str]:
    """Return the files to check, each with the key that names it."""
    if inputs.files:
        return dict.fromkeys(inputs.files, f"{NAME}.files")
    named = {"data.train": context.data.train, "data.evaluate": context.data.evaluate}
    files = {name: key for key, name in named.items() if name}
    if not files:
        raise MlciError(
            "config.invalid",
            "there is no data to validate",
            "set data.train and data.evaluate, or validate-data.files",
        )
    return files


def _expectations(inputs: ValidateDataInputs, context: Context) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    if inputs.suite:
        found += _suite(context.existing(inputs.suite, f"{NAME}.suite"), inputs.suite)
    for number, item in enumerate(inputs.expectations):
        if not item.get("type"):
            raise MlciError(
                "suite.unreadable", f"{NAME}.expectations.{number} has no type", "write type: expect_…"
            )
        found.append(item)
    return found


def _suite(path: Path, name: str) -> list[Mapping[str, Any]]:
    try:
        suite = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        raise MlciError(
            "suite.unreadable", f"'{name}' is not JSON: {error}", "write it with GX's own suite.save()"
        ) from error
    items = suite.get("expectations") if isinstance(suite, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise MlciError("suite.unreadable", f"'{name}' has no list of expectations", "a GX 1.x suite has one")
    # Before 1.0 the name of an expectation stood under another key.
    return [{**item, "type": item.get("type", item.get("expectation_type"))} for item in items]


def _contract(frame: pd.DataFrame, file: str, context: Context) -> list[Check]:
    """Check what the project description itself promises about a file."""
    data = context.data
    # A rule may speak of columns that only evaluation rows have; a plain column is one of all rows.
    sliced = [entry for entry in data.slices if isinstance(entry, str) or file == data.evaluate]
    usual = [*data.label_columns, data.query, data.key, data.weight, data.group]
    named = [*usual, *columns_of(sliced), *data.features]
    missing = [name for name in dict.fromkeys(named) if name and name not in frame.columns]
    if missing:
        raise MlciError(
            "data.missing-column",
            f"'{file}' has no column {', '.join(repr(name) for name in missing)}",
            f"it has: {', '.join(map(str, list(frame.columns)[:30]))}",
        )
    checks = [_present(file)]
    checks += [
        _counted(file, f"label {label} has a value", int(frame[label].isna().sum()), frame)
        for label in data.label_columns
    ]
    if data.key:
        bad = int(frame[data.key].isna().sum() + frame[data.key].dropna().duplicated().sum())
        checks.append(_counted(file, f"key {data.key} names one row each", bad, frame))
    return checks


def _present(file: str) -> Check:
    return Check(
        name=f"{file}: columns of the project", status=Status.PASSED, message="all named columns are there"
    )


def _counted(file: str, rule: str, bad: int, frame: pd.DataFrame) -> Check:
    share = bad / len(frame)
    return Check(
        name=f"{file}: {rule}",
        status=Status.FAILED if bad else Status.PASSED,
        message=f"{rule}: not in {bad:,} of {len(frame):,} rows ({share:.2%})" if bad else rule,
        observed={"rows": len(frame), "unexpected_count": bad},
    )


def _placed(check: Check, inputs: ValidateDataInputs, context: Context) -> Check:
    """Say which line of the configuration asked for a check."""
    if check.where or check.status is Status.PASSED:
        return check
    key = f"{NAME}.suite" if inputs.suite else f"{NAME}.expectations"
    return check.model_copy(update={"where": context.where(key)})


def _reason(checks: Sequence[Check], rows: Mapping[str, int]) -> str:
    bad = [check for check in checks if check.status not in (Status.PASSED, Status.SKIPPED)]
    lead = leading_check(list(checks))
    total = f"{len(checks)} checks on {', '.join(f'{name} ({count:,} rows)' for name, count in rows.items())}"
    if not bad or lead is None:
        return f"{total}: all passed"
    return f"{len(bad)} of {total} did not pass; first: {lead.message}"


stage = Stage(
    name=NAME,
    summary="Check the data against Great Expectations before anything is trained on it.",
    inputs=ValidateDataInputs,
    parts=parts,
    run=run,
)
