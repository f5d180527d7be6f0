"""Decides which stages a run needs, in which order, and why each one runs or is skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlci import __version__
from mlci.config import Config
from mlci.core.errors import MlciError
from mlci.core.files import sha256_text
from mlci.core.inputs import fields_of, unimportant
from mlci.core.plan import Action
from mlci.core.results import StageResult
from mlci.core.stage import Context, Stage
from mlci.core.status import Status

_NAMED_CHANGES = 3


@dataclass(frozen=True)
class Decision:
    """What happens with a stage, and the sentence that says why.

    `parts` are those of a fresh fingerprint; None where they could not be known yet.
    """

    stage: Stage
    action: Action
    why: str
    parts: Mapping[str, str] | None = None


def fingerprint(stage: Stage, config: Config, context: Context) -> dict[str, str]:
    """Return all that a stage's result depends on: each part with its digest or version.

    Cheap: unchanged files are not read, and no machine-learning library is imported.
    Raises the errors of the stage's own `parts`.
    """
    found = {"mlci": __version__}
    for section in (stage.name, *stage.sections):
        inputs = config.sections[section]
        values = inputs.model_dump(mode="json", by_alias=True)
        for key, field in fields_of(type(inputs)).items():
            if not unimportant(field):
                # A digest, since a value may be a secret and the fingerprint is published.
                found[f"{section}.{key}"] = sha256_text(json.dumps(values[key], sort_keys=True))[:16]
    return {**found, **stage.parts(config.sections[stage.name], context)}


def decide(
    stage: Stage, config: Config, context: Context, *, force: bool = False, waiting_for: Sequence[str] = ()
) -> Decision:
    """Decide about one stage. `waiting_for` names stages before it that will run first."""
    if stage.name not in config.given:
        return Decision(stage, "absent", f"there is no '{stage.name}' section in {config.file.name}")
    before = [name for name in waiting_for if name in stage.after]
    try:
        parts = fingerprint(stage, config, context)
    except MlciError as error:
        if before:
            return Decision(stage, "run", _runs_before(before))
        return Decision(stage, "run", f"its inputs are not in order: {error.message}")
    if force:
        return Decision(stage, "run", "--force", parts)
    previous = context.results.get(stage.name)
    why = _reason_to_run(previous, parts, context)
    if why is None and before:
        return Decision(stage, "run", f"{_runs_before(before)} (skipped if nothing comes of that)", parts)
    if why is not None:
        return Decision(stage, "run", why, parts)
    assert previous is not None  # noqa: S101 - _reason_to_run gives a reason where there is no result
    return Decision(stage, "skip", f"nothing it depends on has changed; {_verdict(previous)}", parts)


def plan(stages: Sequence[Stage], config: Config, context: Context, *, force: bool = False) -> list[Decision]:
    """Decide about all stages as far as it can be known before any of them has run."""
    decisions: list[Decision] = []
    waiting: list[str] = []
    for stage in stages:
        decision = decide(stage, config, context, force=force, waiting_for=waiting)
        if decision.action == "run":
            waiting.append(stage.name)
        decisions.append(decision)
    return decisions


def _reason_to_run(previous: StageResult | None, parts: Mapping[str, str], context: Context) -> str | None:
    if previous is None:
        return "it has not run yet"
    if previous.error is not None:
        return f"it ended with error[{previous.error.code}] last time"
    if previous.status is Status.ERRORED:
        return "it could not be evaluated last time"
    changed = _changes(previous.fingerprint, parts)
    if changed:
        shown = ", ".join(changed[:_NAMED_CHANGES])
        more = f" and {len(changed) - _NAMED_CHANGES} more" if len(changed) > _NAMED_CHANGES else ""
        return f"changed: {shown}{more}"
    for artifact in previous.artifacts:
        path = context.out / artifact.path
        if not path.exists() or context.digests.of(path) != artifact.sha256:
            return f"its output {context.out.name}/{artifact.path} was removed or changed"
    return None


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return the parts that differ, in words."""
    found: list[str] = []
    for name in sorted({*old, *new}):
        if name not in old:
            found.append(f"{name} (new)")
        elif name not in new:
            found.append(f"{name} (gone)")
        elif old[name] != new[name]:
            versions = name.startswith("package ") or name in ("python", "mlci")
            found.append(f"{name} {old[name]} → {new[name]}" if versions else name)
    return found


def _verdict(previous: StageResult) -> str:
    return (
        f"it {previous.status.value}" if previous.status is not Status.INCONCLUSIVE else "it was inconclusive"
    )


def _runs_before(names: Sequence[str]) -> str:
    return f"{names[0]} runs before it" if len(names) == 1 else f"{' and '.join(names)} run before it"
