"""A folder is the list; third parties add theirs by an entry point."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlci.core.errors import MlciError
from mlci.core.registry import Registry

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one module and one entry point on the path, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(group: str, name: str, code: str) -> None:
        (tmp_path / "acme_plugin.py").write_text(code)
        info = tmp_path / "acme-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = acme_plugin:thing\n")

    yield make
    sys.modules.pop("acme_plugin", None)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[str]]:
    folder = tmp_path / "acme_house"
    folder.mkdir()
    for name in ("__init__", "red", "dark_blue", "_hidden"):
        (folder / f"{name}.py").write_text(f"colour = {name!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Registry("acme_house", "colour")
    for name in [name for name in sys.modules if name.startswith("acme_house")]:
        del sys.modules[name]


def test_each_file_is_a_plug_in_named_in_kebab_case(registry: Registry[str]) -> None:
    assert registry.names() == ["dark-blue", "red"]
    assert registry.get("dark-blue") == "dark_blue"
    assert list(registry) == ["dark_blue", "red"]


def test_nothing_is_imported_before_it_is_asked_for(registry: Registry[str]) -> None:
    registry.names()
    assert "acme_house.red" not in sys.modules
    registry.get("red")
    assert "acme_house.red" in sys.modules
    assert "acme_house.dark_blue" not in sys.modules


def test_an_unknown_name_gets_the_nearest_one(registry: Registry[str]) -> None:
    with pytest.raises(MlciError) as caught:
        registry.get("dark-blu")
    assert caught.value.code == "config.invalid"
    assert caught.value.message == "unknown colour 'dark-blu'"
    assert caught.value.hint == "did you mean 'dark-blue'?"
    with pytest.raises(MlciError) as caught:
        registry.get("zzz")
    assert caught.value.hint == "known: dark-blue, red"


def test_a_third_party_adds_one_by_an_entry_point(registry: Registry[str], install: Install) -> None:
    install("acme_house", "green", "thing = 'green of acme'\n")
    assert registry.names() == ["dark-blue", "green", "red"]
    assert registry.get("green") == "green of acme"


def test_a_third_party_cannot_take_the_place_of_a_built_in_one(
    registry: Registry[str], install: Install
) -> None:
    install("acme_house", "red", "thing = 'red of acme'\n")
    assert registry.get("red") == "red"
    assert registry.names() == ["dark-blue", "red"]


@pytest.mark.parametrize("code", ["import no_such_module_anywhere\n", "other = 3\n"])
def test_a_broken_third_party_is_named(registry: Registry[str], install: Install, code: str) -> None:
    install("acme_house", "green", code)
    with pytest.raises(MlciError) as caught:
        registry.get("green")
    assert caught.value.code == "package.missing"
    assert "'green' of package 'acme' cannot be loaded" in caught.value.message
    assert "uninstall" in caught.value.hint


def test_a_real_registry_takes_one_too(install: Install) -> None:
    from mlci.reporters import REPORTERS

    install(
        "mlci.reporters",
        "shout",
        "class Shout:\n"
        "    file = None\n"
        "    def render(self, report): return report.headline.upper()\n"
        "thing = Shout()\n",
    )
    assert "shout" in REPORTERS.names()
    assert type(REPORTERS.get("shout")).__name__ == "Shout"
