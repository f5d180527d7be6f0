"""Reads the configuration as it counts for a change: in a pull request with the rules of the commit it is based on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlci.change import Change, change_since, change_under, default_base
from mlci.cli import options
from mlci.config import Config
from mlci.core.errors import MlciError
from mlci.core.provider import Provider
from mlci.core.results import Policy
from mlci.policy import NOT_HELD, policy_here, policy_under, rules_in_force
from mlci.process import redact
from mlci.providers import detect
from mlci.providers.local import LocalProvider

NO_CHANGE = "this job runs for no change, so everything is evaluated"


@dataclass(frozen=True)
class Basis:
    """What a command's work is compared with.

    `change` is None where there is none or it is not known; `note` says which. `merge` says that the
    change is under review: it is judged by the rules of its base, and nothing is delivered.
    """

    provider: Provider
    change: Change | None
    merge: bool
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether anything is compared: a plan of a machine of your own looks at results instead."""
        return self.change is not None or self.provider.ci


@dataclass(frozen=True)
class Reviewed:
    """A configuration with the rules in force, and what a report says of them."""

    config: Config
    policy: Policy
    basis: Basis


def basis(root: Path, *, base: str | None = None, as_ci: bool = False) -> Basis:
    """Return what the work in a folder is compared with: what was named, or what the CI system says.

    Raises MlciError `git.failed` for a base that was named and is not there.
    """
    provider = detect(options.variables())
    if as_ci and not provider.ci:
        provider = LocalProvider(ci=True)
        base = base or default_base(root)
    if base is not None:
        uncommitted = isinstance(provider, LocalProvider)
        return Basis(provider, change_since(root, base, uncommitted=uncommitted), merge=True)
    review = provider.review()
    if review is None:
        return Basis(provider, None, merge=False, note=NO_CHANGE if provider.ci else "")
    change = change_under(root, review)
    return Basis(provider, change, merge=review.merge, note="" if change else NOT_HELD)


def read_reviewed(
    config: Path | None,
    overrides: Sequence[str] | None,
    extra: Mapping[str, str] | None = None,
    *,
    base: str | None = None,
    as_ci: bool = False,
) -> Reviewed:
    """Return the project's configuration as it counts for the change at hand."""
    file = options.find_config(config)
    found = basis(file.parent, base=base, as_ci=as_ci)
    return Reviewed(*with_rules(file, overrides, extra, found), found)


def with_rules(
    file: Path, overrides: Sequence[str] | None, extra: Mapping[str, str] | None, found: Basis
) -> tuple[Config, Policy]:
    """Return a configuration file with the rules in force, and what a report says of them."""
    change = found.change if found.merge else None
    replace = rules_in_force(file, change) if change else None
    loaded = options.load(file, overrides, extra, replace)
    if change is None:
        return loaded, policy_here(loaded, found.note if found.merge else "")
    found_policy = policy_under(loaded, change)
    # What a change does to the rules is quoted from two files, and a file may hold what it should not.
    changes = [
        item.model_copy(update={"message": redact(item.message, options.variables())})
        for item in found_policy.changes
    ]
    return loaded, found_policy.model_copy(update={"changes": changes})


def refuse_several(file: Path | None, *, everything: bool) -> None:
    """Raise MlciError `usage` when one project and all of them are asked for."""
    if everything and file is not None:
        raise MlciError("usage", "--all and --config contradict each other", "leave one of them out")
