"""Trains by a shell command: environment variables in, files out."""

from __future__ import annotations

import json
from pathlib import Path

from mlci.core.errors import MlciError
from mlci.core.ports import Trained, TrainRequest
from mlci.process import run_streamed
from mlci.trainers._outputs import keep_model, read_metrics
from mlci.trainers._program import environment, refuse_failure


class CommandTrainer:
    """Runs the user's own program in the user's own environment.

    The program finds MLCI_DATA_TRAIN, MLCI_DATA_EVALUATE (absolute paths), MLCI_DATA_LABEL,
    MLCI_DATA_KEY, MLCI_SEED and MLCI_PARAMS_FILE (JSON), and writes a model into MLCI_MODEL_DIR;
    predictions on the evaluation rows into MLCI_PREDICTIONS_FILE (Parquet) and numbers into
    MLCI_METRICS_FILE (JSON) are optional. Programs that write to places of their own are told
    apart by train.model, train.predictions and train.metrics.
    """

    def parts(self, request: TrainRequest) -> dict[str, str]:  # noqa: ARG002 - the port's signature
        """Return nothing of its own: the code is digested by the stage."""
        return {}

    def train(self, request: TrainRequest) -> Trained:
        """Run the command and collect what it wrote.

        Raises MlciError `train.command-failed`, `train.timeout` or `train.no-model`.
        """
        options = request.options
        files = request.work / "files"
        (files / "model").mkdir(parents=True)
        (files / "params.json").write_text(json.dumps(options.params), "utf-8")
        before = _written(request.root, options.model)
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
        return _collect(request, files, before, log)


def _handed_over(request: TrainRequest, files: Path) -> dict[str, str]:
    data = request.data
    values = {
        "MLCI_DATA_TRAIN": str(request.root / data.train) if data.train else "",
        "MLCI_DATA_EVALUATE": str(request.root / data.evaluate) if data.evaluate else "",
        "MLCI_DATA_LABEL": data.label or "",
        "MLCI_DATA_KEY": data.key or "",
        "MLCI_SEED": str(request.options.seed),
        "MLCI_PARAMS_FILE": str(files / "params.json"),
        "MLCI_MODEL_DIR": str(files / "model"),
        "MLCI_PREDICTIONS_FILE": str(files / "predictions.parquet"),
        "MLCI_METRICS_FILE": str(files / "metrics.json"),
    }
    return {"PYTHONHASHSEED": str(request.options.seed), "PYTHONUNBUFFERED": "1", **values}


def _written(root: Path, name: str | None) -> int | None:
    """Return when a file was last written; None where it does not exist."""
    return (root / name).stat().st_mtime_ns if name and (root / name).exists() else None


def _collect(request: TrainRequest, files: Path, before: int | None, log: Path) -> Trained:
    options = request.options
    model: Path | None = files / "model"
    if options.model:
        model = request.root / options.model
        if _written(request.root, options.model) in (None, before):
            raise MlciError(
                "train.no-model",
                f"`{options.command}` ended well but did not write '{options.model}' (train.model)",
                "write the model there, or into the folder that MLCI_MODEL_DIR names",
            )
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
    )


trainer = CommandTrainer()
