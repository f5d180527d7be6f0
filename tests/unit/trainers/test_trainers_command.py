"""A user's program gets variables and the project's own Python, and what it wrote is collected."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlci.core.errors import MlciError
from mlci.core.ports import Trained, TrainRequest
from mlci.trainers import TRAINERS
from mlci.trainers._outputs import keep_model, read_metrics
from mlci.trainers._program import environment

MakeRequest = Callable[..., TrainRequest]
SHELL = {"PATH": "/usr/bin:/bin"}


def train(request: TrainRequest) -> Trained:
    return TRAINERS.get("command").train(request)


def make_python(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch(mode=0o755)
    return folder


def test_metrics_are_numbers_by_dotted_name(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(
        json.dumps(
            {"a": 1, "b": {"c": 0.5, "d": {"e": -2}}, "text": "x", "flag": True, "list": [1], "none": None}
        )
    )
    assert read_metrics(path) == {"a": 1.0, "b.c": 0.5, "b.d.e": -2.0}
    path.write_text('{"a": NaN, "b": Infinity, "c": 1}')
    assert read_metrics(path) == {"c": 1.0}
    path.write_text("3")
    assert read_metrics(path) == {"value": 3.0}
    path.write_text("[1, 2]")
    assert read_metrics(path) == {}


@pytest.mark.parametrize("content", [b"", b"{", b"a: 1", b"\xff\xfe"])
def test_metrics_that_are_no_json_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(content)
    with pytest.raises(MlciError, match=r"'metrics.json' is not JSON") as caught:
        read_metrics(path)
    assert caught.value.code == "train.command-failed"


def test_a_model_file_keeps_its_name_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_text("model")
    assert [path.name for path in keep_model(tmp_path / "m.pkl", tmp_path).iterdir()] == ["m.pkl"]
    work = tmp_path / "work"
    (tmp_path / "m" / "data").mkdir(parents=True)
    (tmp_path / "m" / "data" / "x").touch()
    kept = keep_model(tmp_path / "m", work)
    assert (kept / "data" / "x").exists()


def test_an_active_environment_is_left_as_it_is(make_request: MakeRequest) -> None:
    request = make_request(command="true", variables={"VIRTUAL_ENV": "/venv", "PATH": "/venv/bin"})
    make_python(request.root / ".venv")
    assert environment(request) == {}


def test_the_environment_of_the_project_comes_before_that_of_mlci(make_request: MakeRequest) -> None:
    request = make_request(command="true", variables=SHELL)
    assert environment(request) == {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    make_python(request.root / ".venv")
    assert environment(request) == {"PATH": f"{request.root / '.venv' / 'bin'}:/usr/bin:/bin"}


@pytest.mark.parametrize("chosen", ["env", "env/bin/python"])
def test_train_python_wins(make_request: MakeRequest, chosen: str) -> None:
    request = make_request(command="true", python=chosen, variables={**SHELL, "VIRTUAL_ENV": "/venv"})
    make_python(request.root / "env")
    make_python(request.root / ".venv")
    assert environment(request) == {"PATH": f"{request.root / 'env' / 'bin'}:/usr/bin:/bin"}


def test_a_python_that_is_none_is_named(make_request: MakeRequest) -> None:
    with pytest.raises(MlciError, match=r"there is no Python in 'nothing'") as caught:
        environment(make_request(command="true", python="nothing", variables=SHELL))
    assert caught.value.code == "config.invalid"


def test_a_program_finds_its_variables_and_its_files_are_collected(make_request: MakeRequest) -> None:
    command = (
        'echo model > "$MLCI_MODEL_DIR/m.txt"\n'
        'cp "$MLCI_PARAMS_FILE" "$MLCI_METRICS_FILE"\n'
        'echo "$MLCI_DATA_TRAIN $MLCI_DATA_LABEL $MLCI_SEED [$MLCI_DATA_KEY] $SECRET_TOKEN"\n'
    )
    lines: list[str] = []
    variables = {**SHELL, "SECRET_TOKEN": "hidden-value"}
    request = make_request(command=command, seed=5, params={"depth": 3}, variables=variables)
    object.__setattr__(request, "say", lines.append)
    trained = train(request)
    assert trained.model is not None
    assert (trained.model / "m.txt").read_text() == "model\n"
    assert trained.metrics == {"depth": 3.0}
    assert trained.predictions is None
    assert lines == [f"{request.root / 'train.parquet'} y 5 [] ***"]
    assert trained.logs[0].read_text() == lines[0] + "\n"


@pytest.mark.parametrize(
    ("command", "options", "code", "says"),
    [
        ("echo one; echo two >&2; exit 3", {}, "train.command-failed", "exit code 3\n  | one\n  | two"),
        ("false\necho not reached", {}, "train.command-failed", "exit code 1"),
        ("kill -9 $$", {}, "train.command-failed", "by signal 9"),
        ("sleep 30", {"timeout": 0.2}, "train.timeout", "stopped after 0.2 s (train.timeout)"),
        ("true", {"model": "m.pkl"}, "train.no-model", "'m.pkl' (train.model)"),
    ],
)
def test_a_program_that_fails_is_told_with_its_last_lines(
    make_request: MakeRequest, command: str, options: dict[str, object], code: str, says: str
) -> None:
    with pytest.raises(MlciError) as caught:
        train(make_request(command=command, variables=SHELL, **options))
    assert caught.value.code == code
    assert says in caught.value.message
    assert caught.value.hint


def test_a_model_of_an_earlier_training_is_not_taken_for_this_one(make_request: MakeRequest) -> None:
    request = make_request(command="true", model="m.pkl", variables=SHELL)
    (request.root / "m.pkl").write_text("old")
    with pytest.raises(MlciError) as caught:
        train(request)
    assert caught.value.code == "train.no-model"
    shutil.rmtree(request.work)
    again = make_request(command="echo new > m.pkl", model="m.pkl", variables=SHELL)
    trained = train(again)
    assert trained.model is not None
    assert (trained.model / "m.pkl").read_text() == "new\n"
