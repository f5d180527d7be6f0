"""What is recorded about a training run in the tracking store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlci.core.ports import RunRecord, Trained
from mlci.core.results import Metric
from mlci.core.stage import Context
from mlci.stages._lineage import environment_versions, lineage

ENVIRONMENT = "environment.txt"


def run_record(
    context: Context, trained: Trained, metrics: list[Metric], predictions: Path, way: str
) -> RunRecord:
    """Return parameters, metrics, tags, files and data sets of a training."""
    facts = lineage(context)
    numbers = {metric.name: metric.value for metric in metrics if metric.value is not None}
    versions = {f"mlci.package.{name}": version for name, version in environment_versions().items()}
    datasets = [
        (facts[f"mlci.data.{role}"], facts[f"mlci.data.{role}.sha256"], context_name)
        for role, context_name in {"train": "training", "evaluate": "evaluation"}.items()
        if f"mlci.data.{role}" in facts
    ]
    return RunRecord(
        name=f"{context.project} {facts.get('mlci.git.commit', '')[:7]}".strip(),
        params={key: plain_parameter(value) for key, value in trained.params.items()},
        metrics={**{f"evaluation.{name}": number for name, number in numbers.items()}, **trained.metrics},
        tags={**facts, **versions, "mlci.way": way},
        artifacts=[
            (predictions, "predictions"),
            *((log, "logs") for log in trained.logs),
            *([(context.work / ENVIRONMENT, "")] if trained.environment else []),
        ],
        datasets=datasets,
    )


def plain_parameter(value: Any) -> Any:
    """Return a parameter as a store can show it: plain, else as JSON."""
    return (
        value
        if isinstance(value, str | int | float | bool) or value is None
        else json.dumps(value, default=str)
    )
