"""Loads `*.joblib` and pickle files. Loading one RUNS CODE: only for models made by this very run.

A pickle is a program. Use this flavor for a file that this project's own training has just written,
in the same job and with the same rights; never for one that came from a registry, a pull request or
a download. The list of trusted types has no power here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlci.flavors._estimator import EstimatorModel
from mlci.flavors._opening import opening, single_file, with_version_check

SUFFIXES = (".joblib", ".pkl", ".pickle")


class PickledFlavor:
    """A `*.joblib`, `*.pkl` or `*.pickle` file, or a folder with exactly one."""

    def recognises(self, path: Path) -> bool:
        """Return whether `path` is such a file or folder."""
        return single_file(path, SUFFIXES) is not None

    def load(self, path: Path, trusted: Sequence[str]) -> EstimatorModel:  # noqa: ARG002 - a pickle is all or nothing
        """Load a model, running whatever code the file holds; raises MlciError `model.unreadable`."""
        file = single_file(path, SUFFIXES) or path
        with opening(file):
            import joblib

            estimator = with_version_check(file, lambda: joblib.load(file))
            if not hasattr(estimator, "predict"):
                raise TypeError(f"it holds a {type(estimator).__name__}, which has no predict")
        return EstimatorModel(estimator)


flavor = PickledFlavor()
