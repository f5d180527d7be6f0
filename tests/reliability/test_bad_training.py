"""Training that goes wrong: its last lines are shown, all of them kept, and nothing half-done remains."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_project import CONFIG, PREDICTS, Project, alive

FAILS = """\
for number in range(50):
    print("line", number)
raise SystemExit(7)
"""

HANGS = """\
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN) if {stubborn} else None
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
grandchild = subprocess.Popen(["/bin/sh", "-c", "sleep 600 & echo $! > grandchild; wait"])
open("children", "w").write(f"{{os.getpid()}} {{child.pid}} {{grandchild.pid}}")
print("waiting", flush=True)
time.sleep(600)
"""


def pids(project: Project) -> set[int]:
    """Return the processes that the hanging program has written down."""
    names = [project.root / "children", project.root / "grandchild"]
    return {int(pid) for name in names for pid in name.read_text().split()}


def test_a_failing_command_shows_its_last_lines_and_keeps_them_all(program: Callable[..., Project]) -> None:
    project = program(FAILS)
    done = project.mlci("run")
    done.refused(
        "train.command-failed", 3, "`python train.py` ended with exit code 7", "line 49", "mlci-out/train.log"
    )
    assert (project.out / "train.log").read_text() == "".join(f"line {number}\n" for number in range(50))
    assert not project.passed("train")
    project.nothing_half_written()


def test_the_log_of_a_failure_goes_away_with_the_failure(program: Callable[..., Project]) -> None:
    project = program(FAILS)
    project.mlci("train")
    program("raise SystemExit(3)")
    project.mlci("train").refused("train.command-failed", 3, "exit code 3")
    assert (project.out / "train.log").read_text() == ""


@pytest.mark.slow
@pytest.mark.parametrize("stubborn", [False, True], ids=["ends when asked", "ignores SIGTERM"])
def test_a_hanging_command_is_stopped_with_all_that_it_started(
    program: Callable[..., Project], *, stubborn: bool
) -> None:
    project = program(HANGS.format(stubborn=stubborn), timeout=1.5)
    start = time.monotonic()
    done = project.mlci("run")
    done.refused("train.timeout", 3, "`python train.py` was stopped after 1.5 s (train.timeout)", "waiting")
    assert time.monotonic() - start < 20
    assert alive(pids(project)) == set()
    assert (project.out / "train.log").read_text() == "waiting\n"
    project.nothing_half_written()


def test_a_program_left_behind_by_a_command_that_ended_is_stopped_too(
    program: Callable[..., Project],
) -> None:
    project = program("import subprocess\nprint(subprocess.Popen(['sleep', '600'], stdout=-3).pid)\n")
    done = project.mlci("run")
    done.refused("train.no-model", 3)
    left = {
        int(line.removeprefix("  | "))
        for line in done.err.splitlines()
        if line.removeprefix("  | ").isdigit()
    }
    assert len(left) == 1
    assert alive(left) == set()


def test_a_command_that_leaves_nothing_has_not_trained(program: Callable[..., Project]) -> None:
    program("print('done')").mlci("run").refused(
        "train.no-model", 3, "neither a model nor predictions", "MLCI_MODEL_DIR"
    )


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("model", "train.no-model"),
        ("predictions", "predictions.unreadable"),
        ("metrics", "train.command-failed"),
    ],
)
def test_a_file_of_an_earlier_training_is_not_taken_for_a_new_one(
    program: Callable[..., Project], key: str, code: str
) -> None:
    project = program("print('done')", **{key: "old/file"})
    project.write("old/file", "{}")
    project.mlci("run").refused(code, 3, f"ended well but did not write 'old/file' (train.{key})")
    project.nothing_half_written()


def test_a_model_folder_written_anew_is_a_new_model(program: Callable[..., Project]) -> None:
    write = "open('model/model.skops', 'wb').write(b'new')\nopen('model/old', 'a')\n"
    project = program(write, model="model")
    project.write("model/model.skops", "old")
    done = project.mlci("run")  # what was written is no model, but it was written
    done.refused("model.unreadable", 3, "model")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.skops", b"garbage"),
        ("model.joblib", b"\x80\x05\x95\xff\xff"),
        ("model.pkl", b""),
    ],
)
def test_a_model_file_that_does_not_load_is_named(
    program: Callable[..., Project], name: str, content: bytes
) -> None:
    project = program(f"import os\nopen(os.environ['MLCI_MODEL_DIR'] + '/{name}', 'wb').write({content!r})\n")
    done = project.mlci("run", "--set", "train.trusted-types=pickle")
    code = "model.unreadable"
    done.refused(code, 3)
    project.nothing_half_written()


def test_metrics_that_are_no_json_are_refused(program: Callable[..., Project]) -> None:
    project = program(
        PREDICTS + "\nopen('metrics.json', 'w').write('accuracy: 1')\n",
        predictions="predictions.csv",
        metrics="metrics.json",
    )
    project.mlci("run").refused("train.command-failed", 3, "'metrics.json' is not JSON", "one JSON object")
    project.nothing_half_written()


def test_a_command_that_does_not_exist_says_how_it_is_found(project: Project) -> None:
    project.configure(validate_data=None, train={"command": "no-such-trainer --fast"})
    done = project.mlci("run")
    done.refused("train.command-failed", 3, "exit code 127", "no-such-trainer", "set train.python")


def test_an_environment_that_does_not_exist_is_named(project: Project) -> None:
    project.configure(validate_data=None, train={"command": "python train.py", "python": "envs/ml"})
    project.mlci("run").refused(
        "config.invalid", 2, "'train.python': there is no Python in 'envs/ml'", "venv"
    )


ESTIMATORS: list[tuple[str, dict[str, Any], str, int, tuple[str, ...]]] = [
    (
        "sklearn.linear_model.LogisticRegresion",
        {},
        "train.bad-estimator",
        2,
        ("cannot be imported", "did you mean 'sklearn.linear_model.LogisticRegression'?"),
    ),
    (
        "sklearn.no_such.Thing",
        {},
        "train.bad-estimator",
        2,
        ("'sklearn.no_such.Thing' (train.estimator)", "full import path"),
    ),
    ("LogisticRegression", {}, "train.bad-estimator", 2, ("full import path",)),
    (
        "sklearn.linear_model.LogisticRegression",
        {"max_itr": 5},
        "train.bad-estimator",
        2,
        ("max_itr", "did you mean 'max_iter'?"),
    ),
    ("sklearn.linear_model.LogisticRegression", {"C": -1}, "train.fit-failed", 3, ("C", "train.params")),
    ("sklearn.linear_model", {}, "train.bad-estimator", 2, ("cannot be imported",)),
    ("own.broken.Model", {}, "train.bad-estimator", 2, ("cannot be imported", "invalid syntax")),
    ("own.raises.Model", {}, "train.bad-estimator", 2, ("cannot be imported", "no licence")),
    ("own.model.NoModel", {}, "train.bad-estimator", 2, ("no fit and predict",)),
    ("own.model.Unfit", {}, "train.fit-failed", 3, ("own.model.Unfit", "KeyError: 'column'")),
    (
        "own.model.Mute",
        {},
        "train.fit-failed",
        3,
        ("cannot predict data.evaluate", "RuntimeError: out of words"),
    ),
]

OWN = """\
from sklearn.base import BaseEstimator, ClassifierMixin

