"""Cuts GitHub's OpenAPI description down to the requests that mlci makes, with everything they refer to.

Usage: npm pack @octokit/openapi && tar -xzf octokit-openapi-*.tgz package/generated/api.github.com.json
       python prune_openapi.py package/generated/api.github.com.json > github-openapi.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = {
    "/user": ["get"],
    f"{_REPOSITORY}/issues/{{issue_number}}/comments": ["get", "post"],
    f"{_REPOSITORY}/issues/comments/{{comment_id}}": ["patch", "delete"],
    f"{_REPOSITORY}/pulls": ["get"],
    f"{_REPOSITORY}/pulls/{{pull_number}}/files": ["get"],
    f"{_REPOSITORY}/commits/{{commit_sha}}/pulls": ["get"],
    f"{_REPOSITORY}/contents/{{path}}": ["get"],
}
ANSWERS = {"200", "201"}
_PROSE = {
    "discriminator",
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "x-github",
}
_PULL = {"pull-request-simple": {"url", "id", "number", "state", "title", "user", "head", "base", "html_url"}}
"""Schemas of which a few properties are enough: the rest leads to half of the description."""


def pruned(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the paths of OPERATIONS and the components that they need."""
    paths = {
        path: {method: _operation(whole["paths"][path][method]) for method in methods}
        for path, methods in OPERATIONS.items()
    }
    kept: dict[str, dict[str, Any]] = {}
    open_references = _references(paths)
    while open_references:
        _, _, kind, name = open_references.pop().split("/")
        if name in kept.setdefault(kind, {}):
            continue
        kept[kind][name] = _shortened(name, _plain(whole["components"][kind][name]))
        open_references |= _references(kept[kind][name])
    return {"openapi": whole["openapi"], "paths": paths, "components": kept}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        key: _plain(operation[key]) for key in ("parameters", "requestBody") if key in operation
    }
    kept["responses"] = {
        code: _answer(answer) for code, answer in operation["responses"].items() if code in ANSWERS
    }
    return kept


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    kinds = {kind: {"schema": _plain(value["schema"])} for kind, value in answer.get("content", {}).items()}
    return {"content": {kind: value for kind, value in kinds.items() if kind == "application/json"}}


def _shortened(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    wanted = _PULL.get(name)
    if wanted is None:
        return schema
    properties = {key: value for key, value in schema["properties"].items() if key in wanted}
    for side in ("head", "base"):  # their repository leads to everything else
        properties[side]["properties"]["repo"] = {"type": "object", "nullable": True}
    required = [key for key in schema["required"] if key in wanted]
    return {**schema, "properties": properties, "required": required}


def _plain(node: Any, *, names: bool = False) -> Any:
    """Return a node without prose; `names` says that its keys are names of properties, not words of the format."""
    if isinstance(node, dict):
        return {
            key: _plain(value, names=key == "properties" and not names)
            for key, value in node.items()
            if names or not (key in _PROSE or key.startswith("x-"))
        }
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(_references(value) for value in node.values()))
    return set().union(*(_references(item) for item in node)) if isinstance(node, list) else set()


if __name__ == "__main__":
    found = pruned(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    sys.stdout.write(json.dumps(found, separators=(",", ":"), ensure_ascii=False) + "\n")
