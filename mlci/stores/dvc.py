"""DVC: the cache of one checkout shared with another, and data files brought back from it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ParserError
from pathlib import Path

from mlci.core.errors import MlciError
from mlci.process import Completed, python_module, run_quiet

_LAST_LINES = 3


def project_folder(folder: Path) -> Path | None:
    """Return the DVC repository that `folder` is in: the nearest one with `.dvc`; None without one."""
    return next((place for place in (folder, *folder.parents) if (place / ".dvc").is_dir()), None)


def remote_urls(folder: Path) -> list[str]:
    """Return the addresses of the remotes that the DVC repository around `folder` knows; none without one.

    Only the file that git shares is read: no program is started, and no credential is in it.
    """
    place = project_folder(folder)
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string((place / ".dvc" / "config").read_text("utf-8") if place else "")
    except (OSError, UnicodeDecodeError, ParserError):
        return []
    return [section["url"] for name, section in parser.items() if "remote" in name and "url" in section]


def share_cache(root: Path, checkout: Path, variables: Mapping[str, str]) -> None:
    """Let `checkout`, another checkout of the repository that `root` is in, use the cache of `root`.

    Settings that are kept out of git (`.dvc/config.local`, often with credentials) go along.
    """
    ours, theirs = project_folder(root), project_folder(checkout)
    if ours is None or theirs is None or ours == theirs or not theirs.is_relative_to(_top(root, checkout)):
        return
    local = ours / ".dvc" / "config.local"
    if local.is_file():
        shutil.copyfile(local, theirs / ".dvc" / "config.local")
    cache = _dvc(ours, variables, "cache", "dir").stdout.strip()
    if cache:
        _dvc(theirs, variables, "cache", "dir", "--local", os.path.normpath(ours / cache))


def bring(checkout: Path, name: str, variables: Mapping[str, str]) -> bool:
    """Put the data file that `name`.dvc describes in its place; False where there is no such description.

    Looks into the cache before the remote. Raises MlciError `dvc.failed` when neither has it.
    """
    pointer = f"{name}.dvc"
    if not (checkout / pointer).is_file():
        return False
    for command in ("checkout", "pull"):
        done = _dvc(checkout, variables, command, "--quiet", pointer)
        if done.returncode == 0 and (checkout / name).exists():
            return True
    last = " ".join((done.stderr or done.stdout).split("\n")[-_LAST_LINES:]).strip()
    raise MlciError(
        "dvc.failed",
        f"neither DVC's cache nor its remote has '{name}' of that commit: {last}",
        "run `dvc fetch --all-commits`, or `dvc push` where the file is",
    )


def _top(root: Path, checkout: Path) -> Path:
    """Return the top of a checkout, which lies as far above `checkout` as git's top above `root`."""
    up = next((number for number, place in enumerate((root, *root.parents)) if (place / ".git").exists()), 0)
    return (checkout, *checkout.parents)[up]


def _dvc(folder: Path, variables: Mapping[str, str], *arguments: str) -> Completed:
    return run_quiet(python_module("dvc", *arguments), cwd=folder, env={**variables, "DVC_NO_ANALYTICS": "1"})
