"""train: a model, its predictions on the evaluation rows, and a record of both."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from mlci.core.errors import MlciError
from mlci.core.inputs import Inputs
from mlci.core.ports import Trained, TrainRequest
from mlci.core.results import Artifact, Check, Metric, StageResult, status_of
from mlci.core.stage import Context, Stage
from mlci.core.status import Status
from mlci.core.versions import version_parts
from mlci.stages._lineage import lineage
from mlci.stages._repeats import kept_repeats, train_repeats
from mlci.stages._run_record import ENVIRONMENT, plain_parameter, run_record
from mlci.stages._tracking import open_tracker
from mlci.stores import git
from mlci.trainers import TRAINERS

if TYPE_CHECKING:
    import pandas as pd

NAME = "train"
WAYS = ("command", "estimator", "pipeline")


class TrainInputs(Inputs):
    """How a model is trained. Exactly one of command, estimator and pipeline is given."""

    command: str | None = Field(None, description="Shell command that trains: variables in, files out.")
    estimator: str | None = Field(
        None, description="Import path of a scikit-learn estimator; trained without any code of yours."
    )
    pipeline: str | None = Field(None, description="An existing dvc.yaml, reproduced by DVC.")
    params: dict[str, Any] = Field({}, description="Parameters of the estimator, or for the command.")
    cross_validation: int = Field(
        5, ge=0, description="Folds of an estimator's cross-validation; 0 switches it off."
    )
    seed: int = Field(17, ge=0, description="Seed of everything random.")
    repeats: int = Field(
        1, ge=1, le=100, description="Train with the seeds 0 to k − 1, to tell progress from luck; 0 is kept."
    )
    model: str | None = Field(None, description="Where the command or pipeline writes its model.")
    predictions: str | None = Field(
        None, description="Where it writes predictions on data.evaluate, if it does."
    )
    metrics: str | None = Field(None, description="Where it writes numbers as JSON, if it does.")
    code: list[str] = Field(
        [], description="Files and patterns the command depends on; default: all code in the project."
    )
    python: str | None = Field(None, description="Environment or interpreter that runs the command.")
    timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds after which training is stopped.",
        json_schema_extra={"affects-result": False},
    )
    trusted_types: list[str] = Field(
        [],
        description="Types in a model file that may be loaded, beside those of scikit-learn that are known.",
    )

    @model_validator(mode="after")
    def _at_most_one_way(self) -> Self:
        given = [way for way in WAYS if getattr(self, way)]
        if len(given) > 1:
            raise ValueError(f"only one of {', '.join(WAYS)} can be given (given: {', '.join(given)})")
        if self.repeats > 1 and (self.pipeline or "random_state" in self.params):
            fixed = "train.pipeline" if self.pipeline else "random_state in train.params"
            raise ValueError(f"repeats are trained with seeds of their own, which {fixed} does not take")
        return self


def way_of(inputs: TrainInputs) -> str:
    """Return which way of training is asked for; raises MlciError `config.no-trainer` when none is."""
    for way in WAYS:
        if getattr(inputs, way):
            return way
    raise MlciError(
        "config.no-trainer", "the train section names no way to train", f"set one of {', '.join(WAYS)}"
    )


def check(inputs: TrainInputs) -> None:
    """Refuse a section that names no way to train."""
    way_of(inputs)


def parts(inputs: TrainInputs, context: Context) -> dict[str, str]:
    """Return the digests of the data, of the code that the way of training runs, and versions."""
    way = way_of(inputs)
    found = TRAINERS.get(way).parts(_request(inputs, context))
    for key, name in {"data.train": context.data.train, "data.evaluate": context.data.evaluate}.items():
        if name and way != "pipeline":  # a pipeline makes these files itself
            found[name] = context.digests.of(context.existing(name, key))
    local_estimator = way == "estimator" and _is_local(inputs.estimator or "", context.root)
    if way == "command" or local_estimator or inputs.code:
        for path in git.code_files(context.root, inputs.code):
            found[path.relative_to(context.root).as_posix()] = context.digests.of(path)
    return {**found, **version_parts("scikit-learn", "numpy", "pandas", "skops")}


def run(inputs: TrainInputs, context: Context) -> StageResult:
    """Train, bring predictions into the common form, record the run."""
    from mlci.predictions import evaluation_rows

    way = way_of(inputs)
    tracker = open_tracker(context)
    with context.step(
        "check the tracking store and the evaluation rows"
    ):  # before hours of training, not after
        tracker.check()
        rows = None if way == "pipeline" else evaluation_rows(context.data, context.root, context.where)
    if inputs.repeats > 1 and rows is not None:
        known = rows
        train_repeats(
            inputs,
            context,
            lambda seeded, inside: TRAINERS.get(way).train(_request(seeded, inside)),
            lambda seeded, inside, model: _predictions(seeded, inside, model, known),
        )
        inputs = inputs.model_copy(update={"seed": 0})
    with context.step(f"train by {way}"):
        trained = TRAINERS.get(way).train(_request(inputs, context))
    with context.step("predict the evaluation rows"):
        # A pipeline makes the evaluation rows itself.
        rows = evaluation_rows(context.data, context.root, context.where) if rows is None else rows
        table = _predictions(inputs, context, trained, rows)
    predictions = context.work / "predictions.parquet"
    table.to_parquet(predictions, index=False)
    metrics = _metrics(table, context)
    artifacts = _artifacts(context, trained, predictions)
    with context.step("record the run"):
        run_id = tracker.record(run_record(context, trained, metrics, predictions, way))
    checks = [*trained.checks, *_model_check(trained)]
    return StageResult(
        stage=NAME,
        status=status_of(checks),
        reason=_reason(inputs, way, metrics, len(table)),
        checks=checks,
        metrics=metrics,
        artifacts=artifacts,
        outputs={"run-id": run_id},
        details={
            "way": way,
            "run_id": run_id,
            "repeats": inputs.repeats,
            **({"run_url": page} if (page := tracker.run_page(run_id)) else {}),
            "params": {key: plain_parameter(value) for key, value in trained.params.items()},
            "logged": dict(trained.metrics),
            "lineage": lineage(context),
            **trained.details,
        },
    )


def _request(inputs: TrainInputs, context: Context) -> TrainRequest:
    from mlci.readers import read_table

    return TrainRequest(
        root=context.root,
        work=context.work,
        data=context.data,
        options=inputs,
        variables=context.variables,
        digests=context.digests,
        say=context.say,
        read=read_table,
    )


def _is_local(estimator: str, root: Path) -> bool:
    head = estimator.replace(":", ".").partition(".")[0]
    return (root / head).is_dir() or (root / f"{head}.py").is_file()


def _predictions(inputs: TrainInputs, context: Context, trained: Trained, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions that were written, or those of the model where none were."""
    from mlci import predictions
    from mlci.readers import read_table
    from mlci.scoring import score_in_fresh_process

    if trained.predictions is not None:
        table = predictions.read_predictions(trained.predictions, "candidate", context.data)
    elif trained.model is not None:
        out = context.work / "files" / "scored.parquet"
        out.parent.mkdir(exist_ok=True)
        score_in_fresh_process(
            trained.model,
            context.path(context.data.evaluate or ""),
            out,
            drop=roles(context),
            trusted=inputs.trusted_types,
            root=context.root,
        )
        table = read_table(out)
        if context.data.key:
            table[context.data.key] = rows[context.data.key].to_numpy()
    else:
        raise MlciError(
            "train.no-model",
            "training ended well but left neither a model nor predictions",
            "write a model into the folder that MLCI_MODEL_DIR names, or set train.model",
        )
    return predictions.align(table, rows, context.data, "candidate")


