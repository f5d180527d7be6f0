"""What an MLflow model says that it needs: Python's version and packages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from mlci.core.errors import MlciError

_NAME = re.compile(r"^[A-Za-z0-9][\w.-]*")


class Needs(NamedTuple):
    """Python as `3.11` (None when the model does not say), and one requirement a line."""

    python: str | None
    packages: tuple[str, ...]


def needs_of(folder: Path, kind: str) -> Needs:
    """Return what the model in an MLflow folder needs to be loaded and asked.

    Read from requirements.txt, else conda.yaml. MLflow itself is left out where the model's file can be
    opened without it. Raises MlciError `baseline.environment` when nothing is recorded, or a package is
    named by an address, which would be fetched from wherever the model's author wants.
    """
    lines = _lines(folder)
    if not lines:
        raise MlciError(
            "baseline.environment",
            f"'{folder.name}' has neither requirements.txt nor conda.yaml with packages",
            "train the baseline again with today's versions",
        )
    by_address = [line for line in lines if "://" in line or line.startswith(("/", "."))]
    if by_address:
        raise MlciError(
            "baseline.environment",
            f"the model's requirements name a package by its address: {by_address[0]}",
            "install it where mlci runs, or train the baseline again",
        )
    kept = [line for line in lines if not line.startswith("-")]
    if kind != "python_function":
        kept = [line for line in kept if _name(line) not in ("mlflow", "mlflow-skinny")]
    present = {_name(line) for line in kept}
    extra = {"skops": "skops", "pickle": "cloudpickle", "python_function": "mlflow"}[kind]
    return Needs(
        _python(folder), (*kept, *(name for name in ("pandas", "pyarrow", extra) if name not in present))
    )


def _lines(folder: Path) -> list[str]:
    path = folder / "requirements.txt"
    if path.is_file():
        found = path.read_text("utf-8").splitlines()
    else:
        packages = _yaml(folder / "conda.yaml").get("dependencies") or []
        found = [str(line) for item in packages if isinstance(item, dict) for line in item.get("pip") or []]
    stripped = [line.split(" #")[0].strip() for line in found]
    return [line for line in stripped if line and not line.startswith("#")]


def _python(folder: Path) -> str | None:
    text = str(_yaml(folder / "python_env.yaml").get("python") or "")
    if not text:
        listed = [str(item) for item in _yaml(folder / "conda.yaml").get("dependencies") or []]
        text = next((item.partition("=")[2].lstrip("=") for item in listed if item.startswith("python=")), "")
    found = re.match(r"\d+\.\d+", text)
    return found.group() if found else None


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _name(line: str) -> str:
    found = _NAME.match(line)
    return found.group().lower().replace("_", "-") if found else ""
