"""Target `registry`: moves an alias of the model registry, and remembers where it pointed before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.ports import Deployment, Release, Tracker


class RegistryTarget:
    """Whoever serves `models:/NAME@ALIAS` gets the new version the next time it loads."""

    def state(self, name: str, options: Any, folder: Path, tracker: Tracker) -> str:  # noqa: ARG002 - the port's signature
        """Return the version that the alias names."""
        found = tracker.peek(f"models:/{name}@{options.alias}")
        if found is not None and not isinstance(found, str):
            version = tracker.find(f"models:/{name}@{options.alias}")
            found = version.version if version else None
        return f"{options.alias} → version {found}" if found else f"{options.alias} → nothing"

    def plan(self, release: Release, tracker: Tracker) -> Deployment:
        """Return the move of the alias."""
        uri = f"models:/{release.name}@{release.options.alias}"
        before = tracker.find(uri)
        previous = before.version if before else None
        if previous == release.version:
            return Deployment(f"{uri} is version {release.version} already", previous, changed=False)
        from_ = f"from version {previous} " if previous else ""
        return Deployment(f"{uri} moves {from_}to version {release.version}", previous)

    def deploy(self, release: Release, tracker: Tracker) -> Deployment:
        """Take the stored version as a server would, try it, and only then move the alias."""
        planned = self.plan(release, tracker)
        if not planned.changed:
            return planned
        self._try(release, tracker)
        name, alias = release.name, release.options.alias
        tracker.tag_version(
            name,
            release.version,
            {
                f"mlci.deployed.{alias}": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                f"mlci.previous.{alias}": planned.previous or "",
            },
        )
        tracker.set_alias(name, alias, release.version)
        return planned

    def stop(self, name: str, options: Any, folder: Path) -> str:  # noqa: ARG002 - the port's signature
        """Do nothing: an alias is no process."""
        return f"the registry serves nothing itself; {name}@{options.alias} stays as it is"

    def _try(self, release: Release, tracker: Tracker) -> None:
        """Raise MlciError `deploy.smoke-test` unless what the registry holds answers as it should."""
        from mlci.targets._smoke import compare_answers

        version = tracker.find(f"models:/{release.name}/{release.version}")
        if version is None:
            raise MlciError(
                "deploy.smoke-test",
                f"version {release.version} of '{release.name}' is no longer in the registry",
                "run `mlci package --force` to register it again",
            )
        release.say("fetch the registered version and try it in a fresh process")
        stored = tracker.fetch_model(version, release.work / "registered")
        if release.digests.of(stored) != release.digest:
            raise MlciError(
                "deploy.smoke-test",
                f"version {release.version} of '{release.name}' in the registry is not what was packaged",
                "somebody changed it, or the upload was cut; run `mlci package --force`",
            )
        compare_answers(release, stored)


target = RegistryTarget()
