"""Every error code, its exit code and what it means: the source of `mlci explain` and the reference page."""

from __future__ import annotations

from typing import NamedTuple

from mlci.core.status import ExitCode

_USAGE = ExitCode.USAGE
_NOT_EVALUATED = ExitCode.NOT_EVALUATED
_SERVICE = ExitCode.SERVICE


class ErrorCode(NamedTuple):
    """What an error code means and the exit code it leads to."""

    exit_code: ExitCode
    meaning: str


ERROR_CODES: dict[str, ErrorCode] = {
    # configuration and options
    "config.missing": ErrorCode(_USAGE, "There is no mlci.yaml in this folder or above it."),
    "config.unreadable": ErrorCode(_USAGE, "mlci.yaml is not valid YAML, or not a mapping of sections."),
    "config.unknown-key": ErrorCode(_USAGE, "A key of mlci.yaml, an option or a variable is not known."),
    "config.invalid": ErrorCode(_USAGE, "A value has the wrong type or is out of range."),
    "config.no-gates": ErrorCode(_USAGE, "A comparison without a gate cannot give a verdict."),
    "config.no-trainer": ErrorCode(_USAGE, "The train section names none, or several, of the ways to train."),
    "config.exists": ErrorCode(_USAGE, "A file that would be written exists already."),
    "usage": ErrorCode(_USAGE, "The command line is not understood."),
    # data
    "data.missing": ErrorCode(_NOT_EVALUATED, "A data file that the configuration names does not exist."),
    "data.empty": ErrorCode(_NOT_EVALUATED, "A data file has no rows."),
    "data.unreadable": ErrorCode(
        _NOT_EVALUATED, "A data file is damaged or not in the format its name says."
    ),
    "data.unknown-format": ErrorCode(_USAGE, "No reader is known for a file with this ending."),
    "data.missing-column": ErrorCode(
        _NOT_EVALUATED, "A column that the configuration names is not in the data."
    ),
    "data.bad-label": ErrorCode(
        _NOT_EVALUATED, "The label column cannot be used: empty values or a single class."
    ),
    "data.bad-key": ErrorCode(_NOT_EVALUATED, "The key column has empty or repeated values."),
    "data.bad-time": ErrorCode(
        _NOT_EVALUATED,
        "The time column cannot be used: no times, or numbers in one file and dates in another.",
    ),
    "data.bad-weight": ErrorCode(
        _NOT_EVALUATED, "The weight column cannot be used: empty, infinite or negative values, or only zeros."
    ),
    "suite.unreadable": ErrorCode(
        _USAGE, "The expectation suite is missing, not JSON, or holds an unknown expectation."
    ),
    # training
    "train.command-failed": ErrorCode(_NOT_EVALUATED, "The training command ended with an error."),
    "train.timeout": ErrorCode(
        _NOT_EVALUATED, "The training command ran longer than its timeout and was stopped."
    ),
    "train.no-model": ErrorCode(_NOT_EVALUATED, "The training command ended well but left no model."),
    "train.bad-estimator": ErrorCode(_USAGE, "The estimator cannot be imported or refuses its parameters."),
    "train.fit-failed": ErrorCode(_NOT_EVALUATED, "The estimator raised an error while it was fitted."),
    "predictions.unreadable": ErrorCode(_NOT_EVALUATED, "A predictions file is damaged or lacks a column."),
    "predictions.not-finite": ErrorCode(_NOT_EVALUATED, "Predictions are missing, NaN or infinite."),
    "predictions.out-of-range": ErrorCode(_NOT_EVALUATED, "Probabilities lie outside 0 … 1."),
    "predictions.unpaired": ErrorCode(
        _NOT_EVALUATED, "Candidate, baseline and evaluation data do not hold the same rows."
    ),
    "model.unreadable": ErrorCode(
        _NOT_EVALUATED, "A model file is damaged, or cannot be loaded in this environment."
    ),
    "model.untrusted": ErrorCode(
        _NOT_EVALUATED, "A model holds types that are not on the list of trusted ones."
    ),
    # comparison
    "baseline.missing": ErrorCode(_NOT_EVALUATED, "The baseline that the policy names does not exist."),
    "baseline.not-comparable": ErrorCode(
        _NOT_EVALUATED, "The baseline cannot be scored on today's evaluation rows."
    ),
    "baseline.environment": ErrorCode(
        _NOT_EVALUATED, "The environment that the baseline's model needs cannot be built."
    ),
    "metric.failed": ErrorCode(
        _NOT_EVALUATED, "A metric of the project raises, returns no number, or is not deterministic."
    ),
    # stages
    "stage.not-run": ErrorCode(
        _NOT_EVALUATED, "A stage needs the result of an earlier one that has not run or did not pass."
    ),
    "deploy.refused": ErrorCode(
        _NOT_EVALUATED, "The model may not be deployed: its verdict is missing, stale or unclear."
    ),
    "deploy.smoke-test": ErrorCode(
        ExitCode.FAILED, "The new version answered wrongly or not at all; the old one stays."
    ),
    "git.failed": ErrorCode(_NOT_EVALUATED, "git refused: no repository, or an unknown reference."),
    "dvc.failed": ErrorCode(_NOT_EVALUATED, "DVC ended with an error."),
    "dvc.missing": ErrorCode(_NOT_EVALUATED, "The project needs a DVC repository and has none."),
    "package.missing": ErrorCode(_NOT_EVALUATED, "A Python package that this stage needs is not installed."),
    # servers, stores, machine
    "tracker.unreachable": ErrorCode(
        _SERVICE, "The tracking server does not answer, or answers with an error."
    ),
    "tracker.refused": ErrorCode(
        _NOT_EVALUATED, "The tracking server understood the request and refused it."
    ),
    "target.failed": ErrorCode(_SERVICE, "The deployment target did not start or did not answer."),
    "disk.full": ErrorCode(
        _SERVICE, "There is no room left on the disk, or a limit on file size was reached."
    ),
    "files.denied": ErrorCode(_SERVICE, "A file or folder may not be read or written."),
    "run.locked": ErrorCode(_SERVICE, "Another mlci run is at work in this checkout."),
    "report.unreadable": ErrorCode(
        _NOT_EVALUATED, "A result file is missing, damaged, or of another schema version."
    ),
    "interrupted": ErrorCode(ExitCode.INTERRUPTED, "The run was interrupted; nothing half-written was kept."),
    "bug": ErrorCode(ExitCode.BUG, "A mistake in mlci itself; please report it with the text shown."),
}
