"""What the findings on leakage mean: a check each, with the share of the evaluation rows."""

from __future__ import annotations

from typing import Literal, NamedTuple

from mlci.core.inputs import DataInputs
from mlci.core.results import Check
from mlci.core.status import Status
from mlci.guards.findings import Findings

_NO_TRAINING_ROW = "no evaluation row is a training row"


class LeakageLimits(NamedTuple):
    """What is done about leakage: `allowed` is the share of evaluation rows from which on it counts."""

    action: Literal["fail", "warn"]
    allowed: float


def leakage_checks(found: Findings, data: DataInputs, rows: int, limits: LeakageLimits) -> list[Check]:
    """Return a check for each guard; `rows` is the number of evaluation rows.

    Keys and times warn above 0 and do `action` above the allowed share; equal rows do where they prove more
    than that share, beyond the share of training rows that repeat one another. Groups only warn: the same
    customers later may be just what is to be judged. Repeated evaluation rows warn above that share.
    """
    if found.skipped is not None:
        message = f"not looked for: {found.skipped}"
        return [Check(name="leakage", status=Status.SKIPPED, message=message)]
    judge = _Judge(rows, limits)
    checks = []
    if found.rows is not None:
        checks += _on_rows(found, judge)
    else:
        message = "rows were not compared: the files have no features and label in common that can be"
        checks.append(Check(name=_NO_TRAINING_ROW, status=Status.SKIPPED, message=message))
    if found.keys is not None:
        checks.append(_on_keys(found, str(data.key), judge))
    if found.groups is not None:
        count, values = found.groups.rows, found.groups.values
        checks.append(
            Check(
                name="no group is in both files",
                status=Status.WARNED if count else Status.PASSED,
                message=f"{judge.share(count)} belong to {values:,} groups ('{data.group}') that were trained on",
                observed={"rows": count, "groups": values},
            )
        )
    if found.time is not None:
        checks.append(_on_time(found, str(data.time), judge))
    return checks


class _Judge(NamedTuple):
    rows: int
    limits: LeakageLimits

    def share(self, count: int) -> str:
        """Return how many rows these are, as a person says it."""
        if not count:
            return f"none of {self.rows:,} evaluation rows"
        return f"{count:,} of {self.rows:,} evaluation rows ({_percent(count / self.rows)})"

    def status(self, count: int) -> Status:
        """Return what so many leaking rows do."""
        if count > self.limits.allowed * self.rows and self.limits.action == "fail":
            return Status.FAILED
        return Status.WARNED if count else Status.PASSED

    def status_of_equal(self, count: int, usual: float) -> Status:
        """Return what so many rows do that are equal to training rows, where a share `usual` is no leak.

        They fail when so many would be seen in fewer than one of twenty samples of rows with the share
        that is allowed (Clopper & Pearson 1934): one row of seventy-five is no proof of one in a hundred.
        """
        from mlci.stats.exact import smallest_share

        if count <= usual * self.rows:
            return Status.PASSED
        proven = smallest_share(count, self.rows, 0.05) > self.limits.allowed + usual
        return Status.FAILED if proven and self.limits.action == "fail" else Status.WARNED

    @property
    def limit(self) -> str:
        """The limit as a person reads it."""
        return f"≤ {100 * self.limits.allowed:g} % of rows"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _on_rows(found: Findings, judge: _Judge) -> list[Check]:
    with_label, other_label, repeated, usual = found.rows or (0, 0, 0, 0.0)
    message = f"{judge.share(with_label)} are training rows too, by {found.features} features and label"
    if other_label:
        message += f"; {other_label:,} more are, but with another label"
    if with_label and usual:
        message += f"; {_percent(usual)} of the training rows repeat one another"
    many = repeated > judge.limits.allowed * judge.rows
    return [
        Check(
            name=_NO_TRAINING_ROW,
            status=judge.status_of_equal(with_label, usual),
            message=message,
            limit=judge.limit,
            observed={"rows": with_label, "rows with another label": other_label},
        ),
        Check(
            name="no evaluation row is repeated",
            status=Status.WARNED if many else Status.PASSED,
            message=f"{judge.share(repeated)} repeat an earlier one, by {found.features} features and label",
            limit=judge.limit,
            observed={"rows": repeated},
        ),
    ]


def _on_keys(found: Findings, key: str, judge: _Judge) -> Check:
    count = found.keys.rows if found.keys else 0
    status, note = judge.status(count), ""
    if count and found.keys is not None and found.keys.numbering:
        status, note = Status.WARNED, "; both files number their rows, so this need not mean anything"
    return Check(
        name="no key is in both files",
        status=status,
        message=f"{judge.share(count)} have a key ('{key}') that training rows have too{note}",
        limit=judge.limit,
        observed={"rows": count},
    )


def _on_time(found: Findings, column: str, judge: _Judge) -> Check:
    older, unknown, newest, oldest = found.time or (0, 0, "", "")
    message = f"{judge.share(older)} are older than the newest training row ({newest}), by '{column}'"
    if unknown:
        message += f"; {unknown:,} have no time"
    return Check(
        name="no evaluation row is older than a training row",
        status=judge.status(older),
        message=message,
        limit=judge.limit,
        observed={"rows": older, "rows without a time": unknown, "oldest": oldest},
        expected=newest,
    )
