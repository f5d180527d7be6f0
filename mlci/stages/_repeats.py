"""Training with several seeds: what is kept of each repeat, and what a comparison learns from them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.core.inputs import DataInputs
from mlci.core.ports import Trained
from mlci.core.results import Artifact
from mlci.core.stage import Context
from mlci.stats.names import named_columns

if TYPE_CHECKING:
    import pandas as pd

    from mlci.stages.train import TrainInputs
    from mlci.stats.slices import Column

FOLDER = "repeats"


def train_repeats(
    inputs: TrainInputs,
    context: Context,
    train: Callable[[TrainInputs, Context], Trained],
    predict: Callable[[TrainInputs, Context, Trained], pd.DataFrame],
) -> None:
    """Train with the seeds 1 to k − 1 and keep what each model says about the evaluation rows.

    The candidate, with seed 0, is trained after them, so that a program that writes to places of its
    own leaves the candidate there.
    """
    kept = context.work / FOLDER
    started = time.monotonic()
    for seed in range(inputs.repeats - 1, 0, -1):
        work = context.work / f"repeat-{seed}"
        work.mkdir()
        inside = replace(context, work=work)
        done = inputs.repeats - 1 - seed
        left = (time.monotonic() - started) / done * (seed + 1) if done else None
        told = f", about {left:.0f} s to go" if left is not None else ""
        with context.step(f"train with seed {seed}: {done + 1} of {inputs.repeats}{told}"):
            seeded = inputs.model_copy(update={"seed": seed, "cross_validation": 0})
            table = predict(seeded, inside, train(seeded, inside))
        kept.mkdir(exist_ok=True)
        table.to_parquet(kept / f"seed-{seed}.parquet", index=False)
        shutil.rmtree(work)


def kept_repeats(context: Context, stage: str) -> list[Artifact]:
    """Return the records of the repeats' predictions, in the order of their seeds."""
    files = sorted((context.work / FOLDER).glob("seed-*.parquet"), key=_seed)
    return [context.keep(stage, path, "data") for path in files]


def is_repeat(artifact: Artifact) -> bool:
    """Return whether an artifact of a training is what one of its repeats predicts."""
    return artifact.path.startswith(f"train/{FOLDER}/")


def repeats_of(context: Context, rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the predictions of a training's repeats on the evaluation rows; none without repeats."""
    from mlci import predictions

    paths = [context.out / found.path for found in context.result("train").artifacts if is_repeat(found)]
    return [
        predictions.answers(path, rows, context.data, f"repeat with seed {_seed(path)}")
        for path in sorted(paths, key=_seed)
    ]


def values_over_seeds(
    metrics: list[str], tables: list[pd.DataFrame], data: DataInputs, slices: Sequence[Column]
) -> Mapping[tuple[str, str | None], list[float]]:
    """Return each metric's value for every seed, the candidate's first, on all rows and on each slice."""
    from mlci.predictions import known_classes, scores_of
    from mlci.stats.seeds import seed_values

    if len(tables) < 2:
        return {}
    classes = known_classes(tables, data)
    extra = named_columns(metrics)
    return seed_values(metrics, [scores_of(table, data, classes, extra) for table in tables], slices)


def _seed(path: Path) -> int:
    return int(path.stem.removeprefix("seed-"))
