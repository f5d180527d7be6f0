"""What can be said about workflows, actions and templates without running them: five readers, no findings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from act_runner import STUBS
from reviews import AFTER, GATE
from surface_tools import Ended, Machine, tool
from surface_tree import REF, TOOLKIT, export
from test_workflows import ALL_OPTIONS, DELIVER, OPTIONS, RETRAIN

from mlci.scaffold import github_fork_workflow, github_retrain_workflow, github_workflow, gitlab_pipeline
from mlci.sync.__main__ import REPOSITORY

pytestmark = pytest.mark.surfaces

HERE = Path(__file__).parent
WORKFLOWS = ".github/workflows"
SNIPPETS = {
    "gate.yml": GATE,
    "options.yml": GATE + ALL_OPTIONS + OPTIONS + AFTER,
    "deliver.yml": DELIVER + ALL_OPTIONS + OPTIONS + AFTER,
    "retrain.yml": RETRAIN + ALL_OPTIONS + OPTIONS + AFTER,
    "init.yml": github_workflow().replace("mlci/mlci/", f"{TOOLKIT}/"),
    "init-forks.yml": github_fork_workflow().replace("mlci/mlci/", f"{TOOLKIT}/"),
    "init-retrain.yml": github_retrain_workflow().replace("mlci/mlci/", f"{TOOLKIT}/"),
}
# A user may trust a tag of ours: they are told to, and to pin a digest when their rules ask for it.
_TRUST_TAGS = "rules:\n  unpinned-uses:\n    config:\n      policies: {'*': ref-pin}\n"


@pytest.fixture
def own(tmp_path: Path, machine: Machine) -> Path:
    """A copy of this repository as git sees it, in which a test may break something."""
    root = tmp_path / "own"
    for name in (".github", "actions", ".gitlab-ci-templates", "templates"):
        shutil.copytree(REPOSITORY / name, root / name)
    machine.must("git", "init", "--quiet", cwd=root)
    return root


@pytest.fixture
def user(tmp_path: Path, machine: Machine) -> Path:
    """A user's repository with every snippet that we show."""
    root = tmp_path / "user"
    (root / WORKFLOWS).mkdir(parents=True)
    for name, text in SNIPPETS.items():
        (root / WORKFLOWS / name).write_text(text, "utf-8")
    machine.must("git", "init", "--quiet", cwd=root)
    return root


def zizmor(machine: Machine, root: Path, *options: str) -> Ended:
    command = [tool("bin/zizmor"), "--offline", "--quiet", "--no-progress", "--color=never"]
    return machine.run(
        [*command, "--strict-collection", "--no-config", "--persona", "pedantic", *options, "."], root
    )


def actionlint(machine: Machine, root: Path) -> Ended:
    return machine.run([tool("bin/actionlint"), "-no-color", "-shellcheck=", "-pyflakes="], root)


def schema(machine: Machine, name: str, *paths: Path) -> Ended:
    command = [tool("bin/check-jsonschema"), "--builtin-schema", f"vendor.{name}", *paths]
    return machine.run(command, paths[0].parent)


def language_service(machine: Machine, toolkit: Path, *paths: Path) -> str:
    modules = tool("surfaces/node_modules")
    command = [tool("bin/node"), "--import", HERE / "json_imports.mjs", HERE / "language_service.mjs"]
    done = machine.run([*command, modules, toolkit, STUBS, *paths], toolkit)
    assert done.code == 0, done.err
    return done.text


def halves(path: Path, folder: Path) -> list[Path]:
    """Write each document of a template to a file of its own: the schema is one of single documents."""
    found = []
    for index, text in enumerate(path.read_text("utf-8").split("\n---\n")):
        half = folder / f"{path.parent.name}-{path.stem}-{index}.yml"
        half.write_text(text, "utf-8")
        found.append(half)
    return found


def templates(root: Path, folder: Path) -> list[Path]:
    found = [*root.glob(".gitlab-ci-templates/*.yml"), *root.glob("templates/*/template.yml")]
    return [half for path in found for half in halves(path, folder)]


def github_files(root: Path) -> list[Path]:
    return [*sorted(root.glob(f"{WORKFLOWS}/*.yml")), *sorted(root.glob("actions/*/action.yml"))]


# ---- nothing is found ----


def test_zizmor_finds_nothing(machine: Machine, own: Path, user: Path, tmp_path: Path) -> None:
    done = zizmor(machine, own)
    assert done.code == 0, done.text
    config = tmp_path / "zizmor.yml"
    config.write_text(_TRUST_TAGS, "utf-8")
    command = [tool("bin/zizmor"), "--offline", "--quiet", "--no-progress", "--color=never"]
    done = machine.run([*command, "--config", config, "."], user)
    assert done.code == 0, done.text


def test_actionlint_finds_nothing(machine: Machine, own: Path, user: Path) -> None:
    done = actionlint(machine, own)
    assert done.code == 0, done.text
    done = actionlint(machine, user)
    assert done.code == 0, done.text


def test_the_snippets_use_what_the_workflows_declare(machine: Machine, own: Path) -> None:
    """actionlint looks into workflows of the same repository only."""
    for name, text in SNIPPETS.items():
        local = text.replace(f"{TOOLKIT}/.github", "./.github").replace(f".yml@{REF}", ".yml")
        (own / WORKFLOWS / name).write_text(local, "utf-8")
    done = actionlint(machine, own)
    assert done.code == 0, done.text
    broken = own / WORKFLOWS / "gate.yml"
    broken.write_text(broken.read_text("utf-8") + "    with: {foldr: x}\n", "utf-8")
    done = actionlint(machine, own)
    assert done.code != 0
    assert 'input "foldr" is not defined' in done.text


