"""Each kind of wrapper is broken on purpose: the facts that hold for it must not hold for what is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from user_repository import Users
from wrapper_facts import Action, Delivery, Forked, Gate, Retraining, Setup, Template, Wrapper

pytestmark = pytest.mark.surfaces

WRAPPERS: dict[type[Wrapper], tuple[str, ...]] = {
    Action: ("job", "verdict", "place", "summary", "red"),
    Setup: ("job", "command", "output"),
    Gate: ("job", "verdict", "report", "comment"),
    Forked: ("job", "comment"),
    Delivery: ("job", "state"),
    Retraining: ("reason",),
    Template: ("job", "verdict", "place", "main", "collected", "kept", "nothing", "red"),
}
RUN = "actions/run/action.yml"
SETUP_ACTION = "actions/setup/action.yml"
GATE = ".github/workflows/ml-ci.yml"
PLAN = ".github/workflows/ml-plan.yml"
MODEL = ".github/workflows/ml-model.yml"
CD = ".github/workflows/ml-cd.yml"
FORK = ".github/workflows/ml-comment.yml"
RETRAINING = ".github/workflows/ml-retrain.yml"
TEMPLATE = ".gitlab-ci-templates/run.yml"
MUTATIONS = [
    (Action, RUN, "steps.mlci.outputs.verdict", "steps.mlci.outputs.vredict", "verdict"),
    (Action, RUN, "MLCI_OUT: ", "MLCI_OTU: ", "place"),
    (Action, RUN, 'run.sh" run', 'run.sh" run || true', "red"),
    (Action, RUN, "../setup/run.sh", "setup/run.sh", "job"),
    (Setup, SETUP_ACTION, "MLCI_PYTHON: ", "MLCI_PYHTON: ", "command"),
    (Setup, SETUP_ACTION, 'install.sh" add-to-path', 'install.sh"', "command"),
    (Setup, SETUP_ACTION, "outputs.project-python", "outputs.project-pyhton", "output"),
    (Gate, GATE, "steps.comment.outputs.verdict", "steps.comment.outputs.vredict", "verdict"),
    (Gate, GATE, "/mlci-out/*.json", "/mlci-otu/*.json", "report"),
    (Gate, GATE, "uses: acme/mlci/actions/run@v1", "uses: ./actions/run", "job"),
    (Gate, GATE, "pattern: ${{ inputs.name }}-report-", "pattern: ${{ inputs.name }}-reprot-", "comment"),
    (Gate, PLAN, "steps.plan.outputs.evaluate", "steps.plan.outputs.evalaute", "job"),
    (Gate, "actions/comment/action.yml", '"${{ github.token }}"', '""', "comment"),
    (Forked, FORK, "github-token: ${{ github.token }}", 'github-token: ""', "job"),
    (Forked, FORK, "{plan,report-*}", "{paln,reprot-*}", "comment"),
    (Delivery, MODEL, "restore-keys: mlci-state.", "restore-keys: mlci-sate.", "state"),
    (Delivery, CD, "deliver: true", "deliver: false", "state"),
    (Retraining, RETRAINING, "${{ inputs.reason ||", "${{ inputs.raeson ||", "reason"),
    (Template, TEMPLATE, "dotenv:", "terraform:", "verdict"),
    (Template, TEMPLATE, "- 10\n", "- 2\n", "red"),
    (Template, TEMPLATE, "$CI_COMMIT_BRANCH ==", "$CI_COMMIT_BRANCH !=", "main"),
    (Template, TEMPLATE, "/metrics.txt", "/metric.txt", "collected"),
    (Template, TEMPLATE, "/gl-annotations.json", "/annotations.json", "collected"),
    (Template, TEMPLATE, "policy: push\n", "policy: pull\n", "kept"),
    (Template, TEMPLATE, "PLAN_EVALUATE=false", "PLAN_EVALUATES=false", "nothing"),
    (Template, "templates/run/template.yml", '      out: "$[[ inputs.out ]]"\n', "", "place"),
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_whole_wrapper_has_every_fact(
    wrapper: type[Wrapper], users: Users, toolkit: Path, tmp_path: Path
) -> None:
    whole = wrapper(users, toolkit, tmp_path)
    assert [fact for fact in WRAPPERS[wrapper] if not getattr(whole, fact)()] == []


@pytest.mark.parametrize(("wrapper", "path", "old", "new", "fact"), MUTATIONS)
def test_a_broken_wrapper_is_noticed(
    wrapper: type[Wrapper],
    path: str,
    old: str,
    new: str,
    fact: str,
    users: Users,
    toolkit: Path,
    tmp_path: Path,
) -> None:
    broken = tmp_path / "toolkit"
    shutil.copytree(toolkit, broken)
    text = (broken / path).read_text("utf-8")
    assert old in text
    (broken / path).write_text(text.replace(old, new), "utf-8")
    assert fact in WRAPPERS[wrapper]
    assert not getattr(wrapper(users, broken, tmp_path), fact)()
