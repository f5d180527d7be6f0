"""What an adapter must offer: one protocol for each axis along which mlci can be extended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mlci.core.files import Digests
from mlci.core.inputs import DataInputs
from mlci.core.results import Check, Report

Say = Callable[[str], None]


class Reader(Protocol):
    """Reads data files of one format."""

    suffixes: Sequence[str]

    def read(self, path: Path, columns: Sequence[str] | None = None) -> Any:
        """Return a file as a pandas DataFrame; raises MlciError `data.unreadable` or `data.empty`.

        With `columns`, which the file has, only these are loaded, in this order.
        """

    def columns(self, path: Path) -> list[str]:
        """Return the names of the columns without reading the rows."""


class Validator(Protocol):
    """Checks a data frame against expectations."""

    def validate(
        self, frame: Any, expectations: Sequence[Mapping[str, Any]], *, file: str, show_values: bool
    ) -> list[Check]:
        """Return one check for each expectation."""


@dataclass(frozen=True)
class TrainRequest:
    """What a trainer is asked to do. `options` is the stage's inputs; paths are absolute."""

    root: Path
    work: Path
    data: DataInputs
    options: Any
    variables: Mapping[str, str]
    digests: Digests
    say: Say
    read: Callable[[Path], Any]


@dataclass(frozen=True)
class Trained:
    """What a trainer left behind. Paths are absolute; None where there is no such thing.

    `environment` has a line for the interpreter and one for each installed package (name==version).
    """

    model: Path | None
    predictions: Path | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    checks: Sequence[Check] = ()
    logs: Sequence[Path] = ()
    environment: Sequence[str] = ()


class Trainer(Protocol):
    """One way to get a model: a command, a DVC pipeline, an estimator."""

    def parts(self, request: TrainRequest) -> dict[str, str]:
        """Return what the model depends on beyond data and configuration (code, pipeline files)."""

    def train(self, request: TrainRequest) -> Trained:
        """Train, and return what came of it."""


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model. `tags` are the registry's own."""

    name: str
    version: str
    run_id: str | None
    tags: Mapping[str, str]
    aliases: Sequence[str] = ()


@dataclass(frozen=True)
class RunRecord:
    """What is recorded about one training run."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    artifacts: Sequence[tuple[Path, str]] = ()
    datasets: Sequence[tuple[str, str, str]] = ()


class Tracker(Protocol):
    """Records runs and model versions."""

    def check(self) -> None:
        """Raise MlciError `tracker.unreachable` when the store cannot be used."""

    def record(self, run: RunRecord) -> str:
        """Record a finished run and return its id."""

    def run_page(self, run_id: str) -> str | None:
        """Return the address where people see a run that was recorded; None where it is not known."""

    def register(self, name: str, model: Path, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a model folder as it is and return its new version."""

    def peek(self, uri: str) -> object:
        """Return the version that a model URI names, as text, or None for none; cheap, no heavy import.

        Anything else means that it cannot be known this way, and `find` must be asked.
        """

    def find(self, uri: str) -> ModelVersion | None:
        """Return the version that `models:/name@alias` or `models:/name/3` names; None without one."""

    def find_by_tag(self, name: str, tag: str, value: str) -> ModelVersion | None:
        """Return the newest version of `name` with this tag value; None without one."""

    def fetch_model(self, version: ModelVersion, folder: Path) -> Path:
        """Copy a version's model to `folder` and return where its MLmodel file is."""

    def fetch_artifact(self, run_id: str, name: str, folder: Path) -> Path | None:
        """Copy one artifact of a run to `folder`; None when the run has none of this name."""

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let `alias` name `version`."""

    def tag_version(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags on a version."""


class Model(Protocol):
    """A loaded model."""

    classes: Sequence[Any] | None

    def predict(self, frame: Any) -> Any:
        """Return one prediction for each row, as a NumPy array."""

    def predict_proba(self, frame: Any) -> Any | None:
        """Return probabilities, rows × classes, as a NumPy array; None where the model has none."""


class Flavor(Protocol):
    """Loads models of one file format."""

    def recognises(self, path: Path) -> bool:
        """Return whether `path` is a model of this format."""

    def load(self, path: Path, trusted: Sequence[str]) -> Model:
        """Load a model; raises MlciError `model.unreadable` or `model.untrusted`."""


@dataclass(frozen=True)
class Release:
    """A model version that a target is asked to put into service.

    `model` is its folder on this machine and `digest` that folder's; `example` holds some rows
    (Parquet) and `expected` what the model says to them. `state` is the folder for local state.
    """

    name: str
    version: str
    model: Path
    digest: str
    example: Path
    expected: Path
    root: Path
    state: Path
    work: Path
    options: Any
    variables: Mapping[str, str]
    digests: Digests
    say: Say


@dataclass(frozen=True)
class Deployment:
    """What a target did, or would do in a dry run. `previous` is the version served before, if any."""

    change: str
    previous: str | None
    changed: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)


class Target(Protocol):
    """Receives a deployment."""

    def state(self, name: str, options: Any, folder: Path, tracker: Tracker) -> str:
        """Return what is deployed right now, as a short text. Cheap, no side effect."""

    def plan(self, release: Release, tracker: Tracker) -> Deployment:
        """Return what `deploy` would do. Touches nothing."""

    def deploy(self, release: Release, tracker: Tracker) -> Deployment:
        """Put the release into service, or leave the old version in place.

        Raises MlciError `deploy.smoke-test` when the new version answers wrongly or not at all.
        """

    def stop(self, name: str, options: Any, folder: Path) -> str:
        """Take out of service what this target started; returns a sentence about it."""


class Reporter(Protocol):
    """Turns a report into text of one format. Pure: the same report gives the same text."""

    file: str | None

    def render(self, report: Report) -> str:
        """Return the whole report in this format."""


@dataclass(frozen=True)
class BaselineRequest:
    """What a baseline source is asked for. `text` is the baseline as it stands in mlci.yaml.

    `open_tracker` gives the project's tracker; `work` is a folder that is thrown away afterwards.
    """

    text: str
    root: Path
    cache: Path
    work: Path
    data: DataInputs
    open_tracker: Callable[[], Tracker]
    variables: Mapping[str, str]
    digests: Digests
    say: Say


@dataclass(frozen=True)
class Baseline:
    """The model to compare with.

    `evaluation_digest` is the SHA-256 of the evaluation file that `predictions` were made on; None
    when nobody recorded it. `model` fetches the model, for scoring it again; None when there is none.
    `judged_on` is a table with the slice columns of the rows that it was judged on in its own time, where
    `predictions` are not on those rows.
    """

    label: str
    predictions: Path | None
    evaluation_digest: str | None = None
    model: Callable[[], Path] | None = None
    model_digest: str | None = None
    judged_on: Path | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class BaselineSource(Protocol):
    """One place that a baseline can come from."""

    def claims(self, text: str) -> bool:
        """Return whether `text` names a baseline of this kind."""

    def identity(self, request: BaselineRequest) -> str:
        """Return what the baseline is right now. Cheap; a text that never repeats where it is unknown."""

    def fetch(self, request: BaselineRequest) -> Baseline | None:
        """Return the baseline; None when there is none yet (a first run)."""
