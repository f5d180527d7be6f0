"""Packages a trained model as an MLflow model: safe format, signature, example, pinned requirements."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal

from mlci.core.errors import MlciError, first_line
from mlci.core.files import folder_in_progress
from mlci.flavors._estimator import EstimatorModel, select
from mlci.flavors._find import find_model
from mlci.flavors._opening import opening
from mlci.flavors._quiet import quiet_mlflow
from mlci.flavors._structure import objects_of
from mlci.flavors.mlflow import model_folder, read_mlmodel
from mlci.flavors.skops import refused_types, untrusted

if TYPE_CHECKING:
    import pandas as pd

Serialization = Literal["skops", "cloudpickle"]

EXAMPLE_ROWS = 5
_BASE = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy")
_BASE_MODULES = frozenset({"mlflow", "numpy", "pandas", "sklearn", "scipy", "joblib"})
_PICKLE = "it holds a pickle: whoever loads it runs the code in it"


@dataclass(frozen=True)
class Packaged:
    """A packaged model.

    `format` is skops, cloudpickle, pickle, or the MLflow flavor of a model that was taken as it is;
    `signature` has the lists `inputs` and `outputs`, or is empty; `notes` are sentences for a person.
    """

    folder: Path
    format: str
    requirements: list[str]
    signature: dict[str, Any]
    notes: list[str]


def package_model(
    model: Path,
    sample: pd.DataFrame,
    prediction_sample: Any,
    folder: Path,
    *,
    trusted: Sequence[str] = (),
    serialization: Serialization = "skops",
    requirements: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Packaged:
    """Write `model` to `folder` as an MLflow model; `folder` is whole afterwards, or as it was before.

    `sample` holds rows as the model gets them (its first five are kept as the example);
    `prediction_sample` the predictions for them, or None to ask the model. `requirements` are lines
    of a requirements file; None pins the packages that the model's objects come from. A folder that
    MLflow has written is copied byte for byte.
    Raises MlciError `train.no-model`, `model.unreadable`, `model.untrusted` or `data.missing-column`.
    """
    flavor = find_model(model)
    ready = model_folder(model)
    if ready is not None:
        return _copied(ready, folder)
    loaded = flavor.load(model, trusted)
    if not isinstance(loaded, EstimatorModel):
        raise MlciError(
            "model.unreadable",
            f"'{model.name}' is of a format that cannot be packaged as an MLflow model",
            "let the training write the model with mlflow's save_model",
        )
    rows = select(sample, loaded.features)
    answers = loaded.predict(sample) if prediction_sample is None else prediction_sample
    signature, notes = _signature(rows, answers)
    pinned, own = _requirements(_modules(loaded.estimator), serialization)
    options = {
        "serialization_format": serialization,
        "skops_trusted_types": _types_to_trust(loaded.estimator, trusted)
        if serialization == "skops"
        else None,
        "signature": False if signature is None else signature,
        "input_example": None if signature is None else rows.head(EXAMPLE_ROWS).reset_index(drop=True),
        "pip_requirements": pinned if requirements is None else list(requirements),
        "metadata": None if metadata is None else dict(metadata),
    }
    with folder_in_progress(folder) as work, opening(model, "packaged"), quiet_mlflow():
        import mlflow.sklearn

        mlflow.sklearn.save_model(loaded.estimator, str(work), **options)
    notes += _notes(rows, own, serialization)
    return Packaged(folder, serialization, _written(folder), _signature_of(read_mlmodel(folder)), notes)


def _notes(rows: pd.DataFrame, own: Sequence[str], serialization: Serialization) -> list[str]:
    notes = []
    categories = [str(name) for name in rows.select_dtypes("category").columns]
    if categories:
        notes.append(f"MLflow's Python function takes {', '.join(categories)} as text, not as categories")
    if own:
        notes.append(f"to load it, code that is in no package must be importable: {', '.join(own)}")
    if serialization == "cloudpickle":
        notes.append(_PICKLE)
    return notes


def _types_to_trust(estimator: Any, trusted: Sequence[str]) -> list[str]:
    """Return the types that the model needs beyond those that skops trusts by itself.

    Raises MlciError `model.untrusted` when one is not on our list or the user's, or skops cannot
    write the model.
    """
    import skops.io

    name = f"the {type(estimator).__name__}"
    try:
        found = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    except (Exception, RecursionError) as error:
        raise MlciError(
            "model.untrusted",
            f"{name} cannot be written by skops: {type(error).__name__}: {first_line(error)}",
            "set package.format: cloudpickle (whoever loads such a model runs the code in it)",
        ) from error
    refused = refused_types(found, trusted)
    if refused:
        raise untrusted(name, refused)
    return list(found)


def _signature(rows: pd.DataFrame, answers: Any) -> tuple[Any, list[str]]:
    """Return the types of the columns and of the prediction, or None and a note on why there are none.

    Whole-number columns stay whole numbers: a missing value in one is then refused when the model is
    asked, instead of reaching a model that never saw any. MLflow's hint about that is left out.
    """
    with quiet_mlflow():
        from mlflow.exceptions import MlflowException
        from mlflow.models import infer_signature

        try:
            return infer_signature(rows, answers), []
        except (MlflowException, TypeError, ValueError) as error:
            return None, [f"it has no signature: {first_line(error)}"]


def _modules(estimator: Any) -> list[str]:
    """Return the top-level modules that the objects, functions and classes in a model come from."""
    names = set()
    for item in objects_of(estimator):
        home = item if isinstance(item, type | FunctionType) else type(item)
        names.add((home.__module__ or "").split(".")[0])
    return sorted(names - {"", "builtins"})


def _requirements(modules: Iterable[str], serialization: Serialization) -> tuple[list[str], list[str]]:
    """Return pinned requirements for top-level modules, and those modules that no package provides.

    MLflow's own inference is not used: it starts a process that imports the model, for seconds.
    """
    names = {*_BASE, "skops" if serialization == "skops" else "cloudpickle"}
    others = [name for name in modules if name not in _BASE_MODULES and name not in sys.stdlib_module_names]
    own: list[str] = []
    if others:
        providers = packages_distributions()
        for module in others:
            names.update(providers.get(module, ()))
            own += [] if module in providers else [module]
    return [f"{name}=={found}" for name in sorted(names) if (found := _version(name)) is not None], own


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _copied(source: Path, folder: Path) -> Packaged:
    content = read_mlmodel(source)
    sklearn = content["flavors"].get("sklearn") or {}
    flavors = sorted(name for name in content["flavors"] if name != "python_function")
    how = str(sklearn.get("serialization_format") or (flavors[0] if flavors else "python_function"))
    signature = _signature_of(content)
    notes = [] if signature else ["it has no signature, so nobody can check what it is given"]
    if any(item.suffix in (".pkl", ".pickle", ".joblib") for item in source.rglob("*")):
        notes.append(_PICKLE)
    with folder_in_progress(folder) as work:
        shutil.copytree(source, work, dirs_exist_ok=True)
    return Packaged(folder, how, _written(folder), signature, notes)


def _written(folder: Path) -> list[str]:
    file = folder / "requirements.txt"
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip()]


def _signature_of(mlmodel: Mapping[str, Any]) -> dict[str, Any]:
    stored = mlmodel.get("signature") or {}
    return {part: json.loads(stored[part]) for part in ("inputs", "outputs") if stored.get(part)}
