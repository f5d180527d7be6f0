"""A baseline in git: the model that an earlier commit trains, judged on today's evaluation rows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mlci.core.errors import MlciError, first_line
from mlci.core.files import sha256_text, write_atomic
from mlci.core.ports import Baseline, BaselineRequest
from mlci.core.results import StageResult
from mlci.process import python_module, run_quiet
from mlci.stores import git

_PREFIX = "git:"


class GitBaseline:
    """Trains at the commit in a worktree of its own, once for each commit and evaluation set.

    Data that the commit does not hold (files that git ignores) are taken from today's checkout;
    DVC's cache is shared, so that what it knows is not made again.
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
        kept = request.cache / "baselines" / sha256_text(f"{commit} {evaluation}")[:24]
        if not (kept / "train.json").exists():
            with git.worktree(request.root, commit, request.work / "worktree") as checkout:
                if not (checkout / "mlci.yaml").exists():
                    return None
                request.say(f"train the baseline at {commit[:7]}")
                _prepare(request, checkout)
                _train(request, checkout, request.work / "out")
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(kept, ignore_errors=True)
            shutil.move(request.work / "out", kept)
        return _read(request, kept, commit)

    def _evaluation(self, request: BaselineRequest) -> str:
        path = request.root / (request.data.evaluate or "")
        return request.digests.of(path) if path.is_file() else ""


def _prepare(request: BaselineRequest, checkout: Path) -> None:
    for name in (request.data.train, request.data.evaluate):
        if name and not (checkout / name).exists() and (request.root / name).exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).symlink_to((request.root / name).resolve())
    if (checkout / ".dvc").is_dir() and (request.root / ".dvc").is_dir():
        cache = request.root / ".dvc" / "cache"
        write_atomic(checkout / ".dvc" / "config.local", f"[cache]\n    dir = {cache.resolve()}\n")


def _train(request: BaselineRequest, checkout: Path, out: Path) -> None:
    """Run `mlci train` there, with today's evaluation rows where the way of training can take them."""
    variables = {name: text for name, text in request.variables.items() if not name.startswith("MLCI_")}
    evaluate = request.root / (request.data.evaluate or "")
    if evaluate.is_file():
        variables["MLCI_DATA_EVALUATE"] = os.fspath(evaluate.resolve())
    done = run_quiet(
        python_module("mlci", "train", "--config", os.fspath(checkout), "--out", os.fspath(out)),
        cwd=checkout,
        env=variables,
    )
    if done.returncode:
        raise MlciError(
            "baseline.not-comparable",
            f"the baseline {request.text} does not train: {first_line(ValueError(done.stdout or done.stderr))}",
            "name a commit that works, or a models:/ alias",
        )


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
        details={"commit": commit},
    )


source = GitBaseline()
