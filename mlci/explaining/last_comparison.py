"""What the last run left behind about its comparison."""

from __future__ import annotations

from pathlib import Path

from mlci.core.errors import MlciError
from mlci.core.results import Artifact, Check, Policy, StageResult
from mlci.results_folder import read_report, read_results

NAME = "compare-to-baseline"
_AGAIN = f"run `mlci {NAME}`, or `mlci run` for all stages"


def read_comparison(out: Path) -> StageResult:
    """Return the result of the last comparison; raises MlciError `stage.not-run` without a usable one."""
    found = read_results(out, [NAME]).get(NAME)
    if found is None:
        raise MlciError("stage.not-run", f"there is no {NAME}.json in '{out.name}' to explain", _AGAIN)
    if found.error is not None:
        raise MlciError(
            "stage.not-run",
            f"the last comparison ended with error[{found.error.code}]",
            found.error.hint or _AGAIN,
        )
    return found


def read_answers(out: Path, comparison: StageResult) -> tuple[Path, Path | None]:
    """Return the files with what candidate and baseline said, as they were compared; None for no baseline.

    Raises MlciError `stage.not-run` when they are gone, or are not those that were compared.
    """
    train = read_results(out, ["train"]).get("train")
    candidate = _artifact(train)
    if candidate is None or comparison.fingerprint.get(candidate.path, candidate.sha256) != candidate.sha256:
        raise MlciError(
            "stage.not-run", "the candidate is another one than that of the last comparison", _AGAIN
        )
    baseline = _artifact(comparison)
    paths = [out / candidate.path, None if baseline is None else out / baseline.path]
    for path in paths:
        if path is not None and not path.is_file():
            raise MlciError(
                "stage.not-run", f"'{path.name}' of the last comparison is not in '{out.name}'", _AGAIN
            )
    return out / candidate.path, paths[1]


def refuse_other_rows(comparison: StageResult, evaluate: str, digest: str) -> None:
    """Raise MlciError `stage.not-run` when the evaluation rows are not those of the comparison."""
    if comparison.fingerprint.get(evaluate, digest) != digest:
        raise MlciError("stage.not-run", f"'{evaluate}' has changed since the last comparison", _AGAIN)


def policy_of(out: Path) -> Policy | None:
    """Return the policy of the last report; None where there is none."""
    try:
        return read_report(out / "report.json").policy
    except MlciError:
        return None


def top_checks(comparison: StageResult) -> list[Check]:
    """Return the check of each gate, in the order of the gates: those of its slices are not among them."""
    return [
        check
        for check in comparison.checks
        if check.slice is None and check.limit is not None and check.metric is not None
    ]


def metric_of(check: Check) -> str:
    """Return the name of the metric that a gate's check is about."""
    return check.name.removeprefix("Worst-slice ").partition(" ")[0]


def _artifact(result: StageResult | None) -> Artifact | None:
    artifacts = result.artifacts if result is not None else []
    return next((artifact for artifact in artifacts if artifact.role == "predictions"), None)
