"""The rules of the house, read from the source: layers, edges, rooms, words, error codes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlci.core.error_codes import ERROR_CODES

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "mlci").rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCES}
HEAVY = {
    "dvc", "great_expectations", "joblib", "mlflow", "numpy", "pandas", "pyarrow", "requests", "scipy",
    "skops", "sklearn", "sqlalchemy",
}  # fmt: skip
LARGEST_ROOM = 300
READS_ENVIRONMENT = {
    "mlci/trackers/_session.py": "MLflow itself reads its settings from the environment of its process",
}
PRINTS = {
    "mlci/scoring.py": "the scoring process is a program of its own, which answers on standard output",
}


def inside(name: str, *folders: str) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


def attributes(tree: ast.AST, module: str) -> set[str]:
    """Return which attributes of a module a file uses, as in `os.environ`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module
    }


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


def top_level_imports(tree: ast.Module) -> Iterator[str]:
    """Yield what is imported when the file is: not in functions, not for type checkers only."""
    open_nodes: list[ast.AST] = [tree]
    while open_nodes:
        node = open_nodes.pop()
        yield from imported(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            open_nodes += node.orelse
            continue
        open_nodes += ast.iter_child_nodes(node)


def test_imports_run_one_way(tmp_path: Path) -> None:
    # Beside the interpreter that runs the tests, whose folder need not be on PATH.
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(program), "--no-logo", "--cache-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("name", sorted(TREES))
def test_rooms_are_small_and_say_what_they_are_for(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    assert len(lines) <= LARGEST_ROOM, f"{name} has {len(lines)} lines"
    if lines:
        docstring = ast.get_docstring(TREES[name])
        assert docstring, f"{name} does not say what it is for"
        assert docstring.splitlines()[0].endswith("."), f"{name}: its first line is no sentence"


def test_no_room_is_a_lumber_room() -> None:
    words = {word for name in TREES for word in re.split(r"[/_.]", name)}
    assert not words & {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common"}
    names = {
        node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    }
    assert not [name for name in names if name.endswith(("Manager", "Helper", "Util", "Utils"))]


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    found = {name: {module.partition(".")[0] for module in top_level_imports(tree)} & HEAVY
             for name, tree in TREES.items()}  # fmt: skip
    too_early = {
        name: modules - ({"numpy"} if inside(name, "mlci/stats") or inside(name, "mlci/slicing") else set())
        for name, modules in found.items()
    }
    assert {name: modules for name, modules in too_early.items() if modules} == {}


def test_only_the_edge_reads_the_environment() -> None:
    readers = {
        name
        for name, tree in TREES.items()
        if attributes(tree, "os") & {"environ", "getenv", "environb", "putenv"}
        or "environ" in {part for node in ast.walk(tree) for part in imported_names(node)}
    }
    assert {name for name in readers if not inside(name, "mlci/cli")} == set(READS_ENVIRONMENT)


def test_only_the_edge_prints_and_exits() -> None:
    printers = {name for name, tree in TREES.items() if prints(tree)}
    assert {name for name in printers if not inside(name, "mlci/cli", "mlci/providers", "mlci/sync")} == set(
        PRINTS
    )


def prints(tree: ast.AST) -> bool:
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return bool(
        (called & {"print", "input", "exit"}) | (attributes(tree, "sys") & {"stdout", "stderr", "exit"})
    )


def imported_names(node: ast.AST) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []


def test_there_is_one_door_to_other_programs() -> None:
    doors = {
        name
        for name, tree in TREES.items()
        if any(module.partition(".")[0] in ("subprocess", "pty", "multiprocessing")
               for node in ast.walk(tree) for module in imported(node))
        or attributes(tree, "os") & {"system", "popen", "execv", "execve", "fork", "posix_spawn"}
    }  # fmt: skip
    assert doors == {"mlci/process.py"}


def codes_used(tree: ast.AST) -> set[str]:
    """Return the texts that stand where an error code does: the first argument of MlciError."""
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "MlciError"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_error_code_in_the_source_is_known() -> None:
    used = {(code, name) for name, tree in TREES.items() for code in codes_used(tree)}
    assert used
    assert {code for code, _ in used} <= set(ERROR_CODES), [
        item for item in used if item[0] not in ERROR_CODES
    ]


def test_every_known_error_code_is_used() -> None:
    texts = {
        node.value
        for name, tree in TREES.items()
        if name != "mlci/core/error_codes.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(ERROR_CODES) <= texts, set(ERROR_CODES) - texts


def test_error_codes_read_well() -> None:
    for name, code in ERROR_CODES.items():
        assert re.fullmatch(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)?", name), name
        assert code.meaning.endswith("."), name
        assert int(code.exit_code) not in (0, 10), name


_EXEMPTION = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type:\s*ignore(?:\[[a-z-]+(?:, ?[a-z-]+)*\])?)(.*)")


def test_every_exemption_from_a_check_has_a_reason() -> None:
    bare: list[str] = []
    for name in TREES:
        above = ""
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1):
            found = _EXEMPTION.search(line)
            # One reason serves a row of lines with the same exemption, or stands in the comment above.
            told = above.strip().startswith("#") or _EXEMPTION.search(above)
            if found is not None and len(found.group(1).strip(" -#")) <= 5 and not told:
                bare.append(f"{name}:{number}")
            above = line
    assert bare == []
