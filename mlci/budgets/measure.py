"""Asks a fresh process to measure models: two side by side for time, one alone for memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlci.core.error_codes import ERROR_CODES
from mlci.core.errors import MlciError
from mlci.core.files import files_below
from mlci.process import run_quiet

ROUNDS = 600
LEAST_ROUNDS = 100
SECONDS = 20.0
"""Time goes on until there are ROUNDS rounds, or for so long once there are LEAST_ROUNDS."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ONE_THREAD = dict.fromkeys(_THREADS, "1")
"""Variables that keep numerical libraries to one thread, so that times depend less on the neighbours."""

_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); from mlci.budgets._program import main; sys.exit(main())"
)
_DESCRIPTIONS = ("MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt")
_EXAMPLES = ("input_example", "serving_input_example", "registered_model_meta")

Measured = Mapping[str, list[float]]


@dataclass(frozen=True)
class Settings:
    """How models are asked: with which rows (all columns but `drop`), how many a call, from which folder.

    `work` is a folder for the question and the answer.
    """

    data: Path
    drop: Sequence[str]
    trusted: Sequence[str]
    batch: int
    seed: int
    root: Path
    work: Path
    variables: Mapping[str, str]


def size_of(model: Path) -> int:
    """Return the bytes of a model's files, without those that only describe it for MLflow."""
    if model.is_file():
        return model.stat().st_size
    kept = [
        path
        for path in files_below(model)
        if path.name not in _DESCRIPTIONS and not path.name.startswith(_EXAMPLES)
    ]
    return sum(path.stat().st_size for path in kept)


def latencies(models: Mapping[str, Path], settings: Settings) -> Measured:
    """Return the seconds of each call of `predict`, model by model; calls of one round have one number.

    All models are in one process that is told to use one thread, and are asked about the same rows in
    random order, so that what the machine does else falls on all of them.
    Raises MlciError `model.unreadable` or that of the model when one cannot be loaded or asked.
    """
    found = _asked("latency", models, settings)
    return {name: [float(number) for number in found[name]] for name in models}


def peak_memory(model: Path, settings: Settings) -> int:
    """Return the bytes by which a fresh process grows, at most, while the model answers all rows.

    Raises as `latencies`.
    """
    return int(_asked("memory", {"model": model}, settings)["model"])


def _asked(what: str, models: Mapping[str, Path], settings: Settings) -> dict[str, Any]:
    question, answer = settings.work / f"{what}.json", settings.work / f"{what}-answer.json"
    answer.unlink(missing_ok=True)
    asked = {
        "what": what,
        "models": {name: str(path.resolve()) for name, path in models.items()},
        "data": str(settings.data.resolve()),
        "drop": list(settings.drop),
        "trusted": list(settings.trusted),
        "batch": settings.batch,
        "seed": settings.seed,
        "rounds": ROUNDS,
        "least": LEAST_ROUNDS,
        "seconds": SECONDS,
    }
    question.write_text(json.dumps(asked), "utf-8")
    home = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-c", _PROGRAM, str(home), str(question), str(answer)]
    done = run_quiet(argv, cwd=settings.root, env={**settings.variables, **ONE_THREAD})
    found = json.loads(answer.read_text("utf-8")) if done.returncode == 0 and answer.exists() else None
    for file in (question, answer):
        file.unlink(missing_ok=True)
    if isinstance(found, dict) and "error" not in found:
        return found
    if found is not None and found["error"]["code"] in ERROR_CODES:
        raise MlciError(found["error"]["code"], found["error"]["message"], found["error"]["hint"])
    last = ([line for line in done.stderr.splitlines() if line.strip()] or [""])[-1][:300]
    raise MlciError(
        "model.unreadable",
        f"measuring {what} ended with exit code {done.returncode}: {last}",
        "try the model's predict on these rows by hand",
    )
