"""templates/<name>/template.yml: the GitLab Catalog's face of the same templates."""

from __future__ import annotations

from mlci.sync import _gitlab
from mlci.sync._tree import Kind
from mlci.sync._yaml import document
from mlci.sync.gitlab_templates import FOLDER, templates


def files() -> dict[str, str]:
    """Return a component for each template by path: the same inputs, handed on."""
    found = {}
    for name, (header, _) in templates().items():
        include = {
            "local": f"/{FOLDER}/{name}.yml",
            "inputs": {item: _gitlab.put(item) for item in header["spec"]["inputs"]},
        }
        found[f"templates/{name}/template.yml"] = document(header, {"include": [include]})
    return found


kind = Kind(files, ("templates/*/template.yml",))
