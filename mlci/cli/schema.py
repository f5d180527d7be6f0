"""mlci schema: the JSON Schema of mlci.yaml, of a stage's result, of the report."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mlci.core.errors import MlciError
from mlci.schemas import SCHEMAS


def schema(
    name: Annotated[str, typer.Argument(help="config, result or report.", metavar="NAME")] = "config",
) -> None:
    """Print a JSON Schema: of mlci.yaml (config), of a stage's result, or of the report."""
    if name not in SCHEMAS:
        raise MlciError("usage", f"there is no schema '{name}'", f"one of: {', '.join(SCHEMAS)}")
    typer.echo(json.dumps(SCHEMAS[name](), indent=2))
