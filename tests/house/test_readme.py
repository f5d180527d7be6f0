"""The README tells the truth: its snippets are those that `mlci init` shows, its links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from mlci.scaffold import github_fork_workflow, github_retrain_workflow, github_workflow, gitlab_pipeline

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "name", "text"),
    [
        ("README.md", "github", github_workflow()),
        ("README.md", "gitlab", gitlab_pipeline()),
        ("docs/github.md", "github", github_workflow()),
        ("docs/github.md", "github-forks", github_fork_workflow()),
        ("docs/github.md", "github-retrain", github_retrain_workflow()),
    ],
)
def test_the_snippets_are_those_of_init(page: str, name: str, text: str) -> None:
    shown = (ROOT / page).read_text("utf-8")
    found = re.search(rf"<!-- snippet: {name} -->\n```yaml\n(.*?)```\n<!-- end -->", shown, flags=re.DOTALL)
    assert found is not None
    assert found.group(1) == text


def test_the_configuration_shown_is_valid_and_short() -> None:
    shown = next(block for block in blocks(README, "yaml") if block.startswith("project:"))
    schema = json.loads((ROOT / "docs/reference/mlci.schema.json").read_text("utf-8"))
    jsonschema.validate(yaml.safe_load(shown), schema)
    assert len(shown.splitlines()) < 25


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_gates_that_are_shown_can_be_read(page: Path) -> None:
    from mlci.config.source import parse_text
    from mlci.core.gates import Gate
    from mlci.stats.metrics import metric_kind

    for block in blocks(page.read_text("utf-8"), "yaml"):
        if "gates:" not in block:
            continue  # of a workflow, perhaps with two ways to write one key
        content = parse_text(block, page.name)
        section = content.get("compare-to-baseline", content) if isinstance(content, dict) else {}
        for gate in section.get("gates", []):
            read = Gate.model_validate(gate)
            assert read.is_budget or metric_kind(read.metric).name


def test_the_two_commands_are_files_of_this_repository() -> None:
    commands = [block.strip() for block in blocks(README, "sh")]
    assert commands == ["bash examples/quickstart/run.sh", "bash scripts/test.sh"]
    assert all((ROOT / command.split()[1]).is_file() for command in commands)
