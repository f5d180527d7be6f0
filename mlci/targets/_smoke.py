"""The smoke test: the new version says to the example rows what it said when it was packaged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.ports import Release

TOLERANCE = 1e-6


def differs(answer: Any, expected: Any) -> bool:
    """Return whether two predictions differ: numbers by more than a relative 1e-6, others at all."""
    try:
        return not math.isclose(float(answer), float(expected), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    except (TypeError, ValueError):
        return str(answer) != str(expected)


def refuse_wrong_answers(answers: Sequence[Any], expected: Sequence[Any], who: str) -> None:
    """Raise MlciError `deploy.smoke-test` when answers are missing or wrong."""
    if len(answers) != len(expected):
        raise MlciError("deploy.smoke-test", f"{who} gave {len(answers)} answers to {len(expected)} rows")
    wrong = sum(differs(answer, right) for answer, right in zip(answers, expected, strict=True))
    if wrong:
        raise MlciError(
            "deploy.smoke-test",
            f"{who} answers {wrong} of {len(expected)} example rows differently than when it was packaged",
            "the environment that serves differs from the one that trained; compare their versions",
        )


def compare_answers(release: Release, model: Path) -> None:
    """Ask a model folder in a fresh process and compare with what is expected."""
    import pandas as pd

    from mlci.scoring import score_in_fresh_process

    out = release.work / "answers.parquet"
    try:
        score_in_fresh_process(
            model, release.example, out, drop=(), trusted=release.options.trusted_types, root=release.root
        )
    except MlciError as error:
        raise MlciError(
            "deploy.smoke-test", f"version {release.version} does not load: {error.message}", error.hint
        ) from error
    answers = pd.read_parquet(out)["prediction"].tolist()
    expected = pd.read_parquet(release.expected)["prediction"].tolist()
    refuse_wrong_answers(answers, expected, f"version {release.version}")
