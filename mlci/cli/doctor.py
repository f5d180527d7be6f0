"""mlci doctor: checks the environment and the configuration, and says what to do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from mlci.baselines import source_of
from mlci.cli import QUIET_TOOLS, options
from mlci.config import Config
from mlci.core.errors import MlciError
from mlci.core.inputs import DataInputs, TrackingInputs
from mlci.core.slice_rules import columns_of
from mlci.core.status import ExitCode, Status, worst
from mlci.core.versions import installed_version
from mlci.process import redact
from mlci.readers import read_columns
from mlci.stages.compare_to_baseline import CompareInputs
from mlci.stages.train import TrainInputs, way_of
from mlci.stats.names import named_columns
from mlci.stores import git
from mlci.trackers import open_tracker

_PACKAGES = ("dvc", "great-expectations", "mlflow", "scikit-learn", "skops", "typer", "rich")
_LITTLE_SPACE = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    status: Status
    what: str
    do: str = ""


def doctor(
    config: options.ConfigOption = None, set_: options.SetOption = None, debug: options.DebugOption = False
) -> None:
    """Check the environment and the configuration, and say what to do."""
    options.set_debug(debug)
    findings: list[Finding] = []
    for finding in _all(config, set_):
        findings.append(finding)
        _show(finding)
    status = worst(finding.status for finding in findings)
    bad = sum(finding.status is Status.FAILED for finding in findings)
    typer.echo("ready" if not bad else f"{bad} thing{'s' if bad > 1 else ''} to mend")
    raise typer.Exit(int(ExitCode.NOT_EVALUATED if status is Status.FAILED else ExitCode.PASSED))


def _show(finding: Finding) -> None:
    word = {Status.PASSED: "ok", Status.WARNED: "note", Status.FAILED: "BAD"}[finding.status]
    env = options.variables()
    typer.echo(f"{word:<5} {redact(finding.what, env)}")
    if finding.do:
        typer.echo(f"      → {redact(finding.do, env)}")


def _all(config: Path | None, overrides: list[str] | None) -> Iterator[Finding]:
    yield from _environment()
    try:
        loaded = options.read_config(config, overrides)
    except MlciError as error:
        yield Finding(Status.FAILED, str(error), error.hint)
        return
    yield Finding(Status.PASSED, f"{loaded.file.name} is valid: {', '.join(sorted(loaded.given))}")
    for check in (_repository, _data, _training, _tracking, _policy):
        yield from _guarded(check, loaded)


def _guarded(check: Callable[[Config], Iterator[Finding]], config: Config) -> Iterator[Finding]:
    """Run a check; what it raises is a finding too."""
    try:
        yield from check(config)
    except MlciError as error:
        yield Finding(Status.FAILED, str(error), error.hint)


def _environment() -> Iterator[Finding]:
    yield Finding(Status.PASSED, f"Python {sys.version.split()[0]}, {sys.platform}")
    for name in _PACKAGES:
        version = installed_version(name)
        if version is None:
            yield Finding(
                Status.FAILED, f"{name} is not installed", "install mlci again: it is one of its requirements"
            )
        else:
            yield Finding(Status.PASSED, f"{name} {version}")
    loud = [name for name, value in QUIET_TOOLS.items() if os.environ.get(name) != value]
    if loud:
        yield Finding(Status.WARNED, f"set by you to another value than mlci would: {', '.join(loud)}")
    else:
        yield Finding(Status.PASSED, "telemetry of MLflow, DVC and Great Expectations is off")


def _repository(config: Config) -> Iterator[Finding]:
    head = git.head(config.root)
    if head is None:
        yield Finding(
            Status.WARNED,
            "this is no git repository with a commit",
            "without one, no result can name its code",
        )
    else:
        dirty = ", with uncommitted changes" if head.dirty else ""
        yield Finding(Status.PASSED, f"git commit {head.commit[:7]}{dirty}")
    free = shutil.disk_usage(config.root).free
    if free < _LITTLE_SPACE:
        yield Finding(
            Status.WARNED, f"only {free / 1e9:.1f} GB of disk space are left", "free some before training"
        )


def _data(config: Config) -> Iterator[Finding]:
    data = config.section("data", DataInputs)
    gates = config.section("compare-to-baseline", CompareInputs).gates
    asked = {"data.evaluate": named_columns(gate.metric for gate in gates)}
    made_later = config.section("train", TrainInputs).pipeline is not None
    for key, name in {"data.train": data.train, "data.evaluate": data.evaluate}.items():
        if name is None:
            continue
        path = config.root / name
        if not path.exists():
            if made_later:
                yield Finding(
                    Status.WARNED, f"'{name}' ({key}) does not exist yet; the pipeline has to make it"
                )
            else:
                yield Finding(Status.FAILED, f"'{name}' ({key}) does not exist", "make it, or run `dvc pull`")
            continue
        columns = read_columns(path)
        sliced = [entry for entry in data.slices if isinstance(entry, str) or key == "data.evaluate"]
        usual = [*data.label_columns, data.query, data.key, data.weight, data.group, *columns_of(sliced)]
        named = dict.fromkeys([*usual, *asked.get(key, [])])
        missing = [column for column in named if column and column not in columns]
        if missing:
            yield Finding(
                Status.FAILED,
                f"'{name}' has no column {', '.join(missing)}",
                f"it has: {', '.join(columns[:20])}",
            )
        else:
            yield Finding(Status.PASSED, f"{name}: {len(columns)} columns, all named ones are there")


def _training(config: Config) -> Iterator[Finding]:
    if "train" not in config.given:
        return
    train = config.section("train", TrainInputs)
    way = way_of(train)
    yield Finding(Status.PASSED, f"training by {way}: {getattr(train, way)}")
    if way == "pipeline" and not any(
        (folder / ".dvc").is_dir() for folder in (config.root, *config.root.parents)
    ):
        yield Finding(
            Status.FAILED, "train.pipeline needs a DVC repository, and there is none", "run `dvc init`"
        )


def _tracking(config: Config) -> Iterator[Finding]:
    tracking = config.section("tracking", TrackingInputs)
    variables = options.variables()
    tracker = open_tracker(tracking.uri, tracking.experiment or config.project, config.root, variables)
    tracker.check()
    where = tracking.uri or variables.get("MLFLOW_TRACKING_URI")
    yield Finding(Status.PASSED, f"tracking store is usable: {where or 'SQLite and a folder in .mlci'}")


def _policy(config: Config) -> Iterator[Finding]:
    if "compare-to-baseline" not in config.given:
        yield Finding(Status.WARNED, "no compare-to-baseline section: any model would pass", "add gates")
        return
    compare = config.section("compare-to-baseline", CompareInputs)
    if not compare.gates:
        yield Finding(
            Status.FAILED,
            "compare-to-baseline has no gate",
            "add one, such as {metric: accuracy, no-worse-than: 0.01}",
        )
    source_of(compare.baseline or f"models:/{config.project}@champion")
    yield Finding(Status.PASSED, f"{len(compare.gates)} gates against {compare.baseline or 'the champion'}")
