"""The command line: the only place that prints, exits and reads the environment."""

from __future__ import annotations

import os
import sys

QUIET_TOOLS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",  # MLflow knows only the word, not "1"
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_TERMINAL_PROMPT": "0",
}
"""Variables that keep the tools mlci calls from reporting home or asking questions."""


def main() -> None:
    """Run the `mlci` command."""
    for name, value in QUIET_TOOLS.items():
        os.environ.setdefault(name, value)
    from mlci.cli.front import run

    run(sys.argv[1:])
