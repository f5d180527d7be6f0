"""A folder is the list: each file of a folder, and each entry point of a third party, is one plug-in."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mlci.core.errors import MlciError, first_line
from mlci.core.names import kebab, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Plugin = TypeVar("Plugin")


class Registry(Generic[Plugin]):
    """The plug-ins of one kind: files of `package`, each with an attribute named `attribute`.

    Third parties add theirs by an entry point in the group named like the package.
    Nothing is imported before it is asked for.
    """

    def __init__(self, package: str, attribute: str) -> None:
        self.package = package
        self.attribute = attribute

    def names(self) -> list[str]:
        """Return the names of the built-in plug-ins and of those that other packages add."""
        return sorted({*self._files(), *(point.name for point in self._points())})

    def get(self, name: str) -> Plugin:
        """Return the plug-in called `name`.

        Raises MlciError `config.invalid` when there is none, with the nearest name, and
        `package.missing` when a third party's cannot be imported.
        """
        module = self._files().get(name)
        if module is not None:
            plugin: Plugin = getattr(importlib.import_module(module), self.attribute)
            return plugin
        for point in self._points():
            if point.name == name:
                return self._load(point)
        known = self.names()
        raise MlciError("config.invalid", f"unknown {self.attribute} '{name}'", nearest(name, known))

    def __iter__(self) -> Iterator[Plugin]:
        return (self.get(name) for name in self.names())

    def _load(self, point: EntryPoint) -> Plugin:
        try:
            loaded: Plugin = point.load()
        except (ImportError, AttributeError) as error:
            owner = point.dist.name if point.dist is not None else point.value
            raise MlciError(
                "package.missing",
                f"{self.attribute} '{point.name}' of package '{owner}' cannot be loaded: {first_line(error)}",
                f"install what '{owner}' needs, or uninstall it",
            ) from error
        return loaded

    def _files(self) -> dict[str, str]:
        folder: Any = importlib.import_module(self.package)
        return {
            kebab(module.name): f"{self.package}.{module.name}"
            for module in pkgutil.iter_modules(folder.__path__)
            if not module.name.startswith("_")
        }

    def has_plug_ins(self) -> bool:
        """Return whether another package may add to this kind. Cheap: nothing is imported."""
        return _is_named(f"[{self.package}]".encode())

    def _points(self) -> list[EntryPoint]:
        if not self.has_plug_ins():
            return []
        from importlib.metadata import entry_points

        return list(entry_points(group=self.package))


def _is_named(group: bytes) -> bool:
    """Return whether an installed package may add to this group.

    Looking for the name in the files is several times faster than having all of them parsed.
    """
    for folder in sys.path:
        place = Path(folder or ".")
        if place.is_file():  # a zip file or the like: leave it to those who know it
            return True
        with suppress(OSError), os.scandir(place) as found:
            for info in found:
                if info.name.endswith((".dist-info", ".egg-info")) and _holds(info.path, group):
                    return True
    return False


def _holds(info: str, group: bytes) -> bool:
    with suppress(OSError):
        return group in Path(info, "entry_points.txt").read_bytes()
    return False
