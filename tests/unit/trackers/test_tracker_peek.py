"""Look-ups without MLflow: right, fast, and silent about what they do not understand."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mlci.trackers._peek import UNKNOWN
from mlci.trackers.mlflow import MlflowTracker, tracker

ServeText = Callable[..., str]
REPOSITORY = Path(__file__).parents[3]


def ask_everything(made: MlflowTracker) -> list[object]:
    return [made.peek("models:/m@champion"), made.peek("models:/m/1"), made.peek_tag("m", "1", "commit")]


def test_nothing_exists_before_the_database_does(tmp_path: Path) -> None:
    assert ask_everything(tracker(None, "e", tmp_path, {})) == [None, None, None]
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables_is_not_understood(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "runs.db").close()
    assert ask_everything(tracker("sqlite:///runs.db", "e", tmp_path, {})) == [UNKNOWN] * 3
    (tmp_path / "runs.db").write_text("this is not a database at all")
    assert ask_everything(tracker("sqlite:///runs.db", "e", tmp_path, {})) == [UNKNOWN] * 3


def test_two_workspaces_with_the_same_name_are_not_understood(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "runs.db")) as link, link:
        link.execute("CREATE TABLE registered_model_aliases (workspace, name, alias, version)")
        link.execute("INSERT INTO registered_model_aliases VALUES ('a', 'm', 'champion', 1)")
    assert _alias(tmp_path) == "1"
    with closing(sqlite3.connect(tmp_path / "runs.db")) as link, link:
        link.execute("INSERT INTO registered_model_aliases VALUES ('b', 'm', 'champion', 2)")
    assert _alias(tmp_path) is UNKNOWN


def _alias(root: Path) -> object:
    return tracker("sqlite:///runs.db", "e", root, {}).peek("models:/m@champion")


def test_an_answer_of_a_server(serve_text: ServeText, tmp_path: Path) -> None:
    body = {"model_version": {"version": "7", "tags": [{"key": "commit", "value": "abc"}]}}
    made = tracker(serve_text(200, json.dumps(body)), "e", tmp_path, {})
    assert ask_everything(made) == ["7", "7", "abc"]
    assert made.peek_tag("m", "7", "other") is None


def test_a_server_that_has_no_such_model(serve_text: ServeText, tmp_path: Path) -> None:
    body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Registered Model with name=m not found"}
    assert ask_everything(tracker(serve_text(404, json.dumps(body)), "e", tmp_path, {})) == [None] * 3


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "<h1>Please log in</h1>"),
        (200, "{}"),
        (200, '{"model_version": 3}'),
        (200, '{"model_version": {"tags": 3}}'),
        (200, '{"model_version": {"tags": [3]}}'),
        (302, ""),
        (400, '{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}'),
        (401, "denied"),
        (404, "no such page"),
        (404, '{"error_code": "ENDPOINT_NOT_FOUND"}'),
        (500, '{"error_code": "INTERNAL_ERROR"}'),
    ],
)
def test_other_answers_are_not_understood(
    status: int, text: str, serve_text: ServeText, tmp_path: Path
) -> None:
    assert ask_everything(tracker(serve_text(status, text), "e", tmp_path, {})) == [UNKNOWN] * 3


def test_no_server_is_not_understood(closed_port: str, tmp_path: Path) -> None:
    assert ask_everything(tracker(closed_port, "e", tmp_path, {})) == [UNKNOWN] * 3


def test_other_databases_are_left_to_mlflow(tmp_path: Path) -> None:
    made = tracker("postgresql://127.0.0.1:1/db", "e", tmp_path, {})
    assert ask_everything(made) == [UNKNOWN] * 3


def test_a_server_that_hangs_is_given_two_seconds(silent_port: str, tmp_path: Path) -> None:
    start = time.monotonic()
    assert tracker(silent_port, "e", tmp_path, {}).peek("models:/m@champion") is UNKNOWN
    assert time.monotonic() - start < 4


_LIGHT = """
import sys
from pathlib import Path
from mlci.trackers.mlflow import tracker
made = tracker(None, "e", Path(sys.argv[1]), {})
made.check()
assert made.peek("models:/m@champion") is None
heavy = {"mlflow", "sqlalchemy", "requests", "pandas", "numpy", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""


def test_constructing_checking_and_peeking_import_nothing_heavy(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _LIGHT, str(tmp_path)], check=True, cwd=REPOSITORY)
