"""A baseline in git: the model that an earlier commit trains, judged on today's evaluation rows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import yaml
from pydantic import ValidationError

from mlci.core.errors import MlciError, first_line
from mlci.core.files import sha256_text
from mlci.core.ports import Baseline, BaselineRequest
from mlci.core.results import StageResult
from mlci.core.slice_rules import columns_of
from mlci.process import python_module, run_quiet
from mlci.readers import read_table
from mlci.same_training import training_digest
from mlci.stores import dvc, git

_PREFIX = "git:"
_FILE = "mlci.yaml"
_JUDGED_ON = "judged-on.parquet"


class GitBaseline:
    """Trains at the commit in a worktree of its own, once for each commit and evaluation set.

    Data that the commit does not hold come from DVC where the commit describes them, else from
    today's checkout; DVC's cache is shared, so that what it knows is not made again.
    """

    def claims(self, text: str) -> bool:
        """Return whether the text is git:REF."""
        return text.startswith(_PREFIX) and len(text) > len(_PREFIX)

    def identity(self, request: BaselineRequest) -> str:
        """Return the commit."""
        return git.resolve(request.root, request.text.removeprefix(_PREFIX))

    def fetch(self, request: BaselineRequest) -> Baseline | None:
        """Return predictions and model of the commit; None when it has no mlci.yaml yet.

        Raises MlciError `baseline.missing` for an unknown reference and
        `baseline.not-comparable` when the commit does not train.
        """
        commit = self.identity(request)
        evaluation = self._evaluation(request)
        sliced = " ".join(columns_of(request.data.slices))  # their columns are kept beside the model
        kept = request.cache / "baselines" / sha256_text(f"{commit} {evaluation} {sliced}")[:24]
        if _result_in(kept) is None:
            with git.worktree(request.root, commit, request.work / "worktree") as checkout:
                if not (checkout / _FILE).exists():
                    return None
                request.say(f"train the baseline at {commit[:7]}")
                _prepare(request, checkout)
                _train(request, checkout, request.work / "out")
                _keep_slices(request, checkout, request.work / "out" / _JUDGED_ON)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(kept, ignore_errors=True)
            shutil.move(request.work / "out", kept)
        return _read(request, kept, commit)

    def _evaluation(self, request: BaselineRequest) -> str:
        path = request.root / (request.data.evaluate or "")
        return request.digests.of(path) if path.is_file() else ""


def _prepare(request: BaselineRequest, checkout: Path) -> None:
    """Put data into the checkout that git does not hold."""
    dvc.share_cache(request.root, checkout, request.variables)
    if _has_pipeline(checkout):
        return  # the pipeline of that commit makes its own
    for name in (request.data.train, request.data.evaluate):
        if not name or (checkout / name).exists() or dvc.bring(checkout, name, request.variables):
            continue
        today = request.root / name
        if today.exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            # A copy: a program of that commit may write to the file.
            (shutil.copytree if today.is_dir() else shutil.copy2)(today, checkout / name)


def _has_pipeline(checkout: Path) -> bool:
    try:
        content = yaml.safe_load((checkout / _FILE).read_text("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError):
        return False
    train = content.get("train") if isinstance(content, dict) else None
    return isinstance(train, dict) and "pipeline" in train


def _train(request: BaselineRequest, checkout: Path, out: Path) -> None:
    """Run `mlci train` there, on today's evaluation rows."""
    variables = {name: text for name, text in request.variables.items() if not name.startswith("MLCI_")}
    if (evaluate := _todays_rows(request, checkout)) is not None:
        variables["MLCI_DATA_EVALUATE"] = os.fspath(evaluate)
    store = request.cache.parent / "mlflow" / "mlflow.db"
    if store.is_file():  # the project's own store knows of the run, and making another takes seconds
        variables.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{store.as_posix()}")
    done = run_quiet(
        python_module("mlci", "train", "--config", os.fspath(checkout), "--out", os.fspath(out)),
        cwd=checkout,
        env=variables,
    )
    if done.returncode == 0:
        return
    result = _result_in(out)
    if result is not None and result.error is not None:
        cause = f"error[{result.error.code}]: {result.error.message}"
    else:
        cause = first_line(ValueError(done.stderr or done.stdout))
    raise MlciError(
        "baseline.not-comparable",
        f"the baseline {request.text} does not train: {cause}",
        "name a commit that works, or a models:/ alias",
    )


def _todays_rows(request: BaselineRequest, checkout: Path) -> Path | None:
    """Return today's evaluation file where the checkout does not hold the very same rows."""
    if not request.data.evaluate:
        return None
    today, there = request.root / request.data.evaluate, checkout / request.data.evaluate
    if not today.is_file() or (there.is_file() and request.digests.of(there) == request.digests.of(today)):
        return None
    return today.resolve()


def _keep_slices(request: BaselineRequest, checkout: Path, kept: Path) -> None:
    """Keep the slice columns of the rows that the commit itself is judged on, where they are others than today's."""
    if _todays_rows(request, checkout) is None:
        return
    there = checkout / (request.data.evaluate or "")
    if not there.is_file():
        return
    table = read_table(there)
    columns = [name for name in columns_of(request.data.slices) if name in table.columns]
    if columns:
        table[columns].to_parquet(kept, index=False)


def _result_in(folder: Path) -> StageResult | None:
    """Return the result of a training; None when there is none that can be read."""
    try:
        return StageResult.model_validate_json((folder / "train.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _read(request: BaselineRequest, kept: Path, commit: str) -> Baseline:
    result = StageResult.model_validate_json((kept / "train.json").read_bytes())
    found = {artifact.role: artifact for artifact in result.artifacts}
    model = found.get("model")
    lineage = result.details.get("lineage", {})
    predictions = found.get("predictions")
    return Baseline(
        label=f"{request.text} → {commit[:7]}",
        predictions=kept / predictions.path if predictions else None,
        evaluation_digest=lineage.get("mlci.data.evaluate.sha256"),
        model=(lambda: kept / model.path) if model else None,
        model_digest=model.sha256 if model else None,
        judged_on=kept / _JUDGED_ON if (kept / _JUDGED_ON).is_file() else None,
        details={"commit": commit, "training": training_digest(result.fingerprint)},
    )


source = GitBaseline()
