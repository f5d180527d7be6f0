"""GitLab's own model registry: it speaks a part of MLflow's REST interface, without aliases and folders."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from mlci.core.errors import MlciError
from mlci.core.ports import ModelVersion, RunRecord
from mlci.trackers import _gitlab_files, _gitlab_text
from mlci.trackers._artifact_names import check_names
from mlci.trackers._gitlab_api import GitlabApi, inside
from mlci.trackers._gitlab_runs import GitlabRuns, pairs
from mlci.trackers._http import Answer
from mlci.trackers._model_uri import ModelUri, parse_model_uri
from mlci.trackers._peek import UNKNOWN, Unknown
from mlci.trackers._place import Place, place_of
from mlci.trackers._preflight import refused

RUN_TAG = "mlci.run_id"
"""Tag of a version with the run that trained it: GitLab makes each version a run of its own."""

_VERSION_TAG = "gitlab.version"
_PEEK_SECONDS = 2.0
_ATTEMPTS = 5


class _Version(NamedTuple):
    """A version as GitLab tells of it: `id` is what its files are under, `semantic` what people call it."""

    id: str
    semantic: str
    run_id: str
    tags: Mapping[str, str]


class GitlabTracker:
    """Records runs and model versions in one GitLab project.

    What it does otherwise than MLflow: versions are semantic, and one more patch is a model trained again;
    aliases are a line of the model's description, which one request moves; tags are written once.
    """

    def __init__(self, place: Place, experiment: str, variables: Mapping[str, str]) -> None:
        self.place = place
        # GitLab gives a model an experiment of its own name, and refuses the model where there is one.
        self.experiment = f"{experiment}-runs"
        self._variables = variables
        self._api = GitlabApi(place, variables)
        self._runs = GitlabRuns(self._api, self.experiment, variables)

    def check(self) -> None:
        """Raise MlciError `tracker.unreachable` or `tracker.refused` when the registry cannot be used."""
        answer = self._api.get("registered-models/search", {"max_results": "1"}, tries=1)
        if answer.status == 404:
            raise refused(
                self.place, "there is no such project, no registry in it, or the token may not see it", 403
            )
        self._api.expect(answer, "it does not list models")

    def record(self, run: RunRecord) -> str:
        """Record a finished run and return its id; a run that could not be recorded whole is marked FAILED."""
        check_names(path for path, _ in run.artifacts)
        return self._runs.record(run)

    def run_page(self, run_id: str) -> str | None:
        """Return the address where people see a run that this tracker has recorded; None where it is not known."""
        return self._runs.pages.get(run_id)

    def register(self, name: str, model: Path, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a model folder byte for byte as the next patch version and return it.

        GitLab has the version before it has the files; one whose upload was cut says so in its description.
        """
        if not (model / "MLmodel").is_file():
            raise MlciError(
                "model.unreadable",
                f"'{model.name}' cannot be registered: it holds no MLmodel file",
                "save the model with mlflow.<flavor>.save_model",
            )
        check_names([model])
        self._ensure_model(name)
        version = self._create_version(name, {**tags, RUN_TAG: run_id})
        try:
            _gitlab_files.store(self._api, self._runs.info(version.run_id)["artifact_uri"], model)
        except BaseException:
            with suppress(Exception):
                text = "Incomplete: the upload of this version was cut."
                body = {"name": name, "version": version.semantic, "description": text}
                self._api.send("PATCH", "model-versions/update", body)
            raise
        self._runs.link_job(version.run_id)
        return _as_port(name, version)

    def peek(self, uri: str) -> str | Unknown | None:
        """Return the version that a `models:/` URI names; None for none, `UNKNOWN` without an answer."""
        wanted = parse_model_uri(uri)
        try:
            found = self._named(wanted, timeout=_PEEK_SECONDS, tries=1)
        except MlciError as error:
            if error.code == "config.invalid":
                raise
            return UNKNOWN
        return found.semantic if found else None

    def find(self, uri: str) -> ModelVersion | None:
        """Return the version that a `models:/` URI names; None without one."""
        wanted = parse_model_uri(uri)
        found = self._named(wanted)
        if found is None:
            return None
        named = tuple(
            alias for alias, version in self._aliases(wanted.name).items() if version == found.semantic
        )
        return _as_port(wanted.name, found, named)

    def find_by_tag(self, name: str, tag: str, value: str) -> ModelVersion | None:
        """Return the newest version of `name` with this tag value; None without one."""
        found = {one.semantic: one for one in self._versions(name) if one.tags.get(tag) == value}
        newest = _gitlab_text.newest(found)
        return None if newest is None else _as_port(name, found[newest])

    def fetch_model(self, version: ModelVersion, folder: Path) -> Path:
        """Copy a version's model to `folder`/model and return that folder, which holds MLmodel."""
        shown = f"version {version.version} of '{version.name}'"
        found = self._version(version.name, version.version)
        if found is None:
            raise MlciError("model.unreadable", f"{shown} is not in GitLab's registry", "register it again")
        return _gitlab_files.fetch(self._api, found.id, folder, shown)

    def fetch_artifact(self, run_id: str, name: str, folder: Path) -> Path | None:
        """Copy one artifact of a run to `folder`; None when the run has none of this name."""
        return self._runs.fetch(run_id, name, folder)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let `alias` name `version`: one request, after which every reader sees the new one."""
        if self._version(name, version) is None:
            raise refused(self.place, f"'{name}' has no version {version}")
        text = _gitlab_text.with_alias(str(self._model(name).get("description") or ""), alias, version)
        answer = self._api.send("PATCH", "registered-models/update", {"name": name, "description": text})
        self._api.expect(answer, f"it does not change the description of '{name}'")
        if self._aliases(name).get(alias) != version:
            raise refused(self.place, f"the description of '{name}' does not hold that {alias} = {version}")

    def tag_version(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags on a version. GitLab keeps the first value: a later one gets the time behind its name."""
        found = self._version(name, version)
        if found is None:
            raise refused(self.place, f"'{name}' has no version {version}")
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for pair in pairs(tags):
            for key in (pair["key"], f"{pair['key']} {moment}"):
                body = {"run_id": found.run_id, "key": key, "value": pair["value"]}
                answer = self._api.send("POST", "runs/set-tag", body)
                if answer.status != 400:
                    break
            self._api.expect(answer, f"it does not set the tag {pair['key']}")

    def _named(self, wanted: ModelUri, **limits: Any) -> _Version | None:
        if wanted.kind == "version":
            if not _gitlab_text.is_semantic(wanted.value):
                raise MlciError(
                    "config.invalid",
                    f"'models:/{wanted.name}/{wanted.value}' names no version: GitLab's are semantic",
                    f"write models:/{wanted.name}/1.0.3, or the alias with @",
                )
            return self._version(wanted.name, wanted.value, **limits)
        if wanted.kind == "alias":
            version = self._aliases(wanted.name, **limits).get(wanted.value)
            return None if version is None else self._version(wanted.name, version, **limits)
        found = {one.semantic: one for one in self._versions(wanted.name, **limits)}
        newest = _gitlab_text.newest(found)
        return None if newest is None else found[newest]

    def _model(self, name: str, **limits: Any) -> Mapping[str, Any]:
        """Return a registered model; empty without one."""
        answer = self._api.get("registered-models/get", {"name": name}, **limits)
        if answer.status == 404:
            return {}
        return inside(self._api.expect(answer, f"it does not show '{name}'"), "registered_model")

    def _aliases(self, name: str, **limits: Any) -> dict[str, str]:
        return _gitlab_text.aliases_in(str(self._model(name, **limits).get("description") or ""))

    def _versions(self, name: str, **limits: Any) -> list[_Version]:
        listed = self._model(name, **limits).get("latest_versions") or []
        return [_read(item) for item in listed if isinstance(item, Mapping)]

    def _version(self, name: str, version: str, **limits: Any) -> _Version | None:
        answer = self._api.get("model-versions/get", {"name": name, "version": version}, **limits)
        if answer.status == 404:
            return None
        return _read(inside(self._api.expect(answer, f"it does not show version {version}"), "model_version"))

    def _ensure_model(self, name: str) -> None:
        answer = self._api.send("POST", "registered-models/create", {"name": name})
        if answer.status == 200:
            return
        if not self._model(name):  # GitLab calls every refusal "already exists"
            self._api.expect(
                answer, f"it does not create the model '{name}': is there an experiment of this name?"
            )

    def _create_version(self, name: str, tags: Mapping[str, str]) -> _Version:
        version = _gitlab_text.newest(one.semantic for one in self._versions(name))
        answer = Answer(0, None)
        for _ in range(_ATTEMPTS):
            version = _gitlab_text.next_patch(version)
            body = {"name": name, "tags": pairs({**tags, _VERSION_TAG: version})}
            answer = self._api.send("POST", "model-versions/create", body)
            # Another job was faster; the number is taken, and the next one is tried.
            if answer.status != 400 or self._version(name, version) is None:
                break
        created = self._api.expect(answer, f"it does not create version {version} of '{name}'")
        return _read(inside(created, "model_version"))


def tracker(uri: str | None, experiment: str, root: Path, variables: Mapping[str, str]) -> GitlabTracker:
    """Return the tracker of a project in GitLab. Touches nothing."""
    return GitlabTracker(place_of(uri, root, variables), experiment, variables)


def _read(version: Mapping[str, Any]) -> _Version:
    """Return a version. GitLab calls its database's number `version`, and the semantic one an alias."""
    tags = {
        str(tag.get("key")): str(tag.get("value"))
        for tag in version.get("tags") or []
        if isinstance(tag, Mapping)
    }
    named = [str(alias) for alias in version.get("aliases") or [] if _gitlab_text.is_semantic(str(alias))]
    semantic = named[0] if named else tags.get(_VERSION_TAG, str(version.get("version")))
    return _Version(str(version.get("version")), semantic, str(version.get("run_id")), tags)


def _as_port(name: str, version: _Version, aliases: tuple[str, ...] = ()) -> ModelVersion:
    tags = {key: value for key, value in version.tags.items() if key not in (_VERSION_TAG, RUN_TAG)}
    return ModelVersion(name, version.semantic, version.tags.get(RUN_TAG), tags, aliases)
