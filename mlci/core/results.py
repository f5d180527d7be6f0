"""What a stage found: checks, metrics, artifacts; and the report that holds the stages of one run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mlci.core.status import ExitCode, Status, severity, worst

SCHEMA_VERSION = "1.1"
"""Version of the JSON that mlci writes. A new major number means that readers must change."""


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, so that what is written and read again is equal to it.

    NaN and infinities become None, tuples and sets become lists, numbers of NumPy plain ones.
    """
    if isinstance(value, BaseModel | bool | int) or value is None:
        return value
    if isinstance(value, str):  # bytes that are no UTF-8 in a file name reach Python as lone surrogates
        return value if value.isascii() else _encodable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_encodable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return plain(value.item()) if callable(getattr(value, "item", None)) else _encodable(str(value))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


class Word(BaseModel):
    """A frozen record; unknown fields are refused, so that a reader never guesses."""

    # Built when first used: a help page needs none of them.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return plain(value)


class Interval(Word):
    """A two-sided confidence interval, in the unit of the value it surrounds."""

    low: float
    high: float
    confidence: float = Field(description="Nominal coverage, between 0 and 1.")
    method: str
    monte_carlo_error: float | None = Field(
        default=None,
        description="Standard error that chance in resampling leaves in a bound; absent for a closed form.",
    )


class Metric(Word):
    """One number about a model, with its uncertainty and what it was compared with.

    `delta` and `interval` are candidate minus baseline in the metric's own unit and sign;
    `direction` says which way is better.
    """

    name: str
    value: float | None
    direction: Literal["higher", "lower"]
    n: int = Field(description="Rows that the value rests on.")
    slice: str | None = None
    unit: str | None = None
    baseline: float | None = None
    delta: float | None = None
    interval: Interval | None = None


class Check(Word):
    """One verdict, with the sentence that a person reads and the facts behind it."""

    name: str = Field(description="Stable: holds no measured value, so that runs can be compared.")
    status: Status
    message: str
    word: str | None = Field(
        None, description="The verdict in words: not worse, better, worse, unclear, identical."
    )
    note: str | None = Field(
        None, description="What somebody wrote beside the rule, such as why it is there."
    )
    observed: Any = None
    expected: Any = None
    limit: str | None = Field(None, description="The limit as a person reads it, such as '≥ −0.005'.")
    slice: str | None = None
    metric: Metric | None = None
    p_value: float | None = Field(None, description="Adjusted for the number of checks tested together.")
    where: str | None = Field(None, description="File and line that set the rule, such as mlci.yaml:14.")
    url: str | None = None


class Artifact(Word):
    """A file or folder that a stage left behind; `path` is relative to the output folder."""

    path: str
    sha256: str
    size: int = Field(description="Bytes.")
    role: Literal["model", "data", "predictions", "report", "log", "environment"]


class Step(Word):
    """How long a part of a stage took."""

    name: str
    seconds: float


class ErrorRecord(Word):
    """An error as it stands in a result file."""

    code: str
    message: str
    hint: str = ""
    exit_code: ExitCode


class StageResult(Word):
    """What one stage found in one run."""

    schema_version: str = SCHEMA_VERSION
    stage: str
    status: Status
    reason: str = Field(description="One sentence: the verdict and why.")
    checks: list[Check] = []
    metrics: list[Metric] = []
    artifacts: list[Artifact] = []
    outputs: dict[str, str] = Field({}, description="Short values for later jobs; never free text.")
    details: dict[str, Any] = Field({}, description="Facts that belong to this stage only.")
    steps: list[Step] = []
    started: str = Field("", description="UTC, ISO 8601.")
    seconds: float = 0.0
    fingerprint: dict[str, str] = Field(
        {}, description="What the result depends on, each part with its digest."
    )
    error: ErrorRecord | None = None
    cached: bool = Field(False, description="True when this run took the result over unchanged.")

    @model_validator(mode="after")
    def _error_blocks(self) -> Self:
        if self.error is not None and self.status not in _EXIT_CODES:
            raise ValueError(f"a stage with an error cannot be {self.status.value}")
        if self.error is not None and self.error.exit_code is ExitCode.PASSED:
            raise ValueError("an error cannot have the exit code of success")
        return self

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that says the same as `status`."""
        if self.error is not None:
            return self.error.exit_code
        return _EXIT_CODES.get(self.status, ExitCode.PASSED)


_EXIT_CODES = {Status.FAILED: ExitCode.FAILED, Status.ERRORED: ExitCode.NOT_EVALUATED}


class PolicyChange(Word):
    """One difference between the policy of a change under review and that of the commit it is based on."""

    key: str = Field(description="Dotted key of mlci.yaml, or path of a file that the policy names.")
    effect: Literal["weaker", "stronger", "changed"]
    message: str = Field(description="What it was and what it would be, such as 'no-worse-than 0.02 → 0.2'.")


class Policy(Word):
    """The rules that a run was judged by: gates, evaluation data, baseline, target."""

    source: Literal["base", "checkout"] = Field(
        description="Where the rules were read: base is the commit that a change under review is based on."
    )
    commit: str | None = Field(
        None, description="The base commit; None when there is none, or none is known."
    )
    digest: str = Field(
        description="SHA-256 of the rules, so that a reader can tell whether they are those of base."
    )
    changes: list[PolicyChange] = []
    note: str = Field("", description="Why the rules could not be read from the base commit.")


class Provenance(Word):
    """Which code, on which machine and with which versions a run was made."""

    config: str | None = Field(None, description="Path of mlci.yaml from the top of the repository.")
    commit: str | None = None
    dirty: bool | None = None
    ref: str | None = None
    run_url: str | None = None
    reason: str | None = Field(None, description="Why the run was started, when somebody said so.")
    python: str = ""
    platform: str = ""
    versions: dict[str, str] = {}
    data: dict[str, str] = Field({}, description="Digest of each data file, by path.")


class Report(Word):
    """The results of one run, in the order in which the stages stand in the pipeline."""

    schema_version: str = SCHEMA_VERSION
    id: str = Field(description="Names the comment that this report updates; the project by default.")
    project: str
    status: Status
    headline: str
    stages: list[StageResult]
    provenance: Provenance
    policy: Policy | None = None
    created: str = Field(description="UTC, ISO 8601.")
    tool: str

    @model_validator(mode="after")
    def _status_of_stages(self) -> Self:
        if self.status is not (found := worst(stage.status for stage in self.stages)):
            raise ValueError(f"status is {self.status.value}, but its stages add up to {found.value}")
        return self

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the run: that of the stage that `status` comes from."""
        lead = next((stage for stage in self.stages if stage.status is self.status), None)
        return ExitCode.PASSED if lead is None else lead.exit_code


def leading_check(checks: list[Check]) -> Check | None:
    """Return the check that explains the verdict best: the first of the most severe ones."""
    return max(checks, key=lambda check: severity(check.status), default=None)


def status_of(checks: list[Check]) -> Status:
    """Return the status that `checks` add up to; `passed` when nothing was checked."""
    return worst([Status.PASSED, *(check.status for check in checks)])
