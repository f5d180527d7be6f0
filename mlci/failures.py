"""Says what went wrong in mlci's own words, and without secrets: a full disk, an interruption, a bug."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlci.core import interruption
from mlci.core.errors import MlciError, first_line
from mlci.core.results import ErrorRecord, Metric, StageResult
from mlci.process import redact

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Libraries and child processes hand a full disk on as text only.
_FULL_TEXTS = ("No space left on device", "Disk quota exceeded", "database or disk is full")
_IN_THE_WAY = (FileExistsError, NotADirectoryError, IsADirectoryError)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)

_FREE_TEXT = ("name", "message", "note", "observed", "expected", "slice", "limit")
"""What in a check may come from data or from a program; the rest is mlci's own."""
_DIGEST = re.compile(r"[0-9a-f]{32,128}")


def understood(error: BaseException) -> MlciError:
    """Return an exception as an error with a code; what is not understood is a bug."""
    if was_interrupted(error):
        return MlciError(
            "interrupted", "interrupted", "run it again: stages that were finished are not repeated"
        )
    full = next((item for item in _chain(error) if _is_full(item)), None)
    if full is not None:
        return _disk_full(error, full)
    if isinstance(error, MlciError):
        return error
    if isinstance(error, _IN_THE_WAY):
        return MlciError(
            "files.denied",
            f"'{error.filename}' is in the way: {(error.strerror or 'it is of another kind').lower()}",
            "move it away, or choose another output folder with --out",
        )
    if isinstance(error, OSError) and error.errno in _DENIED:
        return MlciError(
            "files.denied", f"'{error.filename}' may not be read or written", "check its owner and mode"
        )
    return MlciError(
        "bug", f"{type(error).__name__}: {error}", "please report this with the text in .mlci/bug.txt"
    )


def was_interrupted(error: BaseException) -> bool:
    """Return whether an exception is an interruption, or what an interrupted import made of one."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return True
    return interruption.asked.is_set() and isinstance(error, ImportError | SystemError)


def error_record(error: MlciError, variables: Mapping[str, str]) -> ErrorRecord:
    """Return an error as it stands in a result file, without secrets."""
    return ErrorRecord(
        code=error.code,
        message=redact(error.message, variables),
        hint=redact(error.hint, variables),
        exit_code=int(error.exit_code),
    )


def without_secrets(result: StageResult, variables: Mapping[str, str]) -> StageResult:
    """Return a result that holds no secret in what may come from data, parameters or a program."""

    def clean(value: Any) -> Any:
        return cleaned(value, variables)

    checks = [
        check.model_copy(
            update={
                **{name: clean(getattr(check, name)) for name in _FREE_TEXT},
                "metric": check.metric and _sliced(check.metric, variables),
            }
        )
        for check in result.checks
    ]
    return result.model_copy(
        update={
            "reason": clean(result.reason),
            "checks": checks,
            "metrics": [_sliced(metric, variables) for metric in result.metrics],
            "outputs": clean(result.outputs),
            "details": clean(result.details),
        }
    )


def cleaned(value: Any, variables: Mapping[str, str]) -> Any:
    """Return a value of JSON without the secrets of the environment; digests stay as they are."""
    if isinstance(value, str):
        return value if _DIGEST.fullmatch(value) else redact(value, variables)
    if isinstance(value, Mapping):
        return {cleaned(key, variables): cleaned(item, variables) for key, item in value.items()}
    return [cleaned(item, variables) for item in value] if isinstance(value, list | tuple) else value


def _sliced(metric: Metric, variables: Mapping[str, str]) -> Metric:
    """Return a metric whose slice, which is named by a value of the data, holds no secret."""
    return metric.model_copy(update={"slice": metric.slice and redact(metric.slice, variables)})


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from."""
    seen: list[BaseException] = []
    item: BaseException | None = error
    while item is not None and item not in seen:
        seen.append(item)
        yield item
        item = item.__cause__ or item.__context__


def _is_full(error: BaseException) -> bool:
    by_number = isinstance(error, OSError) and error.errno in _FULL
    return by_number or any(text in str(error) for text in _FULL_TEXTS)


def _disk_full(error: BaseException, full: BaseException) -> MlciError:
    name = getattr(full, "filename", None)
    what = f"for '{name}'" if name else f"on the disk ({first_line(full)})"
    said = f"\n{error.message}" if isinstance(error, MlciError) else ""
    return MlciError("disk.full", f"there was no room left {what}{said}", "free some space and run again")
