"""Text from data, programs and configuration formats nothing, mentions nobody and commands no CI system."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_project import CONFIG, PREDICTS, Done, Project

# What GitHub's runner obeys: `::name::` at the beginning of a line, blanks aside, and `##[name]` anywhere.
OBEYED = re.compile(r"^\s*::(?P<name>[\w-]+)[^:]*::|##\[(?P<old>[\w-]+)[^\]]*\]")
OWN = {"group", "endgroup", "error", "warning"}
MEANT = re.compile(
    r"::(group::(validate-data|train|compare-to-baseline|package|deploy): |endgroup::$"
    r"|(error|warning) (file=mlci\.yaml,)?(line=\d+,)?title=mlci )"
)

PLANTED = [
    "::error::planted",
    "  ::set-output name=verdict::passed",
    "##[error]planted",
    "x ##[add-mask]1",
    "###[error]planted",
    "::add-mask::1",
    "::stop-commands::now",
    "\x85::error::planted",
    "a\r::error::planted",
]
LABELS = [
    "::error::planted",
    "$(touch planted)",
    "|<@team",
    "`touch planted`",
    "<script>planted</script>",
    "line\nbreak",
    "[a](b)",
    "x" * 10_000,
]


RAISES = """\
from sklearn.base import BaseEstimator, ClassifierMixin

class Model(ClassifierMixin, BaseEstimator):
    def fit(self, rows, labels):
        print("::error::planted")
        raise ValueError("::error::planted\\n::error::planted <b>@team</b>")

    def predict(self, rows):
        return rows
"""


@pytest.fixture
def github(tmp_path: Path) -> dict[str, str]:
    """The variables of a GitHub Actions job."""
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }


def commands(done: Done) -> list[tuple[str, str]]:
    """Return the commands that the runner would find in what was printed, each with its line."""
    lines = [line for text in (done.out, done.err) for line in re.split(r"\r\n|\r|\n", text)]
    matches = [(OBEYED.search(line), line) for line in lines]
    return [(match["name"] or match["old"], line) for match, line in matches if match]


def planted_commands(done: Done) -> list[str]:
    """Return the lines with commands that mlci did not mean: of another name, or not in its own form."""
    return [line for name, line in commands(done) if name not in OWN or not MEANT.match(line)]


def outputs(path: str) -> dict[str, str]:
    """Return the outputs of a step as the runner reads them; asserts that each is one line."""
    lines = Path(path).read_text("utf-8").split("\n")
    found = {}
    while len(lines) > 1:
        name, mark = lines.pop(0).split("<<")
        assert re.fullmatch(r"[A-Za-z_][\w-]*", name), name
        value = []
        while (line := lines.pop(0)) != mark:
            value.append(line)
        assert len(value) == 1, (name, value)
        found[name] = value[0]
    assert lines == [""]
    return found


@pytest.mark.parametrize("ends", [0, 1])
def test_a_program_cannot_command_the_ci_system(
    program: Callable[..., Project], github: dict[str, str], ends: int
) -> None:
    lines = "".join(f"print({line!r})\n" for line in PLANTED)
    wrapped = "print('y' * 104 + ' ::error::wrapped to the next line')\n"
    project = program(
        PREDICTS + lines + wrapped + f"raise SystemExit({ends})\n", predictions="predictions.csv"
    )
    done = project.mlci("run", "--until", "train", **github)
    assert done.code == (3 if ends else 0), done
    assert "planted" in done.text
    assert planted_commands(done) == []
    assert ("endgroup", "::endgroup::") in commands(done)
    found = outputs(github["GITHUB_OUTPUT"])
    assert found["verdict"] == ("errored" if ends else "warned")
    assert found["exit-code"] == str(done.code)


def test_labels_and_columns_of_the_data_are_only_shown(project: Project, github: dict[str, str]) -> None:
    """The text is in the values of a slice and of the label, in a column's name and in an expectation."""
    column = "@team ::error::planted | <b>"
    header = f'key,answer,"{column}"\n'
    quoted = ['"' + label.replace('"', '""') + '"' for label in LABELS]
    cells = "".join(
        f"{number},{quoted[number % 2]},{quoted[number % len(quoted)]}\n" for number in range(160)
    )
    project.write("data/train.csv", header + cells)
    project.write("data/evaluate.csv", header + cells)
    project.write("train.py", "import csv, os\nrows = list(csv.DictReader(open(os.environ['MLCI_DATA_EVALUATE'])))\n"
                  "out = csv.writer(open('predictions.csv', 'w'))\nout.writerow(['key', 'prediction'])\n"
                  "out.writerows([row['key'], row['answer']] for row in rows)\n")  # fmt: skip
    expectation = {
        "type": "expect_column_values_to_be_in_set",
        "column": column,
        "value_set": LABELS[:2],
        "severity": "warning",
    }
    project.configure(
        data={**CONFIG["data"], "label": "answer", "slices": [column]},
        validate_data={"expectations": [expectation], "show-values": "always"},
        train={"command": "python train.py", "predictions": "predictions.csv"},
        compare_to_baseline={
            "gates": [{"metric": "accuracy", "at-least": 0.6, "per-slice": True}],
            "minimum-rows": 2,
        },
        package=None,
        deploy=None,
    )
    done = project.mlci("run", **github)
    assert done.code == 0, done
    assert planted_commands(done) == []
    outputs(github["GITHUB_OUTPUT"])
    assert not (project.root / "planted").exists()
    summary = Path(github["GITHUB_STEP_SUMMARY"]).read_text("utf-8")
    for live in ("<script>", "<b>", "@team", "[a](b)", "\n::error"):
        assert live not in summary, live
    assert re.search(r"(?<!\\)`touch", summary) is None
    rows = [line for line in summary.splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} <= {4, 7}, rows  # three columns, or six
    assert max(len(line) for line in done.lines) < 5000


def test_an_error_message_with_commands_is_only_shown(project: Project, github: dict[str, str]) -> None:
    project.write("own.py", RAISES)
    project.configure(validate_data=None, train={"estimator": "own.Model", "cross-validation": 0})
    done = project.mlci("run", **github)
    done.refused("train.fit-failed", 3, "own.Model could not be fitted", "planted")
    assert planted_commands(done) == []
    summary = Path(github["GITHUB_STEP_SUMMARY"]).read_text("utf-8")
    assert "\n::error" not in summary
    assert "<b>" not in summary
    assert outputs(github["GITHUB_OUTPUT"])["train-verdict"] == "errored"
