"""The ways to include the templates on GitLab, and the pipeline of one job for each stage."""

from __future__ import annotations

import pytest
from gitlab_runner import Gitlab
from user_repository import Users

from mlci.scaffold import gitlab_pipeline

pytestmark = pytest.mark.surfaces

STAGES = ["validate-data", "train", "compare-to-baseline", "package", "deploy"]
COMPONENT = """\
include:
  - component: $CI_SERVER_FQDN/acme/mlci/pipeline@1.0.0
    inputs: {prefix: ml, environment: staging}
"""
REMOTE = """\
include:
  - remote: https://gitlab.example/acme/mlci/raw/v1/validate-data.yml
    inputs: {job-name: data, files: data/evaluate.csv}
"""


def test_the_pipeline_as_a_component_judges_and_delivers(gitlab: Gitlab, users: Users) -> None:
    repository = users.repository("pass", {".gitlab-ci.yml": COMPONENT}, host="gitlab.com")
    assert gitlab.listed(repository, merge_request=True) == {f"ml-{stage}" for stage in STAGES[:3]}
    run = gitlab.run(repository)
    assert run.jobs == dict.fromkeys((f"ml-{stage}" for stage in STAGES), "PASS"), run.text
    # Each job has what the ones before it made, and nothing else.
    assert run.dotenv("ml-compare-to-baseline")["MLCI_RESULT_COMPARE_TO_BASELINE_STATE"] == "compared"
    assert run.dotenv("ml-deploy")["MLCI_RESULT_DEPLOY_VERSION"] == "2"
    assert run.dotenv("ml-deploy")["MLCI_RESULT_DEPLOY_PREVIOUS_VERSION"] == "1"
    for stage in STAGES:
        report = run.report(f"ml-{stage}")
        assert [item["stage"] for item in report["stages"]] == [stage]


def test_a_stage_from_an_address(gitlab: Gitlab, users: Users) -> None:
    repository = users.repository("none", {".gitlab-ci.yml": REMOTE}, host="gitlab.com")
    # As if it had been fetched: no server is asked for what is there.
    kept = repository / ".gitlab-ci-local/includes/gitlab.example/acme/mlci/raw/v1/validate-data.yml"
    kept.parent.mkdir(parents=True)
    kept.write_bytes((gitlab.toolkit / ".gitlab-ci-templates/validate-data.yml").read_bytes())
    run = gitlab.run(repository)
    assert run.jobs == {"data": "PASS"}, run.text
    assert "check data/evaluate.csv" in run.log("data")
    assert "check data/train.csv" not in run.log("data")


def test_what_init_writes_is_a_pipeline(gitlab: Gitlab, users: Users) -> None:
    text = gitlab_pipeline().replace("mlci/mlci", "acme/mlci")
    assert len(text.splitlines()) <= 6
    repository = users.repository("none", {".gitlab-ci.yml": text}, host="gitlab.com")
    assert gitlab.listed(repository) == {"mlci"}
    assert gitlab.listed(repository, merge_request=True) == {"mlci-review"}