class NoModel:
    pass

class Unfit(ClassifierMixin, BaseEstimator):
    def fit(self, rows, labels):
        {}["column"]
    def predict(self, rows):
        return rows

class Mute(ClassifierMixin, BaseEstimator):
    def fit(self, rows, labels):
        self.classes_ = [0, 1]
        return self
    def predict(self, rows):
        raise RuntimeError("out of words")
"""


@pytest.mark.parametrize(
    ("path", "params", "code", "exit_code", "says"),
    ESTIMATORS,
    ids=[f"{path} {params or ''}" for path, params, *_ in ESTIMATORS],
)
def test_an_estimator_that_cannot_be_used_is_named(
    project: Project, path: str, params: dict[str, Any], code: str, exit_code: int, says: tuple[str, ...]
) -> None:
    project.write("own/__init__.py", "")
    project.write("own/model.py", OWN)
    project.write("own/broken.py", "def (:\n")
    project.write("own/raises.py", "raise RuntimeError('no licence')\n")
    project.configure(validate_data=None, train={"estimator": path, "params": params, "cross-validation": 0})
    project.mlci("train").refused(code, exit_code, path, *says)
    project.nothing_half_written()


def test_a_label_with_a_single_value_cannot_be_learned(project: Project) -> None:
    lines = (project.root / "data/train.csv").read_text().splitlines()
    project.write("data/train.csv", "\n".join([lines[0], *(line[:-1] + "1" for line in lines[1:])]) + "\n")
    project.configure(validate_data=None).mlci("train").refused(
        "data.bad-label", 3, "'label'", "a single value"
    )


def test_rows_that_cannot_be_judged_are_found_before_the_training(program: Callable[..., Project]) -> None:
    project = program("open('ran', 'w')\n" + PREDICTS, predictions="predictions.csv")
    project.configure(
        data={**CONFIG["data"], "slices": ["plan"]}, validate_data=None, train={"command": "python train.py"}
    )
    project.mlci("run").refused("data.missing-column", 3, "'plan'", "key, a, b, region, label")
    assert not (project.root / "ran").exists()


def test_a_failed_training_leaves_the_last_good_model_alone(finished: Project) -> None:
    model = finished.out / "train" / "model" / "model.skops"
    before = model.read_bytes()
    finished.configure(train={"estimator": "sklearn.linear_model.LogisticRegression", "params": {"C": -1}})
    finished.mlci("run").refused("train.fit-failed", 3, "C")
    assert model.read_bytes() == before
    assert finished.passed("validate-data")
    assert not finished.passed("train")
    assert not Path(finished.out / ".train").exists()
    finished.nothing_half_written()
