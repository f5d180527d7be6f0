"""Which commit this is, which files belong to it, and an earlier one in a folder of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlci.core.errors import MlciError
from mlci.stores import git

Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    return folder


@pytest.fixture
def run(repository: Path) -> Git:
    settings = ["user.name=A", "user.email=a@example.org", "commit.gpgsign=false", "init.defaultBranch=main"]
    options = [part for setting in settings for part in ("-c", setting)]

    def run(*arguments: str) -> str:
        return subprocess.run(
            ["git", *options, *arguments], cwd=repository, check=True, capture_output=True, text=True
        ).stdout.strip()

    run("init")
    return run


def commit(run: Git, folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    run("add", "-A")
    run("commit", "-m", "m")
    return run("rev-parse", "HEAD")


def names(root: Path, *patterns: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in git.code_files(root, patterns)]


def test_head_without_a_repository_or_a_commit(tmp_path: Path, repository: Path, run: Git) -> None:
    assert git.head(repository) is None
    outside = tmp_path / "outside"
    outside.mkdir()
    assert git.head(outside) is None


def test_head_names_commit_branch_and_local_changes(repository: Path, run: Git) -> None:
    first = commit(run, repository, train__py="1")
    assert git.head(repository) == git.Head(first, False, "main")
    (repository / "new.py").write_text("untracked")
    assert git.head(repository) == git.Head(first, False, "main")
    (repository / "train.py").write_text("2")
    assert git.head(repository) == git.Head(first, True, "main")
    run("checkout", "-q", "--detach")
    found = git.head(repository)
    assert found is not None
    assert found.ref is None


def test_dirty_looks_at_the_project_only(repository: Path, run: Git) -> None:
    (repository / "project").mkdir()
    (repository / "project" / "a.py").write_text("1")
    commit(run, repository, other__py="1")
    (repository / "other.py").write_text("2")
    found = git.head(repository / "project")
    assert found is not None
    assert not found.dirty


def test_code_files_are_what_git_knows_or_would_add(repository: Path, run: Git) -> None:
    (repository / ".gitignore").write_text("secret.py\nbuild/\n")
    for folder in ("src", "build", "tests", "mlci-out", ".hidden"):
        (repository / folder).mkdir()
        (repository / folder / "code.py").write_text("1")
    commit(run, repository, train__py="1", params__yaml="a: 1", Makefile="all:", requirements__txt="x")
    for name in ("secret.py", "new.py", "mlci.yaml", "dvc.lock", "data.csv", "déjà vu.py"):
        (repository / name).write_text("1")
    assert names(repository) == [
        "Makefile",
        "déjà vu.py",
        "new.py",
        "params.yaml",
        "requirements.txt",
        "src/code.py",
        "train.py",
    ]


def test_a_file_that_is_deleted_or_very_large_is_left_out(repository: Path, run: Git) -> None:
    commit(run, repository, gone__py="1", kept__py="1", large__json=" " * ((1 << 20) + 1))
    (repository / "gone.py").unlink()
    assert names(repository) == ["kept.py"]


def test_without_a_repository_all_code_counts(repository: Path) -> None:
    (repository / "src").mkdir()
    for name in ("train.py", "src/a.py", "data.csv", "mlci.yaml"):
        (repository / name).write_text("1")
    assert names(repository) == ["src/a.py", "train.py"]


def test_patterns_name_files_folders_and_globs(repository: Path) -> None:
    (repository / "src" / "__pycache__").mkdir(parents=True)
    for name in ("train.py", "src/a.py", "src/b.txt", "src/__pycache__/a.pyc", "other.py", "x.sql"):
        (repository / name).write_text("1")
    assert names(repository, "train.py", "src", "*.sql") == ["src/a.py", "src/b.txt", "train.py", "x.sql"]
    assert names(repository, "**/*.py") == ["other.py", "src/a.py", "train.py"]
    assert names(repository, "nothing") == []


def test_resolve_names_a_commit_or_says_how_to_get_it(repository: Path, run: Git) -> None:
    first = commit(run, repository, a__py="1")
    commit(run, repository, a__py="2")
    run("tag", "-a", "v1", "-m", "m", first)
    assert git.resolve(repository, "HEAD~1") == git.resolve(repository, "v1") == first
    for wrong in ("nothing", "--all", ""):
        with pytest.raises(MlciError) as caught:
            git.resolve(repository, wrong)
        assert caught.value.code == "baseline.missing"
        assert "fetch" in caught.value.hint


def test_worktree_is_a_clean_checkout_of_the_project(tmp_path: Path, repository: Path, run: Git) -> None:
    project = repository / "project"
    project.mkdir()
    (project / "a.py").write_text("old")
    first = commit(run, repository, top__py="1")
    (project / "a.py").write_text("new")
    commit(run, repository)
    with git.worktree(project, first, tmp_path / "tree") as folder:
        assert folder == tmp_path / "tree" / "project"
        assert (folder / "a.py").read_text() == "old"
        (folder / "made.txt").write_text("by the run")
    assert not (tmp_path / "tree").exists()
    assert len(run("worktree", "list").splitlines()) == 1
    assert (project / "a.py").read_text() == "new"


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_worktree_is_removed_after_an_error(
    tmp_path: Path, repository: Path, run: Git, kind: type[BaseException]
) -> None:
    first = commit(run, repository, a__py="1")

    def fail() -> None:
        with git.worktree(repository, first, tmp_path / "tree"):
            raise kind

    with pytest.raises(kind):
        fail()
    assert not (tmp_path / "tree").exists()
    assert len(run("worktree", "list").splitlines()) == 1


def test_worktree_needs_a_repository_and_a_commit(tmp_path: Path, repository: Path, run: Git) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    commit(run, repository, a__py="1")
    for root, reference in ((outside, "HEAD"), (repository, "nothing")):
        with pytest.raises(MlciError) as caught, git.worktree(root, reference, tmp_path / "tree"):
            pass
        assert caught.value.code == "git.failed"
    assert not (tmp_path / "tree").exists()
