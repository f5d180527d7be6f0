"""Loads `*.skops` files, which cannot run code: only types from a list are allowed inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError
from mlci.flavors._estimator import EstimatorModel
from mlci.flavors._opening import opening, single_file, with_version_check
from mlci.flavors._structure import broken_part
from mlci.flavors._trusted import trusted_types

SUFFIXES = (".skops",)


class SkopsFlavor:
    """A `*.skops` file, or a folder with exactly one."""

    def recognises(self, path: Path) -> bool:
        """Return whether `path` is such a file or folder."""
        return single_file(path, SUFFIXES) is not None

    def load(self, path: Path, trusted: Sequence[str]) -> EstimatorModel:
        """Load a model that holds no type outside our list and `trusted`.

        Raises MlciError `model.unreadable` or `model.untrusted`.
        """
        return EstimatorModel(load_estimator(single_file(path, SUFFIXES) or path, trusted))


def load_estimator(path: Path, trusted: Sequence[str]) -> Any:
    """Return the estimator in a `*.skops` file, checked for types and for indices that point outside.

    Raises MlciError `model.unreadable` or `model.untrusted`.
    """
    with opening(path):
        import skops.io

        refused = refused_types(skops.io.get_untrusted_types(file=path), trusted)
        if refused:
            raise untrusted(f"'{path.name}'", refused)
        allowed = trusted_types(trusted)
        estimator = with_version_check(path, lambda: skops.io.load(path, trusted=allowed))
        broken = broken_part(estimator)
    if broken is not None:
        raise MlciError(
            "model.unreadable",
            f"'{path.name}' is damaged or forged: {broken}",
            "do not use this file; train the model again",
        )
    return estimator


def refused_types(found: Sequence[str], trusted: Sequence[str]) -> list[str]:
    """Return those of the `found` types that are neither on our list nor on the user's."""
    allowed = set(trusted_types(trusted))
    return sorted(name for name in found if name not in allowed)


def untrusted(what: str, refused: Sequence[str]) -> MlciError:
    """Return the error that names the refused types and the keys of mlci.yaml that let them in."""
    return MlciError(
        "model.untrusted",
        f"{what} holds types that are not trusted: {', '.join(refused)}",
        "if this code is yours, list these names under package.trusted-types; for a model that skops "
        "cannot hold, set package.format: cloudpickle (whoever loads it runs the code in it)",
    )


flavor = SkopsFlavor()
