"""The verdict of a check, a stage and a run, and the exit code that says the same."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Status(StrEnum):
    """What became of a check, a stage or a whole run."""

    PASSED = "passed"
    WARNED = "warned"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERRORED = "errored"


class ExitCode(IntEnum):
    """The exit codes that scripts and CI systems may rely on."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    NOT_EVALUATED = 3
    SERVICE = 4
    WARNED = 10
    BUG = 70
    INTERRUPTED = 130


_SEVERITY = {
    Status.SKIPPED: 0,
    Status.PASSED: 1,
    Status.WARNED: 2,
    Status.INCONCLUSIVE: 3,
    Status.FAILED: 4,
    Status.ERRORED: 5,
}


def worst(statuses: Iterable[Status]) -> Status:
    """Return the most severe of `statuses`; `skipped` when there is none."""
    return max(statuses, key=_SEVERITY.__getitem__, default=Status.SKIPPED)


def severity(status: Status) -> int:
    """Return the rank of `status`: larger is worse."""
    return _SEVERITY[status]
