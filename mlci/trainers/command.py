"""Trains by a shell command: environment variables in, files out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mlci.core.errors import MlciError
from mlci.core.files import files_below
from mlci.core.ports import Trained, TrainRequest
from mlci.process import run_streamed
from mlci.trainers._outputs import keep_model, read_metrics
from mlci.trainers._program import environment, installed_packages, refuse_failure

_NOT_WRITTEN = {
    "model": ("train.no-model", "write the model there, or into the folder that MLCI_MODEL_DIR names"),
    "predictions": (
        "predictions.unreadable",
        "write them there, or leave train.predictions out and the model is asked",
    ),
    "metrics": ("train.command-failed", "write one JSON object of numbers there, or leave train.metrics out"),
}


class CommandTrainer:
    """Runs the user's own program in the user's own environment.

    The program finds MLCI_DATA_TRAIN, MLCI_DATA_EVALUATE (absolute paths), MLCI_DATA_LABEL,
    MLCI_DATA_LABELS (one a line), MLCI_DATA_QUERY, MLCI_DATA_KEY, MLCI_SEED and MLCI_PARAMS_FILE (JSON),
    and writes a model into MLCI_MODEL_DIR; predictions on the evaluation rows into
    MLCI_PREDICTIONS_FILE (Parquet) and numbers into MLCI_METRICS_FILE (JSON) are optional. Programs
    that write to places of their own are told apart by train.model, train.predictions and train.metrics.
    """

    def parts(self, request: TrainRequest) -> dict[str, str]:  # noqa: ARG002 - the port's signature
        """Return nothing of its own: the code is digested by the stage."""
        return {}

    def train(self, request: TrainRequest) -> Trained:
        """Run the command and collect what it wrote.

        Raises MlciError `train.command-failed`, `train.timeout`, `train.no-model` or
        `predictions.unreadable`.
        """
        options = request.options
        files = request.work / "files"
        (files / "model").mkdir(parents=True)
        (files / "params.json").write_text(json.dumps(options.params), "utf-8")
        before = {name: _state(request.root / name) for name in _own_places(request).values()}
        log = request.work / "command.log"
        done = run_streamed(
            options.command,
            cwd=request.root,
            env={**request.variables, **environment(request), **_handed_over(request, files)},
            log=log,
            echo=request.say,
            timeout=options.timeout,
        )
        refuse_failure(done, f"`{options.command}`", options.timeout)
        _refuse_stale(request, before)
        return _collect(request, files, log)


def _handed_over(request: TrainRequest, files: Path) -> dict[str, str]:
    data = request.data
    values = {
        "MLCI_DATA_TRAIN": str(request.root / data.train) if data.train else "",
        "MLCI_DATA_EVALUATE": str(request.root / data.evaluate) if data.evaluate else "",
        "MLCI_DATA_LABEL": data.label or "",
        "MLCI_DATA_LABELS": "\n".join(data.labels),
        "MLCI_DATA_QUERY": data.query or "",
        "MLCI_DATA_KEY": data.key or "",
        "MLCI_SEED": str(request.options.seed),
        "MLCI_PARAMS_FILE": str(files / "params.json"),
        "MLCI_MODEL_DIR": str(files / "model"),
        "MLCI_PREDICTIONS_FILE": str(files / "predictions.parquet"),
        "MLCI_METRICS_FILE": str(files / "metrics.json"),
    }
    return {"PYTHONHASHSEED": str(request.options.seed), "PYTHONUNBUFFERED": "1", **values}


def _own_places(request: TrainRequest) -> dict[str, str]:
    """Return the places of its own that the program writes to, by the key that names each."""
    options = request.options
    named = {"model": options.model, "predictions": options.predictions, "metrics": options.metrics}
    return {key: name for key, name in named.items() if name}


def _state(path: Path) -> list[tuple[int, int, int]]:
    """Return what changes when a file, or a file in a folder, is written again; empty where there is none."""
    members = files_below(path) if path.is_dir() else [path] if path.exists() else []
    found = [member.stat() for member in members]
    return [(state.st_mtime_ns, state.st_ctime_ns, state.st_ino) for state in found]


def _refuse_stale(request: TrainRequest, before: Mapping[str, list[tuple[int, int, int]]]) -> None:
    """Raise MlciError for a file that was there before and was not written: it is of an earlier training."""
    for key, name in _own_places(request).items():
        if _state(request.root / name) in ([], before[name]):
            code, way_out = _NOT_WRITTEN[key]
            raise MlciError(
                code,
                f"`{request.options.command}` ended well but did not write '{name}' (train.{key})",
                way_out,
            )


def _collect(request: TrainRequest, files: Path, log: Path) -> Trained:
    options = request.options
    model: Path | None = files / "model"
    if options.model:
        model = request.root / options.model
    elif not any((files / "model").iterdir()):
        model = None
    predictions = request.root / options.predictions if options.predictions else files / "predictions.parquet"
    metrics = request.root / options.metrics if options.metrics else files / "metrics.json"
    return Trained(
        model=keep_model(model, request.work) if model is not None else None,
        predictions=predictions if predictions.exists() else None,
        metrics=read_metrics(metrics) if metrics.exists() else {},
        params=options.params,
        details={"command": options.command},
        logs=[log],
        environment=installed_packages(request),
    )


trainer = CommandTrainer()
