"""What is written about one run, within the limits that MLflow sets on names, values and requests."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from mlci.core.ports import RunRecord
from mlci.trackers._session import TRANSFER, bounds

_LONGEST_NAME = 250
_LONGEST_PARAM = 6000
_LONGEST_TAG = 8000
_LONGEST_DIGEST = 36
_LONGEST_DATASET = 500
# The request may hold a million bytes: 40 values of 6,000 characters of up to 4 bytes fit.
_PARAMS_PER_REQUEST = 40
_METRICS_PER_REQUEST = 1000
_FORBIDDEN = re.compile(r"[^\w\-. :/]")

Item = TypeVar("Item")


def flattened(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return parameters as one level of text, with dots for nesting and JSON for lists."""
    flat: dict[str, str] = {}
    for key, value in params.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            flat |= flattened(value, f"{name}.")
        elif isinstance(value, list | tuple | Mapping):
            flat[allowed(name)] = json.dumps(value, default=str)[:_LONGEST_PARAM]
        else:
            flat[allowed(name)] = str(value)[:_LONGEST_PARAM]
    return flat


def allowed(name: str) -> str:
    """Return `name` with the characters that MLflow refuses in names replaced by underscores."""
    return _FORBIDDEN.sub("_", name)[:_LONGEST_NAME]


def tags_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a run's tags with values cut to the length that MLflow stores."""
    return {allowed(key): str(value)[:_LONGEST_TAG] for key, value in tags.items()}


def write_values(client: Any, run_id: str, run: RunRecord) -> None:
    """Write parameters, metrics and datasets of `run` in as few requests as MLflow allows."""
    from mlflow.entities import Metric, Param

    params = [Param(name, value) for name, value in flattened(run.params).items()]
    for batch in _batches(params, _PARAMS_PER_REQUEST):
        client.log_batch(run_id, params=batch)
    now = int(time.time() * 1000)
    metrics = [Metric(allowed(name), float(value), now, 0) for name, value in run.metrics.items()]
    for batch in _batches(metrics, _METRICS_PER_REQUEST):
        client.log_batch(run_id, metrics=batch)
    if run.datasets:
        client.log_inputs(run_id, datasets=[_dataset(*dataset) for dataset in run.datasets])


def write_artifacts(client: Any, run_id: str, artifacts: Sequence[tuple[Path, str]]) -> None:
    """Upload each file, and the content of each folder, into its folder among the run's artifacts."""
    with bounds(TRANSFER):
        for path, folder in artifacts:
            if path.is_dir():
                client.log_artifacts(run_id, str(path), folder or None)
            else:
                client.log_artifact(run_id, str(path), folder or None)


def _dataset(name: str, digest: str, context: str) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    # MLflow keeps 36 characters of a digest; the whole one stands in the source.
    dataset = Dataset(
        name=name[:_LONGEST_DATASET],
        digest=digest.removeprefix("sha256:")[:_LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"uri": name, "digest": digest}),
    )
    return DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", context[:_LONGEST_DATASET])])


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
