"""mlci/cli/catalogue.json: names and summaries of all commands, for a list that imports none of them."""

from __future__ import annotations

import inspect
import json
from typing import Any

from mlci.sync._stages import own_stages
from mlci.sync._tree import MARK, Kind


def files() -> dict[str, str]:
    """Return the catalogue by path."""
    from typer.main import get_command

    from mlci.cli.app import build_app
    from mlci.cli.front import STAGE_PANEL

    root: Any = get_command(build_app())
    own = {stage.name for stage in own_stages()}
    commands = [
        {"name": name, "panel": command.rich_help_panel, "help": inspect.cleandoc(command.help)}
        for name, command in root.commands.items()
        if command.rich_help_panel != STAGE_PANEL or name in own
    ]
    text = json.dumps({"$comment": MARK, "commands": commands}, indent=2, ensure_ascii=False)
    return {"mlci/cli/catalogue.json": text + "\n"}


kind = Kind(files, ("mlci/cli/catalogue.json",))
