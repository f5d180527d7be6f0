"""What made a model: commit, data, parameters and versions, as one flat record."""

from __future__ import annotations

from mlci import __version__
from mlci.core.stage import Context
from mlci.core.versions import installed_version
from mlci.stores import git

VERSIONS = ("scikit-learn", "numpy", "pandas", "mlflow", "dvc", "great-expectations")


def lineage(context: Context) -> dict[str, str]:
    """Return facts that tie a model to its code and data; keys are those of MLflow tags."""
    found = {"mlci.version": __version__, "mlci.project": context.project}
    head = git.head(context.root)
    if head is not None:
        found |= {"mlci.git.commit": head.commit, "mlci.git.dirty": str(head.dirty).lower()}
        if head.ref:
            found["mlci.git.ref"] = head.ref
    for role, name in {"train": context.data.train, "evaluate": context.data.evaluate}.items():
        if name and context.path(name).exists():
            found[f"mlci.data.{role}"] = name
            found[f"mlci.data.{role}.sha256"] = context.digests.of(context.path(name))
    return found


def environment_versions() -> dict[str, str]:
    """Return the versions of the packages that shape a result, where they are installed."""
    return {name: version for name in VERSIONS if (version := installed_version(name))}
