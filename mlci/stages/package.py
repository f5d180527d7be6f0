"""package: the model in a form that anybody can load, proven to say what the trained one said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mlci.core.errors import MlciError
from mlci.core.files import files_below, write_atomic
from mlci.core.inputs import Inputs
from mlci.core.results import Check, StageResult, status_of
from mlci.core.stage import Context, Stage
from mlci.core.status import Status
from mlci.core.versions import version_parts
from mlci.guards import TAG as USES
from mlci.same_training import TAG, training_digest
from mlci.stages._lineage import environment_versions, lineage
from mlci.stages._tracking import open_tracker
from mlci.stages.train import roles

if TYPE_CHECKING:
    import pandas as pd

    from mlci.packaging import Packaged

NAME = "package"
COMPARE = "compare-to-baseline"
EXAMPLE_ROWS = 5


class PackageInputs(Inputs):
    """How the model is packaged and under which name it is registered."""

    name: str | None = Field(None, description="Name in the model registry; default: the project's name.")
    format: Literal["skops", "cloudpickle"] = Field(
        "skops",
        description="How the model is written; skops holds no code, cloudpickle runs code when it is loaded.",
    )
    trusted_types: list[str] = Field(
        [], description="Types in the model that may be loaded, beside those of scikit-learn that are known."
    )
    requirements: str | None = Field(
        None,
        description="Requirements file that goes into the package; default: the installed versions, pinned.",
    )
    tolerance: float = Field(
        1e-6, ge=0, description="Largest difference of a number between packaged and trained model."
    )


def parts(inputs: PackageInputs, context: Context) -> dict[str, str]:
    """Return the digests of the trained model and of its predictions, and the versions that package it."""
    found = {
        artifact.path: artifact.sha256
        for artifact in context.result("train").artifacts
        if artifact.role != "log"
    }
    if inputs.requirements:
        found[inputs.requirements] = context.digests.of(
            context.existing(inputs.requirements, "package.requirements")
        )
    return {**found, **version_parts("mlflow", "skops", "scikit-learn")}


def run(inputs: PackageInputs, context: Context) -> StageResult:
    """Package, load again in a fresh process, compare with the trained predictions, register."""
    from mlci.packaging import package_model
    from mlci.readers import read_table
    from mlci.scoring import score_in_fresh_process

    trained = context.result("train")
    model = context.artifact("train", "model")
    if model is None:
        raise MlciError("stage.not-run", "the train stage left no model to package", "see train.model")
    _refuse_failed(context, context.digests.of(model))
    tracker = open_tracker(context)
    tracker.check()
    name = inputs.name or context.project
    evaluate = context.existing(context.data.evaluate or "", "data.evaluate")
    facts = {
        **lineage(context),
        "mlci.train.model.sha256": context.digests.of(model),
        TAG: training_digest(trained.fingerprint) or "unknown",
    }
    folder = context.work / "model"
    with context.step(f"write the model as {inputs.format}"):
        packaged = package_model(
            model,
            read_table(evaluate).head(200),
            None,
            folder,
            trusted=inputs.trusted_types,
            serialization=inputs.format,
            requirements=_requirements(inputs, context),
            metadata=facts,
        )
        _write_lineage(folder, facts, trained)
    scored = context.work / "scored.parquet"
    with context.step("load it in a fresh process and predict the evaluation rows"):
        score_in_fresh_process(
            folder, evaluate, scored, drop=roles(context), trusted=inputs.trusted_types, root=context.root
        )
    check = _same_predictions(inputs, context, read_table(scored))
    checks = [check, *_notes(packaged)]
    digest = context.digests.of(folder)
    _write_example(context, packaged, evaluate, scored)
    outputs = {"name": name, "model-sha256": digest}
    if check.status is Status.PASSED:
        with context.step(f"register '{name}'"):
            version = tracker.register(
                name,
                folder,
                str(trained.details["run_id"]),
                {**facts, **_uses(context, facts["mlci.train.model.sha256"]), "mlci.model.sha256": digest},
            ).version
        outputs |= {"version": version, "model-uri": f"models:/{name}/{version}"}
    scored.unlink()
    return StageResult(
        stage=NAME,
        status=status_of(checks),
        reason=_reason(check, packaged, outputs),
        checks=checks,
        artifacts=[context.keep(NAME, folder, "model"), context.keep(NAME, context.work / "example.parquet", "data"),
                   context.keep(NAME, context.work / "expected.parquet", "predictions")],
        outputs=outputs,
        details={
            "format": packaged.format,
            "requirements": packaged.requirements,
            "signature": packaged.signature,
            "train_model": facts["mlci.train.model.sha256"],
            "files": {item.relative_to(folder).as_posix(): context.digests.of(item) for item in files_below(folder)},
        },
    )  # fmt: skip


def _refuse_failed(context: Context, model: str) -> None:
    """Raise MlciError `stage.not-run` for a model that a gate has refused: it must not reach a registry."""
    compared = context.results.get(COMPARE) if COMPARE in context.configured else None
    if (
        compared is not None
        and compared.status is Status.FAILED
        and compared.details.get("candidate_model") == model
    ):
        raise MlciError(
            "stage.not-run",
            f"{COMPARE} refused this model: {compared.reason}",
            "train a better one, or change the gate that it fails",
        )


def _uses(context: Context, model: str) -> dict[str, str]:
    """Return the tag that says how many candidates the evaluation set has decided on; none without a verdict."""
    compared = context.results.get(COMPARE)
    if compared is None or compared.details.get("candidate_model") != model:
        return {}
    uses = compared.details.get("evaluation", {}).get("uses")
    return {USES: str(uses)} if uses else {}


def _requirements(inputs: PackageInputs, context: Context) -> list[str] | None:
    if inputs.requirements is None:
        return None
    path = context.existing(inputs.requirements, "package.requirements")
    lines = [line.split(" #")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def _write_lineage(folder: Path, facts: dict[str, str], trained: StageResult) -> None:
    record: dict[str, Any] = {
        "lineage": facts,
        "params": trained.details.get("params", {}),
        "metrics": {metric.name: metric.value for metric in trained.metrics},
        "packages": environment_versions(),
        "run_id": trained.details.get("run_id"),
    }
    write_atomic(folder / "mlci-lineage.json", json.dumps(record, indent=2, sort_keys=True) + "\n")


def _write_example(context: Context, packaged: Packaged, evaluate: Path, scored: Path) -> None:
    """Keep a few rows and what the packaged model says to them, for the smoke test of a deployment."""
    from mlci.readers import read_table

    rows = read_table(evaluate).head(EXAMPLE_ROWS)
    # A group or an ignored column may be a feature all the same: the model's own list comes first.
    named = [str(item.get("name")) for item in packaged.signature.get("inputs", [])]
    features = [name for name in named if name in rows.columns]
    rows = rows[features or [name for name in rows.columns if name not in roles(context)]]
    rows.to_parquet(context.work / "example.parquet", index=False)
    read_table(scored).head(EXAMPLE_ROWS).to_parquet(context.work / "expected.parquet", index=False)


def _same_predictions(inputs: PackageInputs, context: Context, scored: pd.DataFrame) -> Check:
    """Compare the packaged model's answers with those that were judged."""
    from mlci.readers import read_table

    path = context.artifact("train", "predictions")
    if path is None:
        raise MlciError("stage.not-run", "the train stage left no predictions", "run `mlci train` again")
    trained = read_table(path)
    name = "the packaged model says what the trained one said"
    if len(trained) != len(scored):
        message = f"it predicts {len(scored):,} rows, the trained model predicted {len(trained):,}"
        return Check(name=name, status=Status.FAILED, message=message)
    columns = [column for column in scored.columns if column in trained.columns]
    differing = {column: _differing(trained[column], scored[column], inputs.tolerance) for column in columns}
    worst, rows = max(differing.items(), key=lambda item: item[1])
    if rows:
        message = (
            f"its '{worst}' differs from the trained model's in {rows:,} of {len(scored):,} rows; the model file"
            " and the predictions do not belong together, or something outside the model prepares the rows"
        )
        return Check(name=name, status=Status.FAILED, message=message, observed={"rows": rows})
    return Check(
        name=name,
        status=Status.PASSED,
        message=f"loaded in a fresh process, it repeats all {len(scored):,} predictions ({', '.join(columns)})",
        observed={"rows": 0},
    )


def _differing(left: pd.Series, right: pd.Series, tolerance: float) -> int:
    import numpy as np
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    numbers = all(is_numeric_dtype(item) and not is_bool_dtype(item) for item in (left, right))
    if numbers:
        same = np.isclose(
            left.to_numpy(dtype=float), right.to_numpy(dtype=float), rtol=tolerance, atol=tolerance
        )
        return int((~same).sum())
    return int((left.astype(str).to_numpy() != right.astype(str).to_numpy()).sum())


def _notes(packaged: Packaged) -> list[Check]:
    return [
        Check(name=f"package note {number + 1}", status=Status.WARNED, message=note)
        for number, note in enumerate(packaged.notes)
    ]


def _reason(check: Check, packaged: Packaged, outputs: dict[str, str]) -> str:
    if check.status is Status.FAILED:
        return check.message
    return f"packaged as {packaged.format} and registered as {outputs['model-uri']}: {check.message}"


stage = Stage(
    name=NAME,
    summary="Package the model safely, prove that it loads elsewhere, and register it.",
    inputs=PackageInputs,
    parts=parts,
    run=run,
    after=("train", "compare-to-baseline"),
    sections=("data", "tracking"),
)
