"""Every report in every format is what somebody has read and found good."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_reports import COMMENTS, REPORTS

from mlci.core.results import Report
from mlci.reporters import REPORTERS

FOLDER = Path(__file__).parent
LARGE = {"failed-slices", "all-slices-failed"}
"""Reports of hundreds of checks, of which only the faces for people are kept."""
FACES = [
    (name, reporter)
    for name in sorted(REPORTS)
    for reporter in ("console", "markdown", "junit", "openmetrics")
    if reporter in ("console", "markdown") or name not in LARGE
]
ENDINGS = {"console": "txt", "markdown": "md", "junit": "xml", "openmetrics": "prom"}


def test_every_reporter_has_golden_files() -> None:
    assert set(REPORTERS.names()) == set(ENDINGS)


def test_there_is_no_golden_file_without_a_report() -> None:
    known = {f"{name}.{ENDINGS[reporter]}" for name, reporter in FACES}
    known |= {f"{name}.json" for name in set(REPORTS) - LARGE}
    known |= {f"{name}.md" for name in COMMENTS}
    found = {
        path.name for path in FOLDER.iterdir() if path.suffix in (".json", ".txt", ".md", ".xml", ".prom")
    }
    assert found <= known


@pytest.mark.parametrize("name", sorted(set(REPORTS) - LARGE))
def test_json(name: str, regenerate: bool) -> None:
    report = REPORTS[name]()
    path = FOLDER / f"{name}.json"
    text = report.model_dump_json(indent=1, exclude_defaults=True) + "\n"
    if regenerate:
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text
    assert Report.model_validate_json(text) == report


@pytest.mark.parametrize(("name", "reporter"), FACES)
def test_face(name: str, reporter: str, regenerate: bool) -> None:
    report = REPORTS[name]()
    text = REPORTERS.get(reporter).render(report)
    path = FOLDER / f"{name}.{ENDINGS[reporter]}"
    if regenerate:
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text
    assert REPORTERS.get(reporter).render(report) == text


@pytest.mark.parametrize("name", sorted(COMMENTS))
def test_comment_of_several_models(name: str, regenerate: bool) -> None:
    text = COMMENTS[name]().render("models")
    path = FOLDER / f"{name}.md"
    if regenerate:
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text
