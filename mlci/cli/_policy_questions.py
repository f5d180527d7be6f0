"""What commands that ask about the policy have in common: its sections, a throw-away folder, a table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.cli import options

if TYPE_CHECKING:
    from mlci.core.stage import Context
    from mlci.stages.compare_to_baseline import CompareInputs

STAGE = "compare-to-baseline"


@contextmanager
def asked_policy(
    config: Path | None, set_: list[str] | None, out: Path | None, *, quiet: bool
) -> Iterator[tuple[CompareInputs, Context]]:
    """Yield the gates' section and a context like that of the stage, with a folder that is thrown away.

    The policy is the one in force: in a pull request that of the commit it is based on. Progress goes
    to standard error, unless `quiet`.
    """
    from mlci.cli.execute import make_run
    from mlci.cli.progress import Progress
    from mlci.cli.reviewed import read_reviewed
    from mlci.results_folder import prepare_folder
    from mlci.stages.compare_to_baseline import CompareInputs

    reviewed = read_reviewed(config, set_)
    run = make_run(reviewed.config, out, reviewed=reviewed)
    prepare_folder(run.state)
    with (
        tempfile.TemporaryDirectory(prefix="mlci-", dir=run.state) as folder,
        Progress(moving=not run.provider.ci) as progress,
    ):
        run.say = progress.say if not quiet else lambda _: None
        context = replace(run.context(), work=Path(folder))
        yield run.config.section(STAGE, CompareInputs), context


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned plain text: the first column to the left, all others to the right."""
    from mlci.reporters._escape import one_line

    rows = [[one_line(cell, 80) for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in (header, *rows)) for index in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def harmless_text(text: str) -> str:
    """Return text without secrets, control characters and commands to CI."""
    from mlci.cli.progress import harmless
    from mlci.process import redact
    from mlci.reporters._escape import printable

    return harmless(printable(redact(text, options.variables()), 1_000_000))
