"""actions/setup: where mlci goes, in which Python the project's programs run, and the key of the cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from setup_steps import BIN, PLAIN, SETUP, SYSTEM, call, later_step, outputs, program

from mlci.sync.__main__ import REPOSITORY

WHERE = 'import os, sys; print(os.environ.get("VIRTUAL_ENV"), sys.executable)'


def made(project: Path, **given: str) -> str:
    """Run the step that finds the project's environment, and return the Python that it found."""
    done = call("project.sh", cwd=project, **given)
    assert done.returncode == 0, done.stdout + done.stderr
    return outputs(project).get("project-python", "")


def refused(project: Path, **given: str) -> tuple[int, str]:
    """Run the step that finds the project's environment, and return how it ended."""
    done = call("project.sh", cwd=project, **given)
    assert f"::error title=mlci::{done.stderr.splitlines()[-2].removeprefix('error: ')}" in done.stdout
    return done.returncode, done.stderr


def environment(folder: Path) -> Path:
    """Make an environment without pip and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


def marker(project: Path, name: str) -> str | None:
    found = [path.read_text().strip() for path in project.glob(f"runner/*/{name}")]
    return found[0] if found else None


# ---- which environment ----


def test_nothing_is_looked_for_unasked(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    assert made(tmp_path) == ""
    assert made(tmp_path, MLCI_SETUP_ENVIRONMENT="isolated") == ""
    assert not list(tmp_path.rglob("bin"))
    assert marker(tmp_path, "chosen-python") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"MLCI_SETUP_ENVIRONMENT": "projct"}, "MLCI_SETUP_ENVIRONMENT is 'projct', not one of: isolated project"),
        ({"MLCI_SETUP_PROJECT": "poetry"}, "MLCI_SETUP_PROJECT is 'poetry', not one of: auto uv pip venv conda"),
        ({"MLCI_SETUP_ENVIRONMENT": "isolated", "MLCI_PYTHON": "python"}, "environment is isolated, and mlci-python"),
        ({"MLCI_SETUP_ENVIRONMENT": "project"}, "no environment of the project was found"),
        ({"MLCI_SETUP_PROJECT": "uv"}, "there is no uv.lock in '.'"),
        ({"MLCI_SETUP_PROJECT": "pip"}, "there is no requirements.txt in '.'"),
        ({"MLCI_SETUP_REQUIREMENTS": "dev.txt"}, "there is no file 'dev.txt'"),
        ({"MLCI_SETUP_PROJECT": "venv"}, "there is no .venv in '.', and none is activated"),
        ({"MLCI_PYTHON": ".venv/bin/python"}, "'.venv/bin/python' is not a Python"),
        ({"MLCI_SETUP_PROJECT": "conda"}, "project is conda, and conda-environment is empty"),
        ({"MLCI_SETUP_CONDA_ENVIRONMENT": "ml", "PATH": SYSTEM}, "there is no conda or micromamba on PATH"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(tmp_path: Path, given: dict[str, str], message: str) -> None:
    code, text = refused(tmp_path, **given)
    assert code == 2
    assert f"error: {message}" in text
    assert "hint: " in text


def test_an_environment_that_is_there_is_found_from_the_project_upwards(tmp_path: Path) -> None:
    above = environment(tmp_path / ".venv")
    given = {"MLCI_SETUP_ENVIRONMENT": "project", "MLCI_SETUP_FOLDER": "models/a"}
    assert made(tmp_path, **given) == str(above)
    below = environment(tmp_path / "models/a/.venv")
    assert made(tmp_path, **given) == str(below)
    assert marker(tmp_path, "chosen-python") == str(below)
    activated = environment(tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / ".venv")
    shutil.rmtree(tmp_path / "models")
    assert made(tmp_path, **given, VIRTUAL_ENV=str(activated.parents[1])) == str(activated)


def test_requirements_go_into_an_environment_of_their_own(tmp_path: Path) -> None:
    """Not into the Python of the job, which may be that of the machine."""
    (tmp_path / "package").mkdir()
    (tmp_path / "requirements.txt").write_text("# nothing to fetch\n")
    found = made(tmp_path, MLCI_SETUP_REQUIREMENTS="requirements.txt", PATH=PLAIN)
    assert Path(found).is_relative_to(tmp_path / "runner")
    assert marker(tmp_path, "chosen-python") is None  # mlci itself stays apart
    shown = program(tmp_path / "seeing" / "mlci", f"exec python -c '{WHERE}'").parent
    done = call("run.sh", "train", cwd=tmp_path, MLCI_INSTALL="false", PATH=f"{shown}:{PLAIN}")
    assert done.stdout.split() == [str(Path(found).parents[1]), found]


def test_a_second_setup_forgets_the_first(tmp_path: Path) -> None:
    environment(tmp_path / ".venv")
    made(tmp_path, MLCI_SETUP_ENVIRONMENT="project")
    assert marker(tmp_path, "chosen-python")
    call("project.sh", cwd=tmp_path)
    assert marker(tmp_path, "chosen-python") is None
    assert marker(tmp_path, "project-python") is None


UV_PROJECT = '[project]\nname = "churn"\nversion = "0.1"\nrequires-python = ">=3.11"\n'


def test_uv_makes_the_environment_of_its_lock(tmp_path: Path) -> None:
    path = {"PATH": f"{BIN}:{SYSTEM}", "UV_OFFLINE": "1"}
    (tmp_path / "pyproject.toml").write_text(UV_PROJECT)
    subprocess.run([BIN / "uv", "lock", "--quiet", "--offline"], cwd=tmp_path, check=True)
    found = made(tmp_path, MLCI_SETUP_ENVIRONMENT="project", **path)
    assert Path(found).parent == tmp_path / ".venv/bin"
    assert marker(tmp_path, "chosen-python") == found
    # A lock that is out of date is a mistake in the repository, not a server that is down.
    (tmp_path / "pyproject.toml").write_text(
        UV_PROJECT.replace("0.1", "0.2") + 'dependencies = ["churn-x"]\n'
    )
    code, text = refused(tmp_path, MLCI_SETUP_PROJECT="uv", **path)
    assert code == 2
    assert "run 'uv lock' and commit uv.lock" in text


def test_a_conda_environment_is_entered_by_conda(tmp_path: Path) -> None:
    """conda itself cannot be installed from a Python package: the stand-in takes what its manual names."""
    python = environment(tmp_path / "envs/ml")
    wanted = '"run --name ml "*) shift 3 ;; "run --no-capture-output --name ml "*) shift 4 ;;'
    conda = f'case "$*" in {wanted} *) exit 9 ;; esac'
    tools = program(tmp_path / "tools/conda", f'{conda}\nACTIVATED=yes exec {python.parent}/"$@"').parent
    given = {"MLCI_SETUP_CONDA_ENVIRONMENT": "ml", "PATH": f"{tools}:{SYSTEM}"}
    assert made(tmp_path, MLCI_SETUP_ENVIRONMENT="project", **given) == str(python)
    launcher = marker(tmp_path, "chosen-python")
    assert launcher is not None
    done = later_step(tmp_path, launcher, "-c", 'import os; print(os.environ["ACTIVATED"])')
    assert done.stdout == "yes\n", done.stderr
    code, text = refused(tmp_path, **{**given, "MLCI_SETUP_CONDA_ENVIRONMENT": "other"})
    assert code == 2
    assert "there is no Python in the conda environment 'other'" in text


# ---- later steps ----


def test_a_stage_of_the_same_job_uses_what_setup_made(tmp_path: Path) -> None:
    """It has no inputs about the environment, and no variable of the job tells it."""
    python = environment(tmp_path / ".venv")
    made(tmp_path, MLCI_SETUP_ENVIRONMENT="project")
    python.unlink()
    program(python, 'echo "chosen: $*"')
    tools = program(tmp_path / "tools/uv", 'echo "uv: $*"').parent
    done = call("install.sh", "add-to-path", cwd=tmp_path, PATH=f"{tools}:{SYSTEM}")
    assert f"uv: pip install --quiet --python {python} {REPOSITORY}" in done.stdout.splitlines()
    # Once: what comes after it in the job finds it there.
    assert call("install.sh", cwd=tmp_path).stdout == ""
    assert call("install.sh", "light", cwd=tmp_path).stdout == ""
    assert call("run.sh", "train", cwd=tmp_path).stdout == "chosen: -P -m mlci train\n"


def test_the_command_on_path_never_calls_itself(tmp_path: Path) -> None:
    """A stage with install: false takes the mlci on PATH, which may be the one that setup put there."""
    python = environment(tmp_path / ".venv")
    made(tmp_path, MLCI_SETUP_ENVIRONMENT="project")
    done = call("install.sh", "add-to-path", cwd=tmp_path, MLCI_INSTALL="false")
    assert done.returncode == 0, done.stderr
    python.unlink()
    program(python, 'echo "chosen: $*"')
    given = {"MLCI_INSTALL": "false", "MLCI_FROM": "train"}
    done = later_step(tmp_path, "bash", str(SETUP / "run.sh"), "run", **given)
    assert done.stdout == "chosen: -P -m mlci run --from train\n", done.stderr


# ---- the cache ----


def key(project: Path, setup: Path = SETUP, **given: str) -> str:
    # With the Python of the test: another one may come first on the PATH of this machine.
    done = call("cache.sh", cwd=project, setup=setup, **{"PATH": PLAIN, **given})
    assert done.returncode == 0, done.stderr
    return outputs(project).get("key", "")


def test_the_key_holds_what_the_packages_depend_on_and_nothing_of_the_caller(tmp_path: Path) -> None:
    found = key(tmp_path)
    system, _, rest = found.removeprefix("mlci-packages-").partition("-x86_64-")
    assert system.split("-")[-1].replace(".", "").isalnum()
    assert rest.startswith(f"{sys.version.split()[0]}-")
    assert outputs(tmp_path)["path"].startswith(str(tmp_path / "runner"))
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/main.txt").write_text("the caller's own\n")
    assert key(tmp_path) == found
    copy = tmp_path / "copy"
    for name in ("actions/setup", "requirements"):
        shutil.copytree(REPOSITORY / name, copy / name)
    (copy / "mlci").mkdir()
    shutil.copy(REPOSITORY / "mlci/__init__.py", copy / "mlci/__init__.py")
    assert key(tmp_path, copy / "actions/setup") == found
    with (copy / "requirements/main.txt").open("a") as stream:
        stream.write("# one more\n")
    assert key(tmp_path, copy / "actions/setup") != found


def test_another_python_is_another_key(tmp_path: Path) -> None:
    found = key(tmp_path, PATH=PLAIN)
    versions = [path for path in ("3.12", "3.13") if shutil.which(f"python{path}")]
    other = program(tmp_path / "tools/python3", f'exec "{sys.executable}" "$@"').parent
    assert key(tmp_path, PATH=f"{other}:{SYSTEM}") == found  # the same one under another name
    copy = tmp_path / "another"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", copy], check=True)
    assert key(tmp_path, PATH=f"{copy / 'bin'}:{SYSTEM}") == found  # an environment of it
    for version in versions:
        done = subprocess.run([f"python{version}", "-c", ""], check=False, capture_output=True)
        if done.returncode == 0:
            real = program(tmp_path / version / "python3", f'exec "{shutil.which(f"python{version}")}" "$@"')
            assert key(tmp_path, PATH=f"{real.parent}:{SYSTEM}") != found


@pytest.mark.parametrize("given", [{"MLCI_SETUP_CACHE": "false"}, {"MLCI_INSTALL": "false"}])
def test_no_key_is_no_cache(tmp_path: Path, given: dict[str, str]) -> None:
    assert key(tmp_path, **given) == ""


def test_the_projects_environment_is_not_cached(tmp_path: Path) -> None:
    environment(tmp_path / ".venv")
    made(tmp_path, MLCI_SETUP_ENVIRONMENT="project")
    assert key(tmp_path) == ""


def test_a_word_for_the_cache_that_is_none_is_refused(tmp_path: Path) -> None:
    done = call("cache.sh", cwd=tmp_path, MLCI_SETUP_CACHE="no")
    assert done.returncode == 2
    assert "MLCI_SETUP_CACHE is 'no', not true or false" in done.stderr
