"""Commands that need no machine-learning library load none, and help costs about what help has to cost."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HEAVY = {
    "dvc", "duckdb", "great_expectations", "joblib", "matplotlib", "mlflow", "numpy", "pandas", "pyarrow",
    "requests", "scipy", "skops", "sklearn", "sqlalchemy",
}  # fmt: skip
PROJECT = """\
project: fresh
data: {train: train.csv, evaluate: evaluate.csv, label: y}
validate-data: {expectations: [{type: expect_column_values_to_not_be_null, column: y}]}
train: {estimator: sklearn.linear_model.LogisticRegression}
compare-to-baseline: {gates: [{metric: accuracy, no-worse-than: 0.01}]}
package: {}
deploy: {target: registry}
"""
LIST_MODULES = """\
import atexit, json, sys
from pathlib import Path
out = sys.argv.pop(1)
atexit.register(lambda: Path(out).write_text(json.dumps(sorted({name.partition(".")[0] for name in sys.modules}))))
from mlci.cli import main
main()
"""
BARE = """\
import typer
app = typer.Typer(add_completion=False)

def make(number):
    def command(
        alpha: str = typer.Option("x", help="A text."),
        beta: int = typer.Option(1, help="A number."),
        gamma: bool = typer.Option(False, help="A flag."),
        delta: str = typer.Option("y", help="Another text."),
    ):
        "Do one of the things that this program does."
    app.command(name=f"command-{number}")(command)

for number in range(12):
    make(number)
if __name__ == "bare":
    app()
"""
MOST_TIMES_A_BARE_PROGRAM = 2.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "fresh"
    folder.mkdir()
    (folder / "mlci.yaml").write_text(PROJECT)
    for name in ("train", "evaluate"):
        (folder / f"{name}.csv").write_text("x,y\n1,0\n2,1\n")
    return folder


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLCI_", "PYTHON"))}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["plan"],
        ["plan", "--json"],
        ["train", "--help"],
        ["explain", "data.label"],
        ["explain", "data.missing"],
        ["schema"],
        ["schema", "report"],
    ],
    ids=" ".join,
)
def test_no_machine_learning_library_is_loaded(tmp_path: Path, project: Path, arguments: list[str]) -> None:
    out = tmp_path / "modules.json"
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, str(out), *arguments],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    modules = set(json.loads(out.read_text()))
    assert "mlci" in modules
    assert modules & HEAVY == set()


def seconds(program: list[str], folder: Path) -> float:
    """Return the processor time of a program: unlike time on the clock, other programs hardly change it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *program, "--help"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert b"Usage" in done.stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_costs_at_most_twice_a_bare_program(tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text(BARE)
    programs: dict[str, Callable[[], float]] = {
        "bare": lambda: seconds(["-c", "import bare"], tmp_path),
        "mlci": lambda: seconds(["-c", "from mlci.cli import main; main()"], tmp_path),
    }
    for run in programs.values():
        run()  # compiles to bytecode
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(7):  # by turns, so that a busy moment meets both
        for name, run in programs.items():
            times[name].append(run())
    ratio = statistics.median(times["mlci"]) / statistics.median(times["bare"])
    assert ratio <= MOST_TIMES_A_BARE_PROGRAM, f"{ratio:.2f}: {times}"
