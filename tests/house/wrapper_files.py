"""Reads actions and GitLab templates for the tests of this folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

PLACE = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")


def action(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def template(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    header, body = yaml.safe_load_all(path.read_text())
    return header["spec"]["inputs"], body
