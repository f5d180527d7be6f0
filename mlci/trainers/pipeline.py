"""Trains by `dvc repro`: DVC decides what is out of date, and its cache does the skipping."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from mlci.core.errors import MlciError
from mlci.core.ports import Trained, TrainRequest
from mlci.process import Completed, python_module, run_quiet, run_streamed
from mlci.trainers._outputs import keep_model, read_metrics
from mlci.trainers._program import environment, installed_packages, refuse_failure

_LAST_LINES = 10


class PipelineTrainer:
    """Reproduces an existing dvc.yaml without asking anything of its code."""

    def parts(self, request: TrainRequest) -> dict[str, str]:
        """Return the digests of the pipeline file and of all that its stages depend on."""
        file = request.root / request.options.pipeline
        if not file.exists():
            raise MlciError("dvc.missing", f"'{request.options.pipeline}' (train.pipeline) does not exist")
        found = {request.options.pipeline: request.digests.of(file)}
        lock = file.with_suffix(".lock")
        if not lock.exists():
            return {**found, "pipeline": "never reproduced here"}
        for path in _outside_dependencies(_load(lock), _load(file), file.parent):
            name = os.path.relpath(path, request.root)
            found[name] = request.digests.of(path) if path.exists() else "missing"
        # `dvc checkout` and `git pull` may bring other outputs although no dependency has changed.
        outputs = [lock, *([request.root / request.options.model] if request.options.model else [])]
        for path in outputs:
            name = f"state {os.path.relpath(path, request.root)}"
            found[name] = request.digests.of(path) if path.exists() else "missing"
        return found

    def train(self, request: TrainRequest) -> Trained:
        """Run `dvc repro` and collect the model, predictions and metrics that the pipeline names.

        Raises MlciError `dvc.failed`, `dvc.missing`, `train.timeout` or `train.no-model`.
        """
        options = request.options
        variables = {**request.variables, **environment(request), "DVC_NO_ANALYTICS": "1"}
        log = request.work / "dvc.log"
        done = run_streamed(
            python_module("dvc", "repro", *_pull(request, variables), options.pipeline),
            cwd=request.root,
            env=variables,
            log=log,
            echo=request.say,
            timeout=options.timeout,
        )
        _refuse_dvc_failure(done, request)
        refuse_failure(done, "`dvc repro`", options.timeout)
        model = request.root / options.model if options.model else None
        if model is None or not model.exists():
            raise MlciError(
                "train.no-model",
                f"the pipeline left no model at '{options.model}'" if model else "train.model is not set",
                "name the pipeline's output that is the model as train.model",
            )
        predictions = request.root / options.predictions if options.predictions else None
        metrics = request.root / options.metrics if options.metrics else None
        return Trained(
            model=keep_model(model, request.work),
            predictions=predictions if predictions is not None and predictions.exists() else None,
            metrics=read_metrics(metrics) if metrics is not None and metrics.exists() else {},
            params=options.params or _params(request.root / options.pipeline),
            details={"pipeline": options.pipeline},
            logs=[log],
            environment=installed_packages(request),
        )


def _pull(request: TrainRequest, variables: dict[str, str]) -> list[str]:
    """Return the option that fetches missing data, where there is a remote to fetch it from."""
    remotes = run_quiet(python_module("dvc", "remote", "list"), cwd=request.root, env=variables)
    return ["--pull"] if remotes.returncode == 0 and remotes.stdout.strip() else []


def _refuse_dvc_failure(done: Completed, request: TrainRequest) -> None:
    """Raise MlciError when it was DVC itself that could not go on, and not a program that it ran."""
    if done.returncode == 0 or done.timed_out or "failed to run:" in done.stdout:
        return
    if "not inside of a DVC repository" in done.stdout:
        raise MlciError(
            "dvc.missing", f"'{request.root.name}' is not in a DVC repository", "run `dvc init` and commit"
        )
    if "is not a git repository" in done.stdout:
        raise MlciError(
            "dvc.missing",
            f"'{request.root.name}' is a DVC repository outside of any git repository",
            "run `git init` and commit, or `dvc config core.no_scm true` to use DVC without git",
        )
    lines = "\n".join(f"  | {line}" for line in done.stdout.splitlines()[-_LAST_LINES:])
    raise MlciError(
        "dvc.failed",
        f"`dvc repro` ended with exit code {done.returncode}\n{lines or '  | ' + done.stderr}".rstrip(),
        "its whole output is in mlci-out/train.log; `dvc doctor` and `dvc repro -v` say more",
    )


def _outside_dependencies(lock: Any, pipeline: Any, folder: Path) -> list[Path]:
    """Return the files that a pipeline reads and does not make, parameter files included."""
    read: set[Path] = set()
    made: set[Path] = set()
    for name, stage in (lock.get("stages") or {}).items():
        place = folder / _working_folder(pipeline, name)
        read |= {_at(place, item["path"]) for item in stage.get("deps", []) if "://" not in item["path"]}
        read |= {_at(place, file) for file in stage.get("params", {})}
        made |= {_at(place, item["path"]) for item in stage.get("outs", [])}
    return sorted(path for path in read if not made & {path, *path.parents})


def _working_folder(pipeline: Any, name: str) -> str:
    """Return the folder that a stage's paths are relative to; dvc.lock does not repeat it."""
    stage = (pipeline.get("stages") or {}).get(name.partition("@")[0]) or {}
    return str((stage.get("do") or stage).get("wdir") or ".")


def _at(folder: Path, name: str) -> Path:
    return Path(os.path.normpath(folder / name))


def _params(file: Path) -> dict[str, Any]:
    """Return the parameters that the pipeline was last reproduced with, as dvc.lock records them."""
    lock = file.with_suffix(".lock")
    stages = _load(lock).get("stages") or {} if lock.exists() else {}
    merged: dict[str, Any] = {}
    for stage in stages.values():
        for values in stage.get("params", {}).values():
            merged |= values
    return merged


def _load(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text("utf-8")) or {}
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise MlciError("dvc.failed", f"'{file.name}' is not valid YAML: {error}") from error


trainer = PipelineTrainer()
