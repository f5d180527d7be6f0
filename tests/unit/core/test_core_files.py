"""Files are whole or not there at all; a digest is computed once for each content."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from mlci.core.files import Digests, files_below, folder_in_progress, sha256_file, sha256_text, write_atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_write_atomic_makes_folders_and_a_readable_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    write_atomic(path, "ß\n")
    assert path.read_bytes() == "ß\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert names(path.parent) == ["b.txt"]


def test_write_atomic_leaves_the_old_file_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new \udce9")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["f.txt"]


def test_folder_in_progress_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    final = tmp_path / "out"
    final.mkdir()
    (final / "old").touch()
    with folder_in_progress(final) as work:
        (work / "new").touch()
        assert names(final) == ["old"]
    assert names(final) == ["new"]
    assert names(tmp_path) == ["out"]
    assert stat.S_IMODE(final.stat().st_mode) == 0o755


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_folder_in_progress_leaves_the_old_one_after_an_error(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    final = tmp_path / "out"
    final.mkdir()
    (final / "old").touch()

    def fail() -> None:
        with folder_in_progress(final) as work:
            (work / "new").touch()
            raise kind

    with pytest.raises(kind):
        fail()
    assert names(tmp_path) == ["out"]
    assert names(final) == ["old"]


def test_digest_of_a_file_is_sha256(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"x" * (3 << 20))
    assert Digests().of(path) == sha256_file(path) == hashlib.sha256(b"x" * (3 << 20)).hexdigest()


def test_a_changed_file_has_a_new_digest(tmp_path: Path) -> None:
    path, digests = tmp_path / "f", Digests()
    path.write_text("one")
    first = digests.of(path)
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert digests.of(path) == sha256_text("two") != first


def test_a_replaced_file_of_equal_size_and_time_has_a_new_digest(tmp_path: Path) -> None:
    path, digests = tmp_path / "f", Digests()
    path.write_text("one")
    os.utime(path, ns=(1, 1))
    digests.of(path)
    write_atomic(path, "two")  # as editors, git and DVC do: another inode
    os.utime(path, ns=(1, 1))
    assert digests.of(path) == sha256_text("two")


def test_documented_limit_same_size_time_and_inode_are_taken_for_unchanged(tmp_path: Path) -> None:
    path, digests = tmp_path / "f", Digests()
    path.write_text("one")
    os.utime(path, ns=(1, 1))
    first = digests.of(path)
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert digests.of(path) == first
    assert Digests().of(path) == sha256_text("two")


def test_what_was_learned_serves_the_next_process(tmp_path: Path) -> None:
    store, path = tmp_path / "cache" / "digests.json", tmp_path / "f"
    path.write_text("one")
    first = Digests(store)
    first.of(path)
    first.save()
    entry = json.loads(store.read_text())
    entry[str(path)][3] = "remembered"
    store.write_text(json.dumps(entry))
    assert Digests(store).of(path) == "remembered"


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    store, path = tmp_path / "digests.json", tmp_path / "f"
    path.write_text("one")
    digests = Digests(store)
    digests.of(path)
    path.unlink()
    digests.save()
    assert json.loads(store.read_text()) == {}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"PATH": 3}', b'{"PATH": [1, 2]}', b'{"PATH": {}}']
)
def test_a_damaged_store_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    store, path = tmp_path / "digests.json", tmp_path / "f"
    path.write_text("one")
    store.write_bytes(content.replace(b"PATH", str(path).encode()))
    digests = Digests(store)
    assert digests.of(path) == sha256_text("one")
    digests.save()
    assert Digests(store).of(path) == sha256_text("one")


def test_nothing_learned_writes_nothing(tmp_path: Path) -> None:
    Digests(tmp_path / "digests.json").save()
    assert names(tmp_path) == []


def test_digest_of_a_folder_depends_on_contents_names_and_places(tmp_path: Path) -> None:
    def folder(name: str, files: dict[str, str]) -> Path:
        for file, text in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / name

    digests = Digests()
    same = [folder("a", {"x": "1", "d/y": "2"}), folder("b", {"d/y": "2", "x": "1"})]
    others = [
        folder("c", {"x": "1", "d/y": "3"}),
        folder("d", {"x": "1", "d/z": "2"}),
        folder("e", {"x": "1", "y": "2"}),
        folder("f", {"x": "2", "d/y": "1"}),
    ]
    assert digests.of(same[0]) == digests.of(same[1])
    assert len({digests.of(path) for path in [same[0], *others]}) == 5
    assert [path.name for path in files_below(same[0])] == ["y", "x"]