def test_every_file_follows_the_schema_of_its_system(machine: Machine, own: Path, tmp_path: Path) -> None:
    (tmp_path / "init.yml").write_text(gitlab_pipeline(), "utf-8")
    for name, paths in (
        ("github-workflows", [*own.glob(f"{WORKFLOWS}/*.yml")]),
        ("github-actions", [*own.glob("actions/*/action.yml")]),
        ("gitlab-ci", [tmp_path / "init.yml", *templates(own, tmp_path)]),
    ):
        assert paths
        done = schema(machine, name, *paths)
        assert done.code == 0, done.text


def test_githubs_language_service_finds_nothing(machine: Machine, user: Path, tmp_path: Path) -> None:
    toolkit = export(tmp_path / "toolkit")  # in which `$/` is written out: the service does not follow it
    found = language_service(machine, toolkit, *github_files(toolkit), *github_files(user)).splitlines()
    # It does not know which outputs a called workflow has, and says so: those are warnings, and actionlint knows.
    known = ("warning: Context access might be invalid", "warning: Unexpected value 'cache-mode'")
    assert [line for line in found if not any(text in line for text in known)] == []


def test_shellcheck_finds_nothing(machine: Machine) -> None:
    scripts = [
        *REPOSITORY.glob("actions/setup/*.sh"),
        *REPOSITORY.glob("scripts/*.sh"),
        REPOSITORY / ".ci/run",
    ]
    done = machine.run([tool("bin/shellcheck"), "--external-sources", *sorted(scripts)], REPOSITORY)
    assert done.code == 0, done.text


# ---- and something would be found ----


def test_shellcheck_would_find_a_variable_without_quotes(machine: Machine, tmp_path: Path) -> None:
    broken = tmp_path / "run.sh"
    text = (REPOSITORY / "actions/setup/run.sh").read_text("utf-8")
    broken.write_text(text.replace('exec mlci "${arguments[@]}"', "exec mlci ${arguments[@]}"), "utf-8")
    done = machine.run([tool("bin/shellcheck"), broken], tmp_path)
    assert done.code == 1
    assert "Double quote array expansions" in done.text


def test_zizmor_would_find_an_input_in_a_script(machine: Machine, own: Path) -> None:
    path = own / "actions/run/action.yml"
    path.write_text(path.read_text("utf-8").replace('run.sh" run', 'run.sh" run ${{ inputs.set }}'), "utf-8")
    done = zizmor(machine, own)
    assert done.code != 0
    assert "template-injection" in done.text


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("          persist-credentials: false\n", "", "artipacked"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("uses: $/actions/run", "uses: ./actions/run", "self-repository"),
        (
            "      pull-requests: write # to write the comment",
            "      pull-requests: write",
            "undocumented-permissions",
        ),
    ],
)
def test_zizmor_would_find_a_weakened_workflow(
    machine: Machine, own: Path, old: str, new: str, finding: str
) -> None:
    path = own / WORKFLOWS / "ml-ci.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    done = zizmor(machine, own)
    assert done.code != 0
    assert finding in done.text


def test_actionlint_would_find_a_grant_that_a_nested_workflow_lacks(machine: Machine, own: Path) -> None:
    path = own / WORKFLOWS / "init.yml"
    local = github_workflow().replace("mlci/mlci/.github", "./.github").replace(f".yml@{REF}", ".yml")
    path.write_text(local.replace(", pull-requests: write", ""), "utf-8")
    done = actionlint(machine, own)
    assert done.code != 0
    assert "pull-requests" in done.text


def test_actionlint_would_find_an_output_that_nobody_declares(machine: Machine, own: Path) -> None:
    path = own / WORKFLOWS / "ml-ci.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("jobs.report.outputs.verdict", "jobs.report.outputs.vredict"), "utf-8")
    done = actionlint(machine, own)
    assert done.code != 0
    assert 'property "vredict" is not defined' in done.text


def test_the_schema_would_find_a_wrong_type(machine: Machine, own: Path, tmp_path: Path) -> None:
    path = own / ".gitlab-ci-templates/run.yml"
    path.write_text(path.read_text("utf-8").replace("interruptible: true", "interruptible: maybe"), "utf-8")
    assert schema(machine, "gitlab-ci", *templates(own, tmp_path)).code == 1


@pytest.mark.parametrize(
    ("path", "old", "new", "finding"),
    [
        ("actions/run/action.yml", "      shell: bash\n", "", "Required property is missing: shell"),
        (f"{WORKFLOWS}/ml-ci.yml", "          until: ", "          untill: ", "'untill'"),
    ],
)
def test_the_language_service_would_find_what_act_lets_pass(
    machine: Machine, tmp_path: Path, path: str, old: str, new: str, finding: str
) -> None:
    toolkit = export(tmp_path / "toolkit")
    text = (toolkit / path).read_text("utf-8")
    assert old in text
    (toolkit / path).write_text(text.replace(old, new, 1), "utf-8")
    assert finding in language_service(machine, toolkit, toolkit / path)
