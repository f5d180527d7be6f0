"""Tries one Python after the other until the model can be loaded: this one, the project's, the model's own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from mlci.core.errors import MlciError
from mlci.core.ports import Say
from mlci.elsewhere import program
from mlci.elsewhere.environment import python_with
from mlci.elsewhere.requirements import needs_of
from mlci.flavors import _structure
from mlci.flavors._trusted import trusted_types
from mlci.flavors.mlflow import model_folder, read_mlmodel
from mlci.process import run_quiet
from mlci.readers import read_table
from mlci.scoring import score_in_fresh_process

Way = Literal["here", "auto", "model"]
_ALLOW_PICKLES = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
_WORTH_ANOTHER = "model.unreadable"


class Loadable(NamedTuple):
    """The file or folder that a foreign Python opens, and how."""

    path: Path
    kind: Literal["skops", "pickle", "python_function"]


@dataclass(frozen=True)
class Asked:
    """A model, the rows that it is asked about, and where its answers go; paths are absolute.

    `drop` are columns that are no features, `trusted` types that its file may hold, `root` is the project's
    folder, and environments are kept under `cache`.
    """

    model: Path
    data: Path
    out: Path
    drop: Sequence[str]
    trusted: Sequence[str]
    root: Path
    cache: Path
    variables: Mapping[str, str]
    say: Say


def score_where_it_loads(asked: Asked, way: Way) -> None:
    """Write the model's predictions to a Parquet file.

    `here` is the Python that mlci runs in, and the project's own where that is another one. `auto` goes on
    to the environment that an MLflow model records, built from its requirements; `model` begins there.
    Raises the MlciError of the first attempt where there is no other; `baseline.environment` when the
    model's own environment cannot be built, `model.unreadable` when it cannot be asked there either.
    """
    refused = None if way == "model" else _refused_here(asked)
    if refused is None and way != "model":
        return
    opened = _loadable(asked.model)
    if opened is None:
        raise refused or MlciError(
            "baseline.environment",
            f"'{asked.model.name}' is no MLflow model, so its environment is not known",
            "set compare-to-baseline.environment: here",
        )
    with _task(asked, opened) as task:
        pythons = [] if way == "model" else _of_project(asked)
        if any(_run(python, task, asked) is None for python in pythons):
            return
        if way == "here" and refused is not None:
            way_out = "or let the environment that it records be built: compare-to-baseline.environment: auto"
            raise MlciError(refused.code, refused.message, f"{refused.hint}; {way_out}")
        _score_in_its_own(asked, opened, task)


def _refused_here(asked: Asked) -> MlciError | None:
    """Score with this Python; return the error of a model that cannot be loaded or asked by it."""
    try:
        score_in_fresh_process(asked.model, asked.data, asked.out, asked.drop, asked.trusted, root=asked.root)
    except MlciError as error:
        if error.code != _WORTH_ANOTHER:
            raise
        return error
    return None


def _score_in_its_own(asked: Asked, opened: Loadable, task: Path) -> None:
    folder = model_folder(asked.model) or asked.model
    asked.say(f"score '{folder.name}' in the environment that it records")
    python = python_with(needs_of(folder, opened.kind), asked.cache, asked.variables, asked.say)
    problem = _run(python, task, asked)
    if problem is not None:
        raise MlciError(
            "model.unreadable",
            f"'{folder.name}' cannot be asked in the environment that it records either: {problem}",
            "train the baseline again with today's versions",
        )


def _loadable(model: Path) -> Loadable | None:
    """Return what of an MLflow folder is opened; None for a model of another format."""
    folder = model_folder(model)
    if folder is None:
        return None
    sklearn = read_mlmodel(folder)["flavors"].get("sklearn")
    if sklearn is None:
        return Loadable(folder, "python_function")
    file = (folder / str(sklearn["pickled_model"])).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise MlciError(
            "model.unreadable",
            f"'{folder.name}/MLmodel' names a file outside its folder",
            "do not use this model",
        )
    return Loadable(file, "skops" if sklearn.get("serialization_format") == "skops" else "pickle")


@contextmanager
def _task(asked: Asked, opened: Loadable) -> Iterator[Path]:
    """Yield the file that tells the program what to do; the rows are handed over as Parquet."""
    task = asked.out.with_name(f".{asked.out.stem}.task.json")
    rows = asked.out.with_name(f".{asked.out.stem}.rows.parquet")
    told = {
        "model": str(opened.path.resolve()),
        "kind": opened.kind,
        "data": str(rows.resolve()),
        "out": str(asked.out.resolve()),
        "drop": list(asked.drop),
        # MLflow's own switch against pickles holds there too.
        "pickles": asked.variables.get(_ALLOW_PICKLES, "true").lower() not in ("false", "0"),
        "trusted": list(trusted_types(asked.trusted)),
        "structure": str(_structure.__file__),
    }
    try:
        read_table(asked.data).to_parquet(rows, index=False)
        task.write_text(json.dumps(told), "utf-8")
        yield task
    finally:
        task.unlink(missing_ok=True)
        rows.unlink(missing_ok=True)


def _of_project(asked: Asked) -> list[Path]:
    """Return the Python of the activated environment, else of the project's .venv, unless it is this one."""
    folder = Path(asked.variables.get("VIRTUAL_ENV") or asked.root / ".venv")
    python = folder / "bin" / "python"
    return [python] if python.exists() and folder.resolve() != Path(sys.prefix).resolve() else []


def _run(python: Path, task: Path, asked: Asked) -> str | None:
    """Run the program with a foreign Python; return what went wrong, or None."""
    done = run_quiet(
        [str(python), program.__file__, str(task.resolve())],
        cwd=asked.root,
        env={**asked.variables, "PYTHONPATH": str(asked.root)},
    )
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
    try:
        return str(json.loads(lines[-1])["message"])
    except (ValueError, KeyError, TypeError):
        return lines[-1][:300]
