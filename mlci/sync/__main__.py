"""python -m mlci.sync [--check]: write the generated files, or show which of them are stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mlci.sync import KINDS
from mlci.sync._tree import Kind, differences, expected, write

REPOSITORY = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the generated files below the repository, or with --check show what differs and return 1."""
    parser = argparse.ArgumentParser(prog="python -m mlci.sync", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; show a diff, exit with 1 if any"
    )
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="the repository; default: this one")
    options = parser.parse_args(arguments)
    kinds: list[Kind] = list(KINDS)
    files = expected(kinds)
    if not options.check:
        for path in write(options.root, kinds, files):
            print(path)
        return 0
    found = differences(options.root, kinds, files)
    for difference in found:
        print(difference)
    if found:
        print(f"{len(found)} of {len(files)} generated files are not up to date; run `python -m mlci.sync`")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
