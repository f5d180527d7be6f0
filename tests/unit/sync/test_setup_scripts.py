"""The shell scripts of actions/setup: what they hand to mlci, and how they end."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from setup_steps import BIN, PLAIN, SYSTEM, call, later_step, program

from mlci import __version__


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose only stage is training, and a place where a program of that name is found first."""
    (tmp_path / "mlci.yaml").write_text("project: scripts\ntrain: {command: 'true', seed: 1}\n")
    return tmp_path


def seeing(project: Path, text: str) -> str:
    """Return a PATH on which `mlci` is a program that shows what it was given."""
    return f"{program(project / 'seeing' / 'mlci', text).parent}:{SYSTEM}"


def arguments_of(project: Path, *command: str, **given: str) -> list[str]:
    path = seeing(project, 'printf "<%s>" "$@"')
    done = call("run.sh", *command, cwd=project, PATH=path, MLCI_INSTALL="false", **given)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip("<>").split("><")


def test_empty_variables_are_no_options(project: Path) -> None:
    names = ("FROM", "UNTIL", "FORCE", "WARN_EXIT_CODE", "DRY_RUN", "SET")
    assert arguments_of(project, "run", **{f"MLCI_{name}": "" for name in names}) == ["run"]


def test_variables_become_options(project: Path) -> None:
    given = {
        "MLCI_FROM": "train",
        "MLCI_UNTIL": "package",
        "MLCI_FORCE": "true",
        "MLCI_WARN_EXIT_CODE": "true",
    }
    expected = ["run", "--from", "train", "--until", "package", "--force", "--warn-exit-code", "--dry-run"]
    assert arguments_of(project, "run", **given, MLCI_DRY_RUN="true") == expected


def test_false_is_no_option(project: Path) -> None:
    assert arguments_of(project, "run", MLCI_FORCE="false", MLCI_DRY_RUN="false") == ["run"]


def test_settings_are_lines(project: Path) -> None:
    given = 'data.label=a b\n\n   train.command=echo $(touch hacked); `touch hacked` "x" *\r\nlast=1'
    assert arguments_of(project, "run", MLCI_SET=given) == [
        "run", "--set", "data.label=a b", "--set", 'train.command=echo $(touch hacked); `touch hacked` "x" *',
        "--set", "last=1",
    ]  # fmt: skip
    assert not (project / "hacked").exists()


def test_names_with_quotes_stay_one_argument(project: Path) -> None:
    assert arguments_of(project, "run", MLCI_FROM='a"; exit 1 #') == ["run", "--from", 'a"; exit 1 #']


@pytest.mark.parametrize("variable", ["MLCI_FORCE", "MLCI_DRY_RUN", "MLCI_INSTALL"])
def test_another_word_than_true_or_false_is_refused(project: Path, variable: str) -> None:
    given = {"MLCI_INSTALL": "false", variable: "yes\n::stop"}
    done = call("run.sh", "run", cwd=project, PATH=seeing(project, "echo ran"), **given)
    assert done.returncode == 2
    assert f"::error title=mlci::{variable} is 'yes : :stop', not true or false" in done.stdout
    assert "ran" not in done.stdout.splitlines()
    assert not any(line.startswith("::stop") for line in (done.stdout + done.stderr).splitlines())


def test_tracking_is_set_only_when_it_is_given(project: Path) -> None:
    path = seeing(project, 'echo "$MLFLOW_TRACKING_URI|$MLFLOW_TRACKING_TOKEN|$MLCI_MLFLOW_TOKEN"')
    own = {
        "MLFLOW_TRACKING_URI": "http://own",
        "MLFLOW_TRACKING_TOKEN": "own",
        "MLCI_INSTALL": "false",
        "PATH": path,
    }
    empty = call("run.sh", "run", cwd=project, MLCI_TRACKING_URI="", MLCI_MLFLOW_TOKEN="", **own)
    assert empty.stdout == "http://own|own|\n"
    given = call(
        "run.sh", "run", cwd=project, MLCI_TRACKING_URI="http://given", MLCI_MLFLOW_TOKEN="given", **own
    )
    assert given.stdout == "http://given|given|\n"


def test_the_exit_code_is_that_of_mlci(project: Path) -> None:
    done = call("run.sh", "run", cwd=project, PATH=seeing(project, "exit 10"), MLCI_INSTALL="false")
    assert done.returncode == 10


