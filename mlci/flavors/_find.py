"""Finds the flavor of a model, given the file or the folder that a training left behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlci.core.errors import MlciError
from mlci.core.ports import Flavor, Model
from mlci.core.registry import Registry

FLAVORS: Registry[Flavor] = Registry("mlci.flavors", "flavor")

_HINT = "leave one model there: model.skops, model.joblib, or a folder written by mlflow's save_model"


def find_model(path: Path) -> Flavor:
    """Return the flavor of the model that is, or is the only one in, `path`.

    Raises MlciError `train.no-model` when there is none, or several.
    """
    if not path.exists():
        raise MlciError("train.no-model", f"there is no model at '{path.name}': it does not exist", _HINT)
    flavors = list(FLAVORS)
    if path.is_dir() and not (path / "MLmodel").exists():
        models = sorted(
            item.name for item in path.iterdir() if any(each.recognises(item) for each in flavors)
        )
        if len(models) > 1:
            raise MlciError(
                "train.no-model", f"'{path.name}' holds several models: {', '.join(models)}", _HINT
            )
    fitting = [each for each in flavors if each.recognises(path)]
    if len(fitting) == 1:
        return fitting[0]
    found = "no file of a known format" if not fitting else "a file that several flavors claim"
    raise MlciError("train.no-model", f"there is no model at '{path.name}': {found}", _HINT)


def load_model(path: Path, trusted: Sequence[str] = ()) -> Model:
    """Find and load the model at `path`.

    Raises MlciError `train.no-model`, `model.unreadable` or `model.untrusted`.
    """
    return find_model(path).load(path, trusted)
