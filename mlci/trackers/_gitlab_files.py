"""A model folder in GitLab's storage, which has no folders: files as they are, the rest in an archive beside them."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from mlci.core.errors import MlciError
from mlci.core.files import files_below, folder_in_progress
from mlci.trackers._gitlab_api import GitlabApi
from mlci.trackers._gitlab_text import is_plain

ARCHIVE = "mlci-folders.zip"
"""Holds the files that are in a folder, or whose name GitLab would refuse; any other tool can open it too."""


def store(api: GitlabApi, address: str, model: Path) -> None:
    """Upload a model folder. MLmodel and its like stay files of their own, so that MLflow loads them from there."""
    names = [path.relative_to(model) for path in files_below(model)]
    plain = [name for name in names if len(name.parts) == 1 and is_plain(name.name)]
    rest = [name for name in names if name not in plain]
    with tempfile.TemporaryDirectory() as work:
        if rest:
            archive = Path(work, ARCHIVE)
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
                for name in rest:
                    packed.write(model / name, name.as_posix())
            api.upload(address, ARCHIVE, archive)
        for name in plain:
            api.upload(address, name.name, model / name)


def fetch(api: GitlabApi, of: str, folder: Path, shown: str) -> Path:
    """Copy a model to `folder`/model and return that folder; it is whole or not there.

    Raises MlciError `model.unreadable` when what is stored holds no MLmodel file.
    """
    final = folder / "model"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch.") as work:
        found = Path(work)
        for name in api.files(of):
            if not is_plain(name):
                raise _unreadable(shown, f"holds a file with the name '{name}'")
            api.download(of, name, found / name)
        if (found / ARCHIVE).is_file():
            _unpack(found / ARCHIVE, found, shown)
        if not (found / "MLmodel").is_file():
            raise _unreadable(shown, "has no MLmodel file")
        with folder_in_progress(final) as place:
            shutil.copytree(found, place, dirs_exist_ok=True)
    return final


def _unpack(archive: Path, folder: Path, shown: str) -> None:
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                path = PurePosixPath(name)
                if path.is_absolute() or ".." in path.parts or (folder / name).exists():
                    raise _unreadable(shown, f"would write to '{name}'")
            packed.extractall(folder)
    except zipfile.BadZipFile as error:
        raise _unreadable(shown, f"has a damaged {ARCHIVE}") from error
    archive.unlink()


def _unreadable(shown: str, why: str) -> MlciError:
    return MlciError("model.unreadable", f"{shown} in GitLab's registry {why}", "register the model again")
