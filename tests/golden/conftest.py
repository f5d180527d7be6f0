"""The option that writes the golden files anew: `pytest tests/golden --regenerate-golden`, then read the diff."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate-golden", action="store_true", help="Write the golden files anew.")


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    # Where this folder is not an argument, pytest reads this file after the command line.
    return bool(request.config.getoption("--regenerate-golden", default=False))