def test_an_interpreter_runs_its_own_mlci_and_not_a_folder_of_that_name(project: Path) -> None:
    (project / "mlci").mkdir()
    (project / "mlci/__init__.py").write_text("raise SystemExit('the folder')\n")
    done = call("run.sh", "--version", cwd=project, PATH=SYSTEM, MLCI_PYTHON=sys.executable)
    assert (done.returncode, done.stdout) == (0, f"mlci {__version__}\n")


def test_inputs_of_plan_and_comment_become_options(project: Path) -> None:
    given = {"MLCI_PLAN_ALL": "true", "MLCI_PLAN_BASE": "main~1", "MLCI_FORCE": "true"}
    assert arguments_of(project, "plan", **given) == ["plan", "--all", "--base", "main~1", "--force"]
    shutil.rmtree(project / "seeing")
    given = {
        "MLCI_COMMENT_PLAN": "plan.json",
        "MLCI_COMMENT_ID": "models",
        "MLCI_COMMENT_MODE": "new",
        "MLCI_COMMENT_UNTRUSTED": "true",
        "MLCI_COMMENT_REPORTS": "a b\n--help\n",
        "MLCI_FORCE": "true",
    }
    expected = ["comment", "--plan", "plan.json", "--id", "models", "--mode", "new", "--untrusted"]
    assert arguments_of(project, "comment", **given) == [*expected, "--", "a b", "--help"]


def test_what_became_an_option_is_no_variable_any_more(project: Path) -> None:
    """The command on PATH may be this script again, which would add it a second time."""
    given = {"MLCI_FROM": "train", "MLCI_SET": "a=1", "MLCI_DRY_RUN": "true", "MLCI_INSTALL": "false"}
    done = call("run.sh", "run", cwd=project, PATH=seeing(project, "env"), **given)
    assert [line for line in done.stdout.splitlines() if line.startswith("MLCI_")] == ["MLCI_INSTALL=false"]


def test_nothing_is_installed_when_it_is_there(project: Path) -> None:
    done = call("install.sh", cwd=project, MLCI_INSTALL="false", PATH=f"{BIN}:{SYSTEM}")
    assert (done.returncode, done.stdout) == (0, "")
    assert not (project / "runner").exists()


def test_the_command_of_a_later_step_runs_in_the_environment_that_was_given(project: Path) -> None:
    """Installing is left out: the interpreter has mlci already, and is named by a path with odd characters."""
    folder = project / "an 'odd' $(touch hacked) folder"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    given = {"MLCI_INSTALL": "false", "MLCI_PYTHON": f"{folder.name}/python"}
    for script in (["project.sh"], ["install.sh", "add-to-path"]):
        done = call(*script, cwd=project, **given)
        assert done.returncode == 0, done.stderr
    (folder / "python").unlink()
    program(folder / "python", 'echo "given: $*"')
    assert later_step(project, "mlci", "--version").stdout == "given: -P -m mlci --version\n"
    assert not list(project.rglob("hacked"))


def test_an_mlci_that_is_there_is_not_hidden_behind_itself(project: Path) -> None:
    given = {"MLCI_INSTALL": "false", "PATH": f"{BIN}:{SYSTEM}"}
    done = call("install.sh", "add-to-path", cwd=project, **given)
    assert done.returncode == 0, done.stderr
    assert not (project / "path").exists()


def test_a_missing_mlci_is_named_before_the_run(project: Path) -> None:
    done = call("install.sh", cwd=project, MLCI_INSTALL="false", PATH=SYSTEM)
    assert done.returncode == 2
    assert "install is false and there is no mlci on PATH" in done.stderr


def test_an_interpreter_that_is_none_is_named(project: Path) -> None:
    done = call("install.sh", cwd=project, MLCI_PYTHON=".venv/bin/python")
    assert done.returncode == 2
    assert "'.venv/bin/python' is not a Python of version 3.11 or newer" in done.stderr


def test_a_machine_without_a_fitting_python_is_named(project: Path) -> None:
    tools = project / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "cksum", "dirname", "find", "rm", "sort", "xargs"):
        (tools / name).symlink_to(shutil.which(name) or "")
    done = call("install.sh", cwd=project, PATH=str(tools))
    assert done.returncode == 2, done.stderr
    assert "there is no Python of version 3.11 to 3.13 on PATH" in done.stderr


@pytest.mark.slow
def test_a_package_server_that_is_down_does_not_look_like_a_bad_model(project: Path) -> None:
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_CACHE_DIR": str(project / "cache")}
    done = call("install.sh", cwd=project, PATH=PLAIN, **offline)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "mlci could not be installed" in done.stderr
    assert not list(project.glob("runner/*/complete"))
    assert not list(project.glob("runner/*/*/.packages"))  # half an environment is not taken for a whole one
