"""Says what a change does to the policy, key by key, and whether that makes it easier to pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from mlci.core.errors import MlciError
from mlci.core.files import sha256_text
from mlci.core.inputs import Inputs, fields_of
from mlci.core.results import Policy, PolicyChange
from mlci.policy.gates import gate_changes
from mlci.policy.rules import SHOWN, TAKEN_OVER, Rules, policy_keys, rules_of
from mlci.policy.slices import slices_effect

Effect = Literal["weaker", "stronger", "changed"]
_LONGEST = 60
_OUTCOMES = {"fail": 2, "warn": 1, "pass": 0, "accept": 0, "off": 0}


def compare(old: str | None, new: str | None, folder: str = "") -> list[PolicyChange]:
    """Return the differences between two configuration texts, those that weaken the policy first.

    `folder` is where the file is, for a repository with several. A text that is new brings rules and
    changes none; one that is gone, or that cannot be read any more, judges nothing.
    """
    if old is None or old == new:
        return []
    place = f"{folder}/mlci.yaml" if folder not in ("", ".") else "mlci.yaml"
    try:
        before = rules_of(old, place)
    except MlciError:
        return []  # it judged nothing before either
    try:
        after = rules_of(new, place)
    except MlciError as error:
        return [
            PolicyChange(key=place, effect="weaker", message=f"it cannot be read any more: {error.message}")
        ]
    if before is None or after is None:
        return [PolicyChange(key=place, effect="weaker", message="the file is removed")]
    found = [*_removed_sections(old, new), *_differences(before, after)]
    if folder not in ("", "."):
        found = [change.model_copy(update={"key": f"{folder}: {change.key}"}) for change in found]
    return weakest_first(found)


def weakest_first(changes: Sequence[PolicyChange]) -> list[PolicyChange]:
    """Return the changes with those that weaken the policy first, in their order otherwise."""
    order = ("weaker", "changed", "stronger")
    return sorted(changes, key=lambda change: order.index(change.effect))


def digest(text: str | None) -> str:
    """Return the SHA-256 of the rules that runs take over from a configuration text; "" for none that is valid."""
    try:
        rules = rules_of(text)
    except MlciError:
        return ""
    return rules_digest(rules) if rules is not None else ""


def rules_digest(sections: Mapping[str, Inputs]) -> str:
    """Return the SHA-256 of the rules in validated sections."""
    values = {
        section: {
            key: value for key, value in _dumped(sections[section]).items() if key in policy_keys(section)
        }
        for section in TAKEN_OVER
    }
    return sha256_text(json.dumps(values, sort_keys=True))


def headline(policy: Policy | None) -> str:
    """Return what line one of a report says of the policy; "" when the change leaves it alone."""
    # Another workflow may be a weaker one, but it is no rule: it is listed, and not said first.
    rules = [change for change in policy.changes if not is_workflow(change.key)] if policy else []
    if policy is None or not rules:
        return ""
    weaker = [change for change in rules if change.effect == "weaker"]
    shown = (weaker or rules)[0]
    verb = "Weakens" if weaker else "Changes"
    more = f" and {len(rules) - 1} more" if len(rules) > 1 else ""
    judged = "; judged by the rules of the base" if policy.source == "base" else ""
    return f"{verb} the policy ({in_words(shown)}{more}{judged})"


def in_words(change: PolicyChange) -> str:
    """Return a change as part of a sentence."""
    key = change.key.removeprefix("compare-to-baseline.gates.").removeprefix("compare-to-baseline.")
    return f"{_short(key)}: {_short(change.message, 160)}"


def is_workflow(path: str) -> bool:
    """Return whether a file says how CI runs the gates."""
    return path.startswith((".github/workflows/", ".gitlab/ci/")) or path == ".gitlab-ci.yml"


def _removed_sections(old: str, new: str | None) -> list[PolicyChange]:
    """Return the sections that are gone: a stage without a section does not run at all."""
    from mlci.config.source import read_yaml

    before, after = (read_yaml(text or "", "mlci.yaml")[0] or {} for text in (old, new))
    return [
        PolicyChange(key=section, effect="weaker", message="the section is removed")
        for section in (*TAKEN_OVER, *SHOWN)
        if before.get(section) is not None
        and after.get(section) is None
        and section not in ("data", "deploy")
    ]


def _differences(before: Rules, after: Rules) -> list[PolicyChange]:
    found: list[PolicyChange] = []
    for section in (*TAKEN_OVER, *SHOWN):
        old, new = _dumped(before[section]), _dumped(after[section])
        for key in policy_keys(section):
            name = f"{section}.{key}"
            if old[key] == new[key]:
                continue
            if name == "compare-to-baseline.gates":
                found += gate_changes(before[section], after[section])
            else:
                found.append(_change(name, old[key], new[key]))
    return found


def _change(name: str, old: Any, new: Any) -> PolicyChange:
    effect = _EFFECTS.get(name, _unknown)(old, new)
    return PolicyChange(key=name, effect=effect, message=_message(old, new))


def _message(old: Any, new: Any) -> str:
    if isinstance(old, list) and isinstance(new, list):
        gone = [item for item in old if item not in new]
        added = [item for item in new if item not in old]
        parts = [f"without {_written(item)}" for item in gone] + [f"with {_written(item)}" for item in added]
        return (
            ", ".join(parts[:5]) + (f" and {len(parts) - 5} more" if len(parts) > 5 else "")
            or "another order"
        )
    return f"{_written(old)} → {_written(new)}"


def _written(value: Any) -> str:
    if value is None:
        return "default"
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _short(text: str, limit: int = _LONGEST) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _dumped(inputs: Inputs) -> dict[str, Any]:
    dumped = inputs.model_dump(mode="json", by_alias=True)
    return {key: dumped[key] for key in fields_of(type(inputs))}


def _unknown(old: Any, new: Any) -> Effect:  # noqa: ARG001 - the common signature
    return "changed"


def _smaller_is_weaker(old: Any, new: Any) -> Effect:
    return "weaker" if new < old else "stronger"


def _larger_is_weaker(old: Any, new: Any) -> Effect:
    return "weaker" if new > old else "stronger"


def _milder_is_weaker(old: Any, new: Any) -> Effect:
    return "weaker" if _OUTCOMES[new] < _OUTCOMES[old] else "stronger"


def _fewer_is_weaker(old: Any, new: Any) -> Effect:
    return "weaker" if any(item not in new for item in old) else "stronger"


def _more_is_weaker(old: Any, new: Any) -> Effect:
    return "weaker" if any(item not in old for item in new) else "stronger"


_EFFECTS: Mapping[str, Callable[[Any, Any], Effect]] = {
    "data.slices": slices_effect,
    "compare-to-baseline.minimum-rows": _smaller_is_weaker,
    "compare-to-baseline.minimum-events": _smaller_is_weaker,
    "compare-to-baseline.allow-shared": _larger_is_weaker,
    "compare-to-baseline.warn-after-uses": _larger_is_weaker,
    "compare-to-baseline.leakage": _milder_is_weaker,
    "compare-to-baseline.on-inconclusive": _milder_is_weaker,
    "compare-to-baseline.first-run": _milder_is_weaker,
    "compare-to-baseline.trusted-types": _more_is_weaker,
    "deploy.trusted-types": _more_is_weaker,
    "validate-data.expectations": _fewer_is_weaker,
}
