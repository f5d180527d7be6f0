"""Checks requests and answers against the part of GitHub's OpenAPI description that is kept here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

_FILE = Path(__file__).with_name("github-openapi.json")


class Description:
    """GitHub's description of its own interface."""

    def __init__(self) -> None:
        self._whole = json.loads(_FILE.read_text("utf-8"))
        self._paths: dict[str, Any] = {
            template: self._resolved(methods) for template, methods in self._whole["paths"].items()
        }
        self._patterns = {template: _pattern(template) for template in self._paths}

    def route(self, path: str) -> tuple[str, dict[str, str]] | None:
        """Return the template that a path belongs to, and the values of its places."""
        for template, pattern in self._patterns.items():
            if found := pattern.fullmatch(path):
                return template, found.groupdict()
        return None

    def operation(self, template: str, method: str) -> Any:
        """Return the description of one operation; None when there is none."""
        return self._paths[template].get(method.lower())

    def wrong_request(
        self, template: str, method: str, places: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> list[str]:
        """Return what GitHub's description says against a request."""
        operation = self.operation(template, method)
        known = {item["name"]: item for item in operation.get("parameters", [])}
        wrong = [f"unknown parameter {name}" for name in query if name not in known]
        for name, text in [*places.items(), *query.items()]:
            if name in known:
                value = (
                    int(text) if known[name]["schema"].get("type") == "integer" and text.isdigit() else text
                )
                wrong += _wrong(OAS30WriteValidator, known[name]["schema"], value, name)
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            wrong += _wrong(OAS30WriteValidator, content["schema"], body, "body")
        elif body is not None:
            wrong.append("a body where none is taken")
        return wrong

    def wrong_answer(self, template: str, method: str, status: int, body: Any) -> list[str]:
        """Return what GitHub's description says against an answer of the fake's own."""
        answers = self.operation(template, method)["responses"]
        content = answers.get(str(status), {}).get("content", {}).get("application/json")
        return [] if content is None else _wrong(OAS30ReadValidator, content["schema"], body, "answer")

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                _, _, kind, name = reference.split("/")
                return self._resolved(self._whole["components"][kind][name])
            # By the description some answers are of several kinds at once: any of them will do.
            return {"anyOf" if key == "oneOf" else key: self._resolved(value) for key, value in node.items()}
        return [self._resolved(item) for item in node] if isinstance(node, list) else node


@cache
def description() -> Description:
    """Return the description, read once."""
    return Description()


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(
        (f"(?P<{part}>.+)" if part == "path" else f"(?P<{part}>[^/]+)") if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    return re.compile(text)


def _wrong(validator: Any, schema: Any, value: Any, what: str) -> list[str]:
    found = validator(schema, format_checker=oas30_format_checker).iter_errors(value)
    return [f"{what}{error.json_path[1:]}: {error.message[:300]}" for error in found]