def roles(context: Context) -> list[str]:
    """Return the columns that are never features."""
    data = context.data
    return [
        name
        for name in (*data.label_columns, data.key, data.query, data.weight, data.group, *data.ignore)
        if name
    ]


def _metrics(table: pd.DataFrame, context: Context) -> list[Metric]:
    """Return the usual metrics of this kind of task on the evaluation rows."""
    from mlci.predictions import metric_value, scores_of, usual_metrics
    from mlci.stats.metrics import metric_kind

    scores = scores_of(table, context.data)
    return [
        Metric(
            name=name, value=metric_value(name, scores), direction=metric_kind(name).direction, n=len(table)
        )
        for name in usual_metrics(scores)
    ]


def _artifacts(context: Context, trained: Trained, predictions: Path) -> list[Artifact]:
    artifacts = [context.keep(NAME, predictions, "predictions")]
    if trained.model is not None:
        artifacts.append(context.keep(NAME, trained.model, "model"))
    artifacts += [context.keep(NAME, log, "log") for log in trained.logs]
    if trained.environment:
        (context.work / ENVIRONMENT).write_text("\n".join(trained.environment) + "\n", "utf-8")
        artifacts.append(context.keep(NAME, context.work / ENVIRONMENT, "environment"))
    artifacts += kept_repeats(context, NAME)
    shutil.rmtree(context.work / "files", ignore_errors=True)  # what was handed to the program
    return artifacts


def _model_check(trained: Trained) -> list[Check]:
    if trained.model is not None:
        return []
    return [
        Check(
            name="model",
            status=Status.WARNED,
            message="predictions were written but no model: there is nothing to package",
        )
    ]


def _reason(inputs: TrainInputs, way: str, metrics: list[Metric], rows: int) -> str:
    numbers = ", ".join(
        f"{metric.name} {metric.value:.4g}" for metric in metrics[:3] if metric.value is not None
    )
    return f"trained by {getattr(inputs, way)}: {numbers} on {rows:,} evaluation rows"


stage = Stage(
    name=NAME,
    summary="Train a model and record what it was made of.",
    inputs=TrainInputs,
    parts=parts,
    run=run,
    after=("validate-data",),
    sections=("data", "tracking"),
    check=check,
)
