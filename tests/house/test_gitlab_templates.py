"""GitLab templates: complete, harmless, in the shape that GitLab accepts; what two pipelines share is kept apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from wrapper_files import PLACE, strings, template

from mlci.scaffold import gitlab_pipeline
from mlci.sync.__main__ import REPOSITORY

TEMPLATES = sorted((REPOSITORY / ".gitlab-ci-templates").glob("*.yml"))
COMPONENTS = sorted((REPOSITORY / "templates").glob("*/template.yml"))
JOB_KEYS = {
    "extends", "stage", "image", "rules", "variables", "script", "after_script", "interruptible",
    "allow_failure", "retry", "artifacts", "cache", "needs", "environment", "resource_group",
}  # fmt: skip
REPORTS = {
    "junit": "junit.xml",
    "metrics": "metrics.txt",
    "dotenv": ["plan.env", "mlci.env"],
    "annotations": "gl-annotations.json",
}


def of(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return template(REPOSITORY / ".gitlab-ci-templates" / f"{name}.yml")


def reported(names: str | list[str]) -> Any:
    """Return where a report is, or several are, in the output folder."""
    if isinstance(names, list):
        return [reported(name) for name in names]
    return f"$[[ inputs.out ]]/{names}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_has_the_shape_that_gitlab_accepts(path: Path) -> None:
    inputs, jobs = template(path)
    for item in inputs.values():
        assert set(item) <= {"description", "default", "options", "regex"}
        assert isinstance(item["default"], str)
        if "options" in item:
            assert item["default"] in item["options"]
            assert all(isinstance(option, str) for option in item["options"])
        if "regex" in item:
            assert re.search(item["regex"], item["default"])
    for job in jobs.values():
        assert set(job) <= JOB_KEYS
        assert job["allow_failure"] == {"exit_codes": [10]}
        assert job["retry"] == {"max": 1, "exit_codes": [4]}
        assert job["artifacts"]["when"] == "always"
        assert job["artifacts"]["reports"] == {name: reported(of) for name, of in REPORTS.items()}
        assert all(isinstance(value, str) for value in job["variables"].values())
        assert ("resource_group" in job) == ("environment" in job) == (not job["interruptible"])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_an_input_never_reaches_a_script(path: Path) -> None:
    _, jobs = template(path)
    for job in jobs.values():
        # A before_script would hide that of the job which the input `runner` names.
        assert "before_script" not in job
        assert not PLACE.search("\n".join([*job["script"], *job.get("after_script", [])]))
        # Unquoted, an empty value would turn text into nothing.
        assert '"$[[' in path.read_text()
        assert not re.search(r"[:-] \$\[\[", path.read_text())


@pytest.mark.parametrize(
    "path", [*TEMPLATES, *COMPONENTS], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_every_input_of_a_template_is_used_and_every_use_is_declared(path: Path) -> None:
    inputs, body = template(path)
    assert {name for text in strings(body) for name in PLACE.findall(text)} == set(inputs)


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.parent.name)
def test_a_component_hands_all_inputs_to_its_template(path: Path) -> None:
    inputs, body = template(path)
    (include,) = body["include"]
    assert set(include) == {"local", "inputs"}
    wanted, _ = template(REPOSITORY / include["local"].lstrip("/"))
    assert inputs == wanted
    assert include["inputs"] == {name: f"$[[ inputs.{name} ]]" for name in wanted}


def test_a_merge_request_never_reaches_a_stage_that_publishes() -> None:
    _, jobs = of("pipeline")
    for name, job in jobs.items():
        reviewed = any("merge_request_event" in rule["if"] for rule in job["rules"])
        assert reviewed == name.endswith(("-plan", "-validate-data", "-train", "-compare-to-baseline"))
    inputs, runs = of("run")
    assert inputs["review-until"]["default"] == "compare-to-baseline"
    for job in runs.values():
        (rule,) = job["rules"]
        reviewed = "merge_request_event" in rule["if"]
        assert job["variables"]["MLCI_UNTIL"] == f"$[[ inputs.{'review-until' if reviewed else 'until'} ]]"
        assert ("environment" in job) == (not reviewed)


def test_jobs_of_the_pipeline_form_a_chain() -> None:
    """Artifacts add up along it; two ways to one job could bring an older copy of a file."""
    _, jobs = of("pipeline")
    names = list(jobs)
    needs = [job["needs"] for job in jobs.values()]
    # The job that plans is in merge requests only.
    assert needs == [[], [{"job": names[0], "optional": True}], *([name] for name in names[1:-1])]


@pytest.mark.parametrize("name", ["run", "pipeline"])
def test_what_is_deployed_never_comes_from_a_cache_that_a_branch_can_write(name: str) -> None:
    """The default branch reads the protected cache only; merge requests write none."""
    _, jobs = of(name)
    pushed: set[tuple[str, bool]] = set()
    for job in jobs.values():
        conditions = [rule["if"] for rule in job["rules"]]
        for cache in job.get("cache", []):
            free = cache.get("unprotect", False)
            assert cache["key"].startswith("mlci-review-" if free else "mlci-main-")
            assert cache["paths"] == ["**/.mlci/", "$[[ inputs.out ]]/validate-data.json"]
            if cache["policy"] == "pull":
                assert "when" not in cache
            else:
                # A first run ends with exit code 10, which counts as a failure.
                assert cache["when"] == "always"
                assert conditions == ["$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"]
                pushed.add((cache["key"], free))
            if free and "pull" in cache["policy"]:
                assert conditions == ['$CI_PIPELINE_SOURCE == "merge_request_event"']
    assert {free for _, free in pushed} == {True, False}
    assert len({key for key, _ in pushed}) == 2


def test_two_models_share_nothing() -> None:
    """Keys of caches, resource groups, notes and names of jobs hold the input that tells models apart."""
    for template_name, input_name in (("run", "job-name"), ("pipeline", "prefix")):
        inputs, jobs = of(template_name)
        place = f"$[[ inputs.{input_name} ]]"
        assert inputs[input_name]["regex"] == "^[A-Za-z0-9_-]+$"  # whatever a cache's key may hold
        for name, job in jobs.items():
            assert place in name
            assert all(cache["key"].endswith(place) for cache in job.get("cache", []))
            assert place in job.get("resource_group", place)
            assert job["variables"].get("MLCI_NOTE", place) == place


def test_the_light_install_is_what_planning_needs() -> None:
    packages = (REPOSITORY / "requirements/plan.in").read_text().split()
    assert len(packages) > 3
    for name in ("run", "pipeline"):
        light = [text for job in of(name)[1].values() for text in job["script"] if "--no-deps" in text]
        assert len(light) == 1
        assert f"pip-version-check {' '.join(packages)} || exit 4" in light[0]


def test_a_note_needs_a_token_and_a_merge_request() -> None:
    for name in ("run", "pipeline"):
        for title, job in of(name)[1].items():
            reviewed = any("merge_request_event" in rule["if"] for rule in job["rules"])
            assert ("after_script" in job) == reviewed, title
            for text in job.get("after_script", []):
                assert '[ -n "$MLCI_GITLAB_TOKEN" ] && [ -n "$CI_MERGE_REQUEST_IID" ]' in text


def test_the_snippet_for_gitlab_uses_what_there_is() -> None:
    (include,) = yaml.safe_load(gitlab_pipeline())["include"]
    inputs, _ = template(REPOSITORY / include["file"].lstrip("/"))
    for name, value in include["inputs"].items():
        assert value in inputs[name]["options"]


def test_the_page_about_gitlab_shows_what_there_is() -> None:
    page = (REPOSITORY / "docs/gitlab.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert blocks[0] == gitlab_pipeline()
    assert len(blocks[0].splitlines()) <= 6
    for block in blocks:
        for include in yaml.safe_load(block).get("include", []):
            inputs, _ = template(REPOSITORY / include["file"].lstrip("/"))
            for name, value in include["inputs"].items():
                assert value in inputs[name].get("options", [value]), name
                assert re.search(inputs[name].get("regex", ""), value), name
