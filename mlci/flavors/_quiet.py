"""Keeps MLflow's log lines and warnings away from the user's console while mlci calls it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Let MLflow log nothing below an error, and drop the warnings of the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # MLflow sets its loggers up when it is imported, which would undo a level set before.
        import mlflow  # noqa: F401

        logger = logging.getLogger("mlflow")
        before = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(before)
