"""The toolkit as its users get it: a copy of what git tracks or will track, at an address of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from mlci.sync.__main__ import REPOSITORY

TOOLKIT = "acme/mlci"
REF = "v1"
_KEPT = ("mlci/", "actions/", ".gitlab-ci-templates/", "templates/", ".github/", "requirements/", "scripts/")
_FILES = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
_SELF = re.compile(r"(\buses: *)\$/([^\s@]+)")


def export(folder: Path) -> Path:
    """Copy what the wrappers need, without git's own folder: a runner downloads an archive, not a clone.

    `uses: $/p` means the same repository at the same commit; act does not know it, so it is written out.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in listed.split("\0"):
        if (name.startswith(_KEPT) or name in _FILES) and (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    for path in [*folder.glob(".github/workflows/*.yml"), *folder.glob("actions/*/action.yml")]:
        path.write_text(written_out(path.read_text("utf-8")), "utf-8")
    return folder


def written_out(text: str) -> str:
    """Return a workflow with `$/path` as the address that act knows the toolkit by."""
    return _SELF.sub(rf"\g<1>{TOOLKIT}/\g<2>@{REF}", text)
