"""Where the store is: precedence, what paths are relative to, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlci.core.errors import MlciError
from mlci.trackers._place import place_of

ROOT = Path("/srv/project")


def test_the_argument_wins_over_the_variable_and_both_over_the_default() -> None:
    variables = {"MLFLOW_TRACKING_URI": "https://variable.example/"}
    assert place_of("http://argument.example", ROOT, variables).uri == "http://argument.example"
    assert place_of(None, ROOT, variables).uri == "https://variable.example"
    embedded = place_of(None, ROOT, {"MLFLOW_TRACKING_URI": ""})
    assert embedded.uri == "sqlite:////srv/project/.mlci/mlflow/mlflow.db"
    assert embedded.artifacts == "file:///srv/project/.mlci/mlflow/artifacts"


@pytest.mark.parametrize(
    ("uri", "database"),
    [
        ("sqlite:///runs.db", "/srv/project/runs.db"),
        ("sqlite:///deep/runs.db?timeout=9", "/srv/project/deep/runs.db"),
        ("sqlite:////var/runs.db", "/var/runs.db"),
        ("sqlite:///with%20space.db", "/srv/project/with space.db"),
    ],
)
def test_a_database_is_relative_to_the_root(
    uri: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = place_of(uri, ROOT, {})
    assert place.database == Path(database)
    assert place.uri == f"sqlite:///{database}" + ("?timeout=9" if "?" in uri else "")
    assert place.artifacts == (Path(database).parent / "mlruns").as_uri()


@pytest.mark.parametrize("odd", ["feature%2Fx", "what?", "a%20b", "größe #1"])
def test_signs_that_mean_something_in_an_address_are_quoted(odd: str) -> None:
    from sqlalchemy import make_url

    place = place_of(None, Path("/srv") / odd, {})
    assert place.database == Path("/srv", odd, ".mlci/mlflow/mlflow.db")
    assert make_url(place.uri).database == str(place.database)


@pytest.mark.parametrize("uri", ["mlruns", "./mlruns", "/var/mlruns", "file:///var/mlruns", "file:mlruns"])
def test_a_folder_is_refused_with_the_way_out(uri: str) -> None:
    with pytest.raises(MlciError) as caught:
        place_of(uri, ROOT, {})
    assert caught.value.code == "config.invalid"
    assert uri in caught.value.message
    assert "sqlite:///" in caught.value.hint


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(uri: str) -> None:
    with pytest.raises(MlciError) as caught:
        place_of(uri, ROOT, {})
    assert caught.value.code == "config.invalid"


def test_credentials_are_not_shown() -> None:
    assert place_of("https://me:secret@host:5000/path/", ROOT, {}).shown == "https://host:5000/path"
    database = place_of("postgresql://me:secret@host/db", ROOT, {})
    assert database.shown == "postgresql://host/db"
    assert database.kind == "other"
