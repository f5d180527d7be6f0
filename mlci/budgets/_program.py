"""The program that measures: it loads models, asks them, and writes what it saw into a file."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError
from mlci.core.ports import Model

if TYPE_CHECKING:
    import pandas as pd

_WARM_UP = 20
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def main() -> int:
    """Measure what the file named first asks for, and write the answer into the second."""
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    try:
        answer: dict[str, Any] = _measured(asked)
    except MlciError as error:
        answer = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    Path(sys.argv[2]).write_text(json.dumps(answer), "utf-8")
    return 0


def _measured(asked: dict[str, Any]) -> dict[str, Any]:
    from mlci.flavors._find import load_model
    from mlci.readers import read_table

    frame = read_table(Path(asked["data"]))
    models = {name: load_model(Path(path), asked["trusted"]) for name, path in asked["models"].items()}
    frames = {name: _given(model, frame, asked["drop"]) for name, model in models.items()}
    if asked["what"] == "memory":
        return {name: _peak(model, frames[name]) for name, model in models.items()}
    return _timed(models, frames, asked)


def _given(model: Model, frame: pd.DataFrame, drop: list[str]) -> pd.DataFrame:
    """Return the columns that a model is given when it is scored."""
    if getattr(model, "features", None) is None:
        return frame.drop(columns=[name for name in drop if name in frame.columns])
    return frame


def _timed(
    models: dict[str, Model], frames: dict[str, pd.DataFrame], asked: dict[str, Any]
) -> dict[str, list[float]]:
    """Return the seconds of each call: in each round every model, in random order, on the same rows."""
    import numpy as np

    chance = np.random.default_rng(asked["seed"])
    batch, names = min(asked["batch"], len(next(iter(frames.values())))), list(models)
    last = len(next(iter(frames.values()))) - batch
    for name in names * _WARM_UP:
        models[name].predict(frames[name].iloc[:batch])
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    end = time.perf_counter() + asked["seconds"]
    for number in range(asked["rounds"]):
        if number >= asked["least"] and time.perf_counter() > end:
            break
        start = int(chance.integers(0, last + 1))
        for name in (names[place] for place in chance.permutation(len(names))):
            rows = frames[name].iloc[start : start + batch]
            before = time.perf_counter()
            models[name].predict(rows)
            times[name].append(time.perf_counter() - before)
        gc.collect(0)  # between rounds, where nobody's time is running
    return times


def _peak(model: Model, frame: pd.DataFrame) -> int:
    """Return the bytes by which the process grows, at most, while the model answers all rows."""
    model.predict(frame.iloc[:1])
    gc.collect()
    try:
        _CLEAR.write_text("5")  # from here on, the highest is that of the answers alone
        before = _kilobytes("VmRSS")
        model.predict(frame)
        return max(0, _kilobytes("VmHWM") - before) * 1024
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model.predict(frame)
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit


def _kilobytes(name: str) -> int:
    lines = _STATUS.read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
