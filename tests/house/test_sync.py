"""Generated files: they are what the stages' inputs say, and a change by hand does not stay unseen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlci.core.inputs import Inputs
from mlci.core.stage import Stage
from mlci.stages import ordered_stages
from mlci.sync import KINDS, _stages
from mlci.sync.__main__ import REPOSITORY, main
from mlci.sync._tree import MARK, differences, expected

HEAVY = {"pandas", "mlflow", "sklearn", "great_expectations", "dvc", "pyarrow", "skops", "scipy"}
FILES = expected(list(KINDS))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the generated files of this repository."""
    for path in FILES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / path, tmp_path / path)
    shutil.copytree(REPOSITORY / "actions" / "setup", tmp_path / "actions" / "setup")
    return tmp_path


def test_nothing_in_this_repository_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(FILES))
def test_one_changed_byte_is_found(tree: Path, path: str) -> None:
    content = bytearray((tree / path).read_bytes())
    content[-2] ^= 1
    (tree / path).write_bytes(content)
    (diff,) = differences(tree, KINDS, FILES)
    assert diff.startswith(f"--- {path} (is)\n+++ {path} (should be)\n@@")


def test_check_prints_the_difference_and_ends_with_1(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tree / "docs/reference/errors.md"
    page.write_text(page.read_text().replace("Interrupted.", "Broken."))
    assert main(["--check", "--root", str(tree)]) == 1
    shown = capsys.readouterr().out
    assert "\n-| `130` | Broken. |  |\n+| `130` | Interrupted. |  |\n" in shown
    assert "Broken." in page.read_text()


@pytest.mark.parametrize(
    ("old", "new"), [(b"\n", b"\r\n"), (b"\n", b"\xff\n")], ids=["line ends", "not UTF-8"]
)
def test_bytes_that_look_alike_are_found(tree: Path, old: bytes, new: bytes) -> None:
    path = tree / "docs/reference/errors.md"
    path.write_bytes(path.read_bytes().replace(old, new))
    assert main(["--check", "--root", str(tree)]) == 1


def test_a_missing_file_is_found_and_check_does_not_write_it(tree: Path) -> None:
    (tree / "actions/run/action.yml").unlink()
    assert main(["--check", "--root", str(tree)]) == 1
    assert not (tree / "actions/run/action.yml").exists()


@pytest.mark.parametrize(
    "path",
    [
        "actions/gone/action.yml",
        ".gitlab-ci-templates/gone.yml",
        "templates/gone/template.yml",
        "docs/reference/gone.md",
        "docs/reference/gone.schema.json",
    ],
)
def test_the_file_of_a_stage_that_is_gone_is_found_and_removed(
    tree: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(f"# {MARK}\n")
    assert main(["--check", "--root", str(tree)]) == 1
    assert path in capsys.readouterr().out
    assert main(["--root", str(tree)]) == 0
    assert not (tree / path).exists()
    assert main(["--check", "--root", str(tree)]) == 0


def test_files_written_by_hand_are_left_alone(tree: Path) -> None:
    page = tree / "docs/reference/by-hand.md"
    page.write_text("# A page\n")
    assert main(["--root", str(tree)]) == 0
    assert page.exists()
    assert (tree / "actions/setup/action.yml").exists()


def test_an_empty_folder_becomes_the_whole_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == sorted(FILES)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(
        FILES
    )
    assert main(["--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_it_is_the_same_in_every_process() -> None:
    """Sets have another order in every process, and must not show."""
    show = "from mlci.sync import KINDS\nfrom mlci.sync._tree import expected\nprint(expected(list(KINDS)))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", show],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {f"{FILES}\n".encode()}


def test_no_machine_learning_library_is_imported() -> None:
    show = "import sys\nfrom mlci.sync.__main__ import main\nmain(['--check'])\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", show], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "mlci" in loaded
    assert not loaded & HEAVY


def test_a_new_stage_needs_no_more_than_its_own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class ExplainInputs(Inputs):
        """What is explained."""

        depth: int = 3

    def run(inputs: object, context: object) -> None: ...

    run.__module__ = "mlci.stages.explain_model"
    added = Stage("explain-model", "Say why.", ExplainInputs, parts=lambda *_: {}, run=run, after=("train",))
    monkeypatch.setattr(_stages, "ordered_stages", lambda: [*ordered_stages(), added])
    files = expected(list(KINDS))
    assert set(files) - set(FILES) == {
        "actions/explain-model/action.yml",
        ".gitlab-ci-templates/explain-model.yml",
        "templates/explain-model/template.yml",
    }
    for path in set(files) - set(FILES):
        assert "depth" in files[path]
    assert (
        "| `depth` | whole number | `3` | `MLCI_EXPLAIN_MODEL_DEPTH` |"
        in files["docs/reference/configuration.md"]
    )


def test_two_inputs_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bad(Inputs):
        """An input with the name of one that all wrappers have."""

        config: str | None = None

    def run(inputs: object, context: object) -> None: ...

    run.__module__ = "mlci.stages.bad"
    bad = Stage("bad", "Clash.", Bad, parts=lambda *_: {}, run=run)
    monkeypatch.setattr(_stages, "ordered_stages", lambda: [*ordered_stages(), bad])
    with pytest.raises(ValueError, match="input 'config' stands for MLCI_BAD_CONFIG and MLCI_CONFIG"):
        expected(list(KINDS))
