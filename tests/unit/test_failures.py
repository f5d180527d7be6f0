"""An interruption is one, whatever a library makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlci.core import interruption
from mlci.failures import understood, was_interrupted


@pytest.fixture
def asked() -> Iterator[None]:
    interruption.asked.set()
    yield
    interruption.asked.clear()


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), ImportError("initialization failed"), SystemError("x")]
)
def test_what_an_interrupted_import_raises_is_an_interruption(error: BaseException) -> None:
    assert was_interrupted(error)
    assert understood(error).code == "interrupted"


def test_without_a_signal_an_import_that_fails_is_a_bug() -> None:
    assert not was_interrupted(ImportError("initialization failed"))
    assert understood(ImportError("initialization failed")).code == "bug"


@pytest.mark.usefixtures("asked")
def test_after_a_signal_another_error_is_what_it_is() -> None:
    assert understood(ValueError("x")).code == "bug"
