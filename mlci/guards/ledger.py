"""Counts how many candidates each evaluation set has decided on: a set that decides often is slowly learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.files import write_atomic
from mlci.core.results import Check
from mlci.core.status import Status

FILE = "ledger.json"
TAG = "mlci.evaluation.uses"
"""Tag of a packaged version: how many candidates its evaluation set had decided on by then."""
_LOCK_SECONDS = 10.0


def count_use(cache: Path, evaluation: str, candidate: str, *, at_least: int = 0) -> int:
    """Write down that a candidate is judged on an evaluation set; return how many were, this one included.

    `evaluation` and `candidate` are digests; the same candidate counts once, however often it is judged.
    `at_least` is the count that a registered version has told of: it makes up for a ledger that was lost.
    A damaged ledger begins anew. Raises MlciError `run.locked` when another process holds it.
    """
    from filelock import FileLock, Timeout

    cache.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(cache / f"{FILE}.lock", timeout=_LOCK_SECONDS):
            ledger = _read(cache / FILE)
            entry = ledger.setdefault(evaluation, {"before": 0, "candidates": []})
            known: list[str] = entry["candidates"]
            fresh = candidate not in known
            before: int = max(entry["before"], at_least - len(known))
            if fresh:
                known.append(candidate)
            if fresh or before != entry["before"]:
                entry["before"] = before
                write_atomic(cache / FILE, json.dumps(ledger, indent=1) + "\n")
            return before + len(known)
    except Timeout as error:
        raise MlciError(
            "run.locked", f"another process holds '{FILE}' in the cache", "wait for it, and run again"
        ) from error


def uses_check(uses: int, warn_after: int) -> Check:
    """Return the check that warns of an evaluation set that has decided on too many candidates."""
    message = f"{uses:,} candidates have been judged on this evaluation set"
    worn = uses > warn_after
    if worn:
        message += ": the best of many is partly luck on these rows; take fresh ones, and train on these"
    return Check(
        name="the evaluation set is not worn out",
        status=Status.WARNED if worn else Status.PASSED,
        message=message,
        limit=f"≤ {warn_after:,} candidates",
        observed=uses,
        expected=warn_after,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    sound = isinstance(found, dict) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("before"), int)
        and isinstance(entry.get("candidates"), list)
        for entry in found.values()
    )
    return found if sound else {}
