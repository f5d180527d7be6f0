"""mlci list: every stage, metric and plug-in that this installation knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from mlci.baselines import BASELINES
from mlci.core.errors import MlciError
from mlci.core.quantities import BUDGETS
from mlci.core.registry import Registry
from mlci.flavors import FLAVORS
from mlci.forges import FORGES
from mlci.providers import PROVIDERS
from mlci.readers import READERS
from mlci.reporters import REPORTERS
from mlci.stages import ordered_stages
from mlci.stats.names import listed as metric_names
from mlci.targets import TARGETS
from mlci.trackers import TRACKERS
from mlci.trainers import TRAINERS
from mlci.validators import VALIDATORS

_REGISTRIES: dict[str, Registry[object]] = {
    "validators": VALIDATORS,  # type: ignore[dict-item] # a registry is read here, never written
    "trainers": TRAINERS,  # type: ignore[dict-item]
    "trackers": TRACKERS,  # type: ignore[dict-item]
    "flavors": FLAVORS,  # type: ignore[dict-item]
    "baselines": BASELINES,  # type: ignore[dict-item]
    "targets": TARGETS,  # type: ignore[dict-item]
    "readers": READERS,  # type: ignore[dict-item]
    "reporters": REPORTERS,  # type: ignore[dict-item]
    "providers": PROVIDERS,  # type: ignore[dict-item]
    "forges": FORGES,  # type: ignore[dict-item]
}


def kinds() -> dict[str, Callable[[], Sequence[str]]]:
    """Return what can be listed, each with the function that lists it."""
    found: dict[str, Callable[[], Sequence[str]]] = {"stages": _stages, "metrics": _metrics}
    return found | {name: registry.names for name, registry in _REGISTRIES.items()}


def list_(
    kind: Annotated[
        str | None, typer.Argument(help="What to list; default: everything.", metavar="[KIND]")
    ] = None,
) -> None:
    """List the stages, metrics and plug-ins of this installation."""
    known = kinds()
    if kind is not None and kind not in known:
        raise MlciError("usage", f"there are no '{kind}' to list", f"one of: {', '.join(known)}")
    if kind is not None:
        typer.echo("\n".join(known[kind]()))
        return
    for name, listed in known.items():
        typer.echo(f"{name}: {', '.join(listed())}")


def _stages() -> list[str]:
    return [stage.name for stage in ordered_stages()]


def _metrics() -> list[str]:
    return [*metric_names(), *BUDGETS]
