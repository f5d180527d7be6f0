"""What every flavor does around loading: find the one file, say in words why it cannot be loaded."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError, first_line

_NOT_THE_MODELS_FAULT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM)


def single_file(path: Path, suffixes: Sequence[str]) -> Path | None:
    """Return `path`, or the only file in the folder `path`, that has one of these endings; else None.

    A folder with an MLmodel file belongs to MLflow, whatever else is in it.
    """
    if path.is_dir():
        if (path / "MLmodel").exists():
            return None
        found = [item for item in path.iterdir() if item.is_file() and item.suffix.lower() in suffixes]
        return found[0] if len(found) == 1 else None
    return path if path.is_file() and path.suffix.lower() in suffixes else None


def unreadable(name: str, error: BaseException, done: str = "loaded") -> MlciError:
    """Return the error for a model that cannot be `done`, with the way out that fits its cause."""
    cause = f"{type(error).__name__}: {first_line(error)}"
    if isinstance(error, ModuleNotFoundError):
        hint = f"install the package that provides '{error.name}', or put it where the project's code is"
    elif isinstance(error, AttributeError | ImportError):
        hint = "load it with the package versions that it was saved with, or train it again"
    else:
        hint = "the file is damaged or was saved by other package versions: train it again"
    return MlciError("model.unreadable", f"'{name}' cannot be {done}: {cause}", hint)


@contextmanager
def opening(path: Path, done: str = "loaded") -> Iterator[None]:
    """Turn whatever goes wrong while a model is `done` into MlciError `model.unreadable`.

    A full disk and a missing right are not the model's fault and pass as the OSError that they are.
    """
    try:
        yield
    except MlciError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NOT_THE_MODELS_FAULT:
            raise
        raise unreadable(path.name, error, done) from error


def with_version_check(path: Path, load: Callable[[], Any]) -> Any:
    """Return what `load` returns; other warnings than scikit-learn's about versions are left out.

    scikit-learn promises nothing for a model of another release, so a different minor version is an
    MlciError `model.unreadable`; a different patch release is taken.
    """
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        loaded = load()
    for warning in heard:
        if isinstance(warning.message, InconsistentVersionWarning):
            _refuse_other_release(path, warning.message)
    return loaded


def _refuse_other_release(path: Path, warning: Any) -> None:
    saved, here = str(warning.original_sklearn_version), str(warning.current_sklearn_version)
    if saved.split(".")[:2] == here.split(".")[:2]:
        return
    raise MlciError(
        "model.unreadable",
        f"'{path.name}' holds a {warning.estimator_name} of scikit-learn {saved}, but here is {here}",
        f"install scikit-learn=={saved} to load it, or train it again with {here}",
    )
