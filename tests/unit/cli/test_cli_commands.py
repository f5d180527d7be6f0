"""Every command has help that names all it takes, and says what it knows; in one process, for speed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from mlci import __version__
from mlci.cli.app import build_app
from mlci.cli.listing import kinds
from mlci.config.load import SHARED_SECTIONS, variable_name
from mlci.core.error_codes import ERROR_CODES
from mlci.core.errors import MlciError
from mlci.core.inputs import choices, fields_of
from mlci.schemas import SCHEMAS
from mlci.stages import STAGES, ordered_stages

APP = build_app()
COMMANDS = [
    command.name or command.callback.__name__ for command in APP.registered_commands if command.callback
]
SECTIONS = {**SHARED_SECTIONS, **{stage.name: stage.inputs for stage in STAGES}}
KEYS = [f"{section}.{key}" for section, inputs in SECTIONS.items() for key in fields_of(inputs)]


@pytest.fixture(autouse=True)
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MLCI_", "GITHUB_", "GITLAB_", "CI"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(project)


def call(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(APP, list(arguments), catch_exceptions=False)
    return found.exit_code, re.sub(r"\x1b\[[0-9;]*m", "", found.output)


def refused(*arguments: str) -> MlciError:
    with pytest.raises(MlciError) as caught:
        call(*arguments)
    return caught.value


def test_the_commands_are_the_stages_and_a_few_more() -> None:
    stages = [stage.name for stage in ordered_stages()]
    assert {"init", "doctor", "plan", "run", "report", "explain", "list", "schema", *stages} <= set(COMMANDS)
    code, text = call("--help")
    assert code == 0
    assert all(f" {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    code, text = call(name, "--help")
    assert code == 0
    assert f"mlci {name}" in text or f" {name} " in text


@pytest.mark.parametrize("stage", ordered_stages(), ids=lambda stage: stage.name)
def test_help_of_a_stage_names_every_field_and_its_choices(stage: object) -> None:
    found = STAGES.get(stage.name)  # type: ignore[attr-defined] # parametrized by Stage objects
    text = " ".join(call(found.name, "--help")[1].split())
    for key, field in fields_of(found.inputs).items():
        assert re.search(rf"--{key}\b", text), key
        for choice in choices(field.annotation):
            assert choice in text
    assert ("--dry-run" in text) is found.can_dry_run
    for shared in ("--config", "--set", "--out", "--force", "--warn-exit-code", "--debug"):
        assert shared in text


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
def test_every_error_code_is_explained(code: str) -> None:
    exit_code, text = call("explain", code)
    assert exit_code == 0
    assert ERROR_CODES[code].meaning in text
    assert f"exit code {int(ERROR_CODES[code].exit_code)} " in text


@pytest.mark.parametrize("key", ["project", *SECTIONS, *KEYS])
def test_every_key_is_explained(key: str) -> None:
    code, text = call("explain", key)
    assert code == 0
    assert text.startswith(f"{key} = ")
    assert "from: " in text
    if key in KEYS:
        section, _, field = key.partition(".")
        assert f"what: {fields_of(SECTIONS[section])[field].description}" in text
        assert variable_name(section, field) in text


def test_a_key_that_is_an_error_code_too_is_explained_as_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = call("explain", "train.timeout")[1]
    assert text.startswith("train.timeout = null\n")
    assert f"error train.timeout: {ERROR_CODES['train.timeout'].meaning}" in text
    monkeypatch.chdir(tmp_path)  # no mlci.yaml here
    assert call("explain", "train.timeout")[1].startswith("train.timeout: The training")


def test_explain_shows_value_and_line() -> None:
    assert call("explain", "train.params.depth")[1].startswith("train.params.depth = 3\nfrom: mlci.yaml:3\n")
    text = call("explain", "train.seed", "--set", "train.seed=4")[1]
    assert text.startswith("train.seed = 4\nfrom: option train.seed\n")


def test_explain_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "s3cret-value")
    text = call("explain", "tracking.uri", "--set", "tracking.uri=https://me:s3cret-value@host/x")[1]
    assert "s3cret" not in text
    assert "host" in text


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_kind_is_listed(kind: str) -> None:
    code, text = call("list", kind)
    assert code == 0
    assert text.split() == list(kinds()[kind]())
    assert text.strip()


def test_list_without_a_kind_lists_all() -> None:
    code, text = call("list")
    assert code == 0
    assert [line.partition(":")[0] for line in text.splitlines()] == list(kinds())


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_printed(name: str) -> None:
    code, text = call("schema", name)
    assert code == 0
    Draft202012Validator.check_schema(json.loads(text))
    assert json.loads(text)["$schema"].startswith("https://json-schema.org/")


def test_version() -> None:
    assert call("--version") == (0, f"mlci {__version__}\n")


def test_plan_says_what_and_why_and_touches_nothing(project: Path) -> None:
    before = sorted(project.rglob("*"))
    code, text = call("plan")
    assert code == 0
    assert re.search(r"^train +run +it has not run yet$", text, re.M)
    assert re.search(r"^package +– +there is no 'package' section in mlci.yaml$", text, re.M)
    found = json.loads(call("plan", "--json")[1])
    (only,) = found["projects"]
    assert (only["project"], only["name"], found["evaluate"]) == ("fresh", "fresh", True)
    assert [item["stage"] for item in only["stages"]] == [stage.name for stage in ordered_stages()]
    assert sorted(project.rglob("*")) == before


def test_plan_of_a_part() -> None:
    code, text = call("plan", "--from", "train", "--until", "compare-to-baseline")
    assert code == 0
    assert [line.split()[0] for line in text.splitlines()] == ["train", "compare-to-baseline"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["explain", "train.sede"], "config.unknown-key", "train.sede"),
        (["list", "nothing"], "usage", "nothing"),
        (["schema", "nothing"], "usage", "nothing"),
        (["plan", "--from", "nothing"], "usage", "nothing"),
        (["plan", "--from", "deploy", "--until", "train"], "usage", "comes after"),
        (["plan", "--set", "train.seed"], "usage", "write KEY=VALUE"),
        (["plan", "--set", "=3"], "usage", "write KEY=VALUE"),
        (["plan", "--config", "nothing.yaml"], "config.missing", "nothing.yaml"),
        (["report"], "report.unreadable", "report.json"),
        (["report", "--out", "nowhere"], "report.unreadable", "report.json"),
        (["train", "--seed", "x"], "config.invalid", "train.seed"),
        (["train", "--timeout", "0"], "config.invalid", "train.timeout"),
        (["explain"], "usage", "explain takes one thing"),
        (["explain", "data.label", "--gate", "accuracy"], "usage", "explain takes one thing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_not_understood_is_named_with_a_way_out(
    arguments: list[str], code: str, message: str
) -> None:
    error = refused(*arguments)
    assert error.code == code
    assert message in error.message


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["plan", "--nothing"], ["explain", "a", "b"], ["train", "--seed"], ["plan", "extra"]],
    ids=" ".join,
)
def test_typers_own_usage_errors_have_the_same_exit_code(arguments: list[str]) -> None:
    assert call(*arguments)[0] == 2


def test_flags_have_a_no(project: Path) -> None:
    from mlci.core.inputs import shape

    flags = [
        (stage.name, key)
        for stage in ordered_stages()
        for key, field in fields_of(stage.inputs).items()
        if shape(field.annotation) == "flag"
    ]
    for name, key in flags:
        assert f"--no-{key}" in call(name, "--help")[1]
