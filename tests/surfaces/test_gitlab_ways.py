"""The ways to include the templates on GitLab, and the pipeline of one job for each stage."""

from __future__ import annotations

from pathlib import Path

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
MODELS = """\
include:
  - component: $CI_SERVER_FQDN/acme/mlci/run@1.0.0
    inputs: {job-name: churn, config: models/churn/mlci.yaml, out: out-churn, runner: .gpu}
  - component: $CI_SERVER_FQDN/acme/mlci/run@1.0.0
    inputs: {job-name: fraud, config: models/fraud, out: out-fraud, image: "python:3.13"}
.gpu:
  tags: [gpu, self-hosted]
"""
DOWN = """\
include:
  - project: acme/mlci
    ref: v1
    file: /.gitlab-ci-templates/run.yml
    inputs: {tracking-uri: "http://127.0.0.1:9"}
"""
REMOTE = """\
include:
  - remote: https://gitlab.example/acme/mlci/raw/v1/validate-data.yml
    inputs: {job-name: data, files: data/evaluate.csv}
"""


def test_the_pipeline_as_a_component_judges_and_delivers(gitlab: Gitlab, users: Users) -> None:
    repository = users.repository("pass", {".gitlab-ci.yml": COMPONENT}, host="gitlab.com")
    reviewed = {f"ml-{name}" for name in ("plan", *STAGES[:3])}
    assert gitlab.listed(repository, merge_request=True) == reviewed
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


def two_models(users: Users) -> Path:
    """Return a repository with two models whose data have been checked: their jobs end in a moment."""
    checked = (users.base / "mlci-out/validate-data.json").read_text("utf-8")
    config = (users.base / "mlci.yaml").read_text("utf-8").split("train:\n  est")[0]
    files = {".gitlab-ci.yml": MODELS}
    for name in ("churn", "fraud"):
        files[f"models/{name}/mlci.yaml"] = config.replace("quickstart", name, 1)
        files[f"out-{name}/validate-data.json"] = checked
        for path in (users.base / "data").iterdir():
            files[f"models/{name}/data/{path.name}"] = path.read_text("utf-8")
    return users.repository("none", files, host="gitlab.com")


def test_two_models_of_one_repository_share_nothing(gitlab: Gitlab, users: Users) -> None:
    repository = two_models(users)
    assert gitlab.listed(repository, merge_request=True) == {"churn-review", "fraud-review"}
    run = gitlab.run(repository)
    assert run.jobs == {"churn": "PASS", "fraud": "PASS"}, run.text
    merged = gitlab.merged(repository)
    for name in ("churn", "fraud"):
        report = run.artifact(name, f"out-{name}/report.json").read_text("utf-8")
        assert f'"project":"{name}"' in report.replace(": ", ":")
        for whose in ("main", "review"):
            cache = repository / f".gitlab-ci-local/cache/mlci-{whose}-{name}"
            assert (cache / f"out-{name}/validate-data.json").is_file()
            assert (cache / f"models/{name}/.mlci").is_dir()
        assert merged[name]["resource_group"] == f"mlci-{name}-production"


def test_tags_and_image_of_one_model_are_inputs(gitlab: Gitlab, users: Users) -> None:
    merged = gitlab.merged(two_models(users))
    for ending in ("", "-review"):
        churn, fraud = merged[f"churn{ending}"], merged[f"fraud{ending}"]
        assert churn["tags"] == ["gpu", "self-hosted"]
        assert "tags" not in fraud
        assert (churn["image"]["name"], fraud["image"]["name"]) == ("python:3.12", "python:3.13")


def test_a_server_that_is_down_is_tried_again_and_is_no_verdict(gitlab: Gitlab, users: Users) -> None:
    repository = users.repository("pass", {".gitlab-ci.yml": DOWN}, host="gitlab.com")
    run = gitlab.run(repository)
    assert run.jobs == {"mlci": "FAIL"}
    assert run.code("mlci") == 4
    assert "error[tracker.unreachable]" in run.log("mlci")
    assert run.dotenv("mlci")["MLCI_RESULT_VERDICT"] == "errored"
    # gitlab-ci-local does not try again, so what GitLab would do is read from the configuration.
    assert gitlab.merged(repository)["mlci"]["retry"] == {"max": 1, "exit_codes": [4]}
