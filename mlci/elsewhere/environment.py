"""Builds the environment that a model needs, once for each list of requirements."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlci.core.errors import MlciError
from mlci.core.files import sha256_text, write_atomic
from mlci.core.ports import Say
from mlci.elsewhere.requirements import Needs
from mlci.process import run_quiet

_DONE = "complete"
_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def python_with(needs: Needs, cache: Path, variables: Mapping[str, str], say: Say) -> Path:
    """Return the Python of an environment that holds what is needed, built by uv, else by venv and pip.

    It is kept under `cache` by the digest of the requirements, Python's version and the machine.
    Raises MlciError `baseline.environment` when it cannot be built.
    """
    question = [needs.python or _HERE, *needs.packages, platform.system(), platform.machine()]
    folder = cache / "environments" / sha256_text("\n".join(question))[:16]
    python = folder / "bin" / "python"
    if (folder / _DONE).exists() and run_quiet([str(python), "-c", ""], cwd=cache).returncode == 0:
        return python
    say(
        f"build an environment with {', '.join(needs.packages[:4])} and {len(needs.packages)} packages in all"
    )
    shutil.rmtree(folder, ignore_errors=True)  # one that was interrupted, or whose Python is gone
    folder.parent.mkdir(parents=True, exist_ok=True)
    for command in _commands(needs, folder, variables):
        done = run_quiet(command, cwd=folder.parent, env=variables)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise MlciError(
                "baseline.environment",
                f"the model's environment cannot be built: {(lines or ['no output'])[-1][:300]}",
                "it is installed from the package index: can this machine reach it? "
                "Else set compare-to-baseline.environment: here, and train the baseline again",
            )
    write_atomic(folder / _DONE, "\n".join(needs.packages) + "\n")
    return python


def _commands(needs: Needs, folder: Path, variables: Mapping[str, str]) -> list[Sequence[str]]:
    """Return the commands that make the environment, by the fastest tool that is there."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv", path=variables.get("PATH"))
    wanted = needs.python or _HERE
    if uv:
        python = sys.executable if wanted == _HERE else wanted
        target = str(folder / "bin" / "python")
        return [
            [uv, "venv", "--quiet", "--python", python, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", target, *needs.packages],
        ]
    found = sys.executable if wanted == _HERE else shutil.which(f"python{wanted}", path=variables.get("PATH"))
    if found is None:
        raise MlciError(
            "baseline.environment",
            f"the model needs Python {wanted}, which is not on PATH",
            "install it, or install uv, which brings other versions along",
        )
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [[found, "-m", "venv", str(folder)], [*pip, *needs.packages]]
