"""A job of a GitLab template: where it runs, what it keeps between pipelines, what it hands to GitLab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlci.results_folder import STATE_FOLDER
from mlci.sync._gitlab import RUNNER, SHARED_VARIABLES, put
from mlci.sync._stages import Input
from mlci.sync._yaml import Block, Quoted

_REVIEW = '$CI_PIPELINE_SOURCE == "merge_request_event"'
_DEFAULT_BRANCH = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
REVIEW = (_REVIEW,)
PUBLISH = (_DEFAULT_BRANCH,)
EVERYWHERE = (_REVIEW, _DEFAULT_BRANCH)

# mlci.yaml may be in a folder of the repository, and the state is beside it.
_STATE = Quoted(f"**/{STATE_FOLDER}/")
_OUT = "$[[ inputs.out ]]"


def job(
    script: Sequence[str],
    inputs: Iterable[Input],
    *,
    stage: str = "stage",
    when: Iterable[str] = EVERYWHERE,
    needs: Sequence[Any] | None = None,
    variables: Mapping[str, str] | None = None,
    cache: Sequence[Mapping[str, Any]] = (),
    note: Block | None = None,
    deploys: str | None = None,
) -> dict[str, Any]:
    """Return a job. `stage` is the input that names its stage; `deploys` the one that tells its model apart."""
    given: dict[str, Any] = {item.variable: put(item.name) for item in inputs}
    given |= {variable: put(name) for variable, name in SHARED_VARIABLES.items()}
    found: dict[str, Any] = {
        "extends": put("runner"),
        "stage": put(stage),
        "image": put("image"),
        "rules": [{"if": condition} for condition in when],
        "variables": {**given, **(variables or {})},
        # No before_script: one of the job that `runner` names comes before this.
        "script": list(script),
        "interruptible": deploys is None,
        "allow_failure": {"exit_codes": [10]},
        "retry": {"max": 1, "exit_codes": [4]},
        "artifacts": {
            "when": "always",
            "paths": [Quoted(f"{_OUT}/"), _STATE],
            "reports": {
                "junit": Quoted(f"{_OUT}/junit.xml"),
                "metrics": Quoted(f"{_OUT}/metrics.txt"),
                "dotenv": [Quoted(f"{_OUT}/plan.env"), Quoted(f"{_OUT}/mlci.env")],
                "annotations": Quoted(f"{_OUT}/gl-annotations.json"),
            },
        },
    }
    if note is not None:
        found["after_script"] = [note]
    if cache:
        found["cache"] = list(cache)
    if needs is not None:
        found["needs"] = list(needs)
    if deploys is not None:
        found["environment"] = {"name": put("environment")}
        found["resource_group"] = Quoted(f"mlci-$[[ inputs.{deploys} ]]-$[[ inputs.environment ]]")
    return found


def runner() -> dict[str, Any]:
    """Return the hidden job that says nothing about the machine. GitLab takes no empty one."""
    return {RUNNER: {"variables": {"PIP_NO_INPUT": Quoted("1")}}}


def of_the_default_branch(name: str, policy: str) -> dict[str, Any]:
    """Return the cache that only the default branch writes, where it is protected, and only it reads."""
    return _cache("main", name, policy)


def for_merge_requests(name: str, policy: str) -> dict[str, Any]:
    """Return the copy that merge requests read: `unprotect`, or their pipelines would not see it."""
    return {**_cache("review", name, policy), "unprotect": True}


def _cache(whose: str, name: str, policy: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": Quoted(f"mlci-{whose}-$[[ inputs.{name} ]]"),
        "paths": [_STATE, Quoted(f"{_OUT}/validate-data.json")],
        "policy": policy,
    }
    # Always: a first run ends with exit code 10, which GitLab counts as a failure.
    return found if policy == "pull" else {**found, "when": "always"}
