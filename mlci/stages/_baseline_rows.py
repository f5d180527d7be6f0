"""The baseline's predictions on today's evaluation rows: the recorded ones, or its model's, asked again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlci.core.errors import MlciError
from mlci.core.files import sha256_text
from mlci.core.ports import Baseline
from mlci.core.results import Artifact
from mlci.core.stage import Context
from mlci.same_training import same_answers, training_digest
from mlci.stages.train import roles

if TYPE_CHECKING:
    import pandas as pd

    from mlci.stages.compare_to_baseline import CompareInputs

ANSWERS = "baseline.parquet"


def keep_answers(context: Context, reference: pd.DataFrame, stage: str) -> Artifact:
    """Keep what the baseline says to today's rows, in their order, so that a verdict can be explained."""
    answers = [name for name in reference.columns if str(name).startswith(("prediction", "probability"))]
    key = [context.data.key] if context.data.key else []
    path = context.work / ANSWERS
    reference[[*key, *(name for name in answers if name not in key)]].to_parquet(path, index=False)
    return context.keep(stage, path, "predictions")


def candidate_file(context: Context) -> Path:
    """Return the file with what the last training predicts; raises MlciError `stage.not-run` without one."""
    path = context.artifact("train", "predictions")
    if path is None or not path.exists():
        raise MlciError("stage.not-run", "the train stage left no predictions", "run `mlci train` again")
    return path


def digest_of_model(context: Context) -> str | None:
    models = [artifact.sha256 for artifact in context.result("train").artifacts if artifact.role == "model"]
    return models[0] if models else None


def same_model(
    context: Context, baseline: Baseline, candidate: pd.DataFrame, reference: pd.DataFrame
) -> bool:
    """Return whether both are one model: the same file, or the same training with the same answers.

    Many formats write other bytes each time (skops, pickles with sets), so a file that differs proves
    nothing; equal answers on these rows alone prove nothing either.
    """
    digest = digest_of_model(context)
    if digest is not None and digest == baseline.model_digest:
        return True
    training = training_digest(context.result("train").fingerprint)
    return (
        training is not None
        and training == baseline.details.get("training")
        and same_answers(candidate, reference)
    )


def baseline_table(inputs: CompareInputs, context: Context, baseline: Baseline) -> pd.DataFrame:
    """Return the baseline's predictions on today's rows: the recorded ones, or the model's, asked again."""
    from mlci.predictions import read_predictions

    today = context.digests.of(context.existing(context.data.evaluate or "", "data.evaluate"))
    recorded = baseline.predictions is not None and baseline.evaluation_digest in (today, None)
    if baseline.predictions is not None and recorded:
        if baseline.evaluation_digest is None and not context.data.key:
            raise MlciError(
                "baseline.not-comparable",
                f"nobody knows which rows the predictions of '{baseline.label}' belong to",
                "set data.key, so that rows can be matched",
            )
        return read_predictions(baseline.predictions, "baseline", context.data)
    if baseline.model is None:
        raise MlciError(
            "baseline.not-comparable",
            f"'{baseline.label}' was judged on another evaluation set and has no model to ask again",
            "compare with a models:/ alias, or make its predictions on today's data.evaluate",
        )
    return _scored_again(inputs, context, baseline, baseline.model(), today)


def _scored_again(
    inputs: CompareInputs, context: Context, baseline: Baseline, folder: Path, today: str
) -> pd.DataFrame:
    from mlci.elsewhere import Asked, score_where_it_loads
    from mlci.readers import read_table

    # The columns that are no features are part of the name: a model that names none is given the others.
    name = sha256_text("\n".join([context.digests.of(folder), today, *roles(context)]))
    kept = context.cache / "scored" / f"{name[:32]}.parquet"
    if not kept.exists():
        context.say(f"{baseline.label} was judged on another evaluation set: score it again on today's")
        kept.parent.mkdir(parents=True, exist_ok=True)
        asked = Asked(
            model=folder,
            data=context.path(context.data.evaluate or ""),
            out=kept,
            drop=roles(context),
            trusted=inputs.trusted_types,
            root=context.root,
            cache=context.cache,
            variables=context.variables,
            say=context.say,
        )
        score_where_it_loads(asked, inputs.environment)
    table = read_table(kept)
    if context.data.key:
        keys = read_table(context.path(context.data.evaluate or ""), [context.data.key])[context.data.key]
        table[context.data.key] = keys.to_numpy()
    return table
