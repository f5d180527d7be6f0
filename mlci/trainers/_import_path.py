"""Makes the estimator that an import path names, or says which name or parameter was probably meant."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from mlci.core.errors import MlciError, first_line


def build_estimator(path: str, params: Mapping[str, Any], seed: int) -> Any:
    """Import the estimator (`package.Class` or `package:function`) and give it its parameters.

    Raises MlciError `train.bad-estimator`, with the nearest name or parameter where there is one.
    """
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
        known = list(inspect.signature(kind).parameters)
    except Exception as error:  # the module may be the user's own, and do anything when it is imported
        raise MlciError(
            "train.bad-estimator",
            f"'{path}' (train.estimator) cannot be imported: {first_line(error)}",
            _way_to_import(module, name),
        ) from error
    given = dict(params)
    if "random_state" in known:
        given.setdefault("random_state", seed)
    try:
        return _checked(kind(**given), path)
    except MlciError:
        raise
    except Exception as error:
        wrong = [key for key in params if key not in known]
        near = get_close_matches(wrong[0], known, n=1) if wrong else []
        hint = f"did you mean '{near[0]}'?" if near else f"it takes: {', '.join(known)}"
        raise MlciError(
            "train.bad-estimator", f"'{path}' refuses train.params: {first_line(error)}", hint
        ) from error


def _way_to_import(module: str, name: str) -> str:
    """Return the nearest name in a module that can be imported, or how a path is written."""
    near = get_close_matches(name, dir(sys.modules.get(module)), n=1) if module in sys.modules else []
    if near and near[0] != name:
        return f"did you mean '{module}.{near[0]}'?"
    return "give the full import path, such as sklearn.linear_model.LogisticRegression"


def _checked(estimator: Any, path: str) -> Any:
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
        raise MlciError(
            "train.bad-estimator",
            f"'{path}' (train.estimator) gives a {type(estimator).__name__}, which has no fit and predict",
            "name a scikit-learn classifier or regressor",
        )
    return estimator
