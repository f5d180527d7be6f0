"""A model folder in MLflow's storage, byte for byte: stored before it has a version, fetched as it was."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mlci.core.errors import MlciError
from mlci.core.files import folder_in_progress
from mlci.core.ports import ModelVersion
from mlci.trackers._session import FAREWELL, ONCE, TRANSFER, bounds

_REFUSED_IN_NAMES = re.compile(r"[/:.%\"']")
_RUN_FOLDER = "model"
_VERSIONS_TAG = "mlflow.modelVersions"


class Stored(NamedTuple):
    """Where a model was stored; `model_id` is None on servers that keep models among a run's artifacts."""

    source: str
    model_id: str | None


def store(client: Any, run: Any, name: str, model: Path) -> Stored:
    """Upload a model folder as MLflow 3's logged model, and link it with its run.

    A server older than MLflow 3 has no logged models: the folder goes to the run's artifacts.
    What was begun is deleted when the upload fails.
    """
    from mlflow.exceptions import MlflowException

    try:
        logged = client.create_logged_model(
            run.info.experiment_id, name=_REFUSED_IN_NAMES.sub("-", name), source_run_id=run.info.run_id
        )
    except MlflowException as error:
        if error.error_code != "ENDPOINT_NOT_FOUND":
            raise
        return _store_with_run(client, run, model)
    try:
        with bounds(TRANSFER):
            client.log_model_artifacts(logged.model_id, str(model))
        client.finalize_logged_model(logged.model_id, "READY")
        _link(client, run.info.run_id, logged.model_id)
    except BaseException:
        discard(client, logged.model_id)
        raise
    return Stored(_source(client, logged), logged.model_id)


def discard(client: Any, model_id: str) -> None:
    """Delete a logged model that became no version; does its best when the store is gone."""
    with suppress(Exception), bounds(FAREWELL):
        client.finalize_logged_model(model_id, "FAILED")
        client.delete_logged_model(model_id)


def create_version(
    client: Any, name: str, stored: Stored, run_id: str, tags: Mapping[str, str]
) -> ModelVersion:
    """Create the version of a stored model, and the registered model when it is the first."""
    from mlflow.exceptions import MlflowException

    try:
        _ensure_registered(client, name)
        # A request that is repeated after a time-out would make a second version.
        with bounds(ONCE):
            version = client.create_model_version(
                name, stored.source, run_id=run_id, tags=dict(tags), model_id=stored.model_id
            )
    except MlflowException as error:
        # After a server error the version may exist, and then it needs its model.
        if stored.model_id is not None and error.get_http_status_code() < 500:
            discard(client, stored.model_id)
        raise
    if stored.model_id is not None:
        _name_version(client, stored.model_id, name, str(version.version))
    return as_port(version)


def fetch(client: Any, version: ModelVersion, folder: Path) -> Path:
    """Copy a version's files to `folder`/model and return that folder; it is whole or not there.

    Raises MlciError `model.unreadable` when what is stored holds no MLmodel file.
    """
    from mlflow.exceptions import MlflowException

    # The URI models:/name/version would add a file of MLflow's to the model.
    uri = client.get_model_version_download_uri(version.name, version.version)
    final = folder / "model"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch.") as work:
        try:
            found = copy(client, uri, Path(work))
        except MlflowException as error:
            if not is_gone(error):
                raise
            raise _incomplete(version, uri) from error
        if not (found / "MLmodel").is_file():
            raise _incomplete(version, uri)
        with folder_in_progress(final) as place:
            shutil.copytree(found, place, dirs_exist_ok=True)
    return final


def copy(client: Any, uri: str, folder: Path) -> Path:
    """Copy the file or folder at an artifact URI into `folder` and return where it is now."""
    from mlflow.artifacts import download_artifacts

    store_uri = client.tracking_uri
    with bounds(TRANSFER):
        return Path(
            download_artifacts(
                artifact_uri=uri, dst_path=str(folder), tracking_uri=store_uri, registry_uri=store_uri
            )
        )


def as_port(version: Any) -> ModelVersion:
    """Return MLflow's model version in the words of mlci."""
    return ModelVersion(
        name=version.name,
        version=str(version.version),
        run_id=version.run_id or None,
        tags=dict(version.tags),
        aliases=tuple(version.aliases),
    )


def is_gone(error: Any) -> bool:
    """Return whether an MlflowException says that something does not exist."""
    # For files, the artifact server's answer is only in the text.
    missing = error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
    return missing or "404 Client Error" in str(error)


def _incomplete(version: ModelVersion, uri: str) -> MlciError:
    return MlciError(
        "model.unreadable",
        f"version {version.version} of '{version.name}' has no MLmodel file at {uri}",
        "register the model again; was its storage cleaned up?",
    )


def _store_with_run(client: Any, run: Any, model: Path) -> Stored:
    with bounds(TRANSFER):
        client.log_artifacts(run.info.run_id, str(model), _RUN_FOLDER)
    return Stored(f"{run.info.artifact_uri.rstrip('/')}/{_RUN_FOLDER}", None)


def _source(client: Any, logged: Any) -> str:
    import mlflow

    # With a database and no server, MLflow looks `models:/<id>` up in the process's own store, which
    # somebody else may have set; the address of the files needs no look-up.
    known = client.tracking_uri.startswith("http") or client.tracking_uri == mlflow.get_tracking_uri()
    return f"models:/{logged.model_id}" if known else str(logged.artifact_location)


def _link(client: Any, run_id: str, model_id: str) -> None:
    from mlflow.entities import LoggedModelOutput

    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])


def _name_version(client: Any, model_id: str, name: str, version: str) -> None:
    # A server writes this tag itself, a database does not; the page of the model shows it.
    # The version stands already: a missing link is no reason to fail.
    with suppress(Exception), bounds(FAREWELL):
        if _VERSIONS_TAG not in client.get_logged_model(model_id).tags:
            client.set_logged_model_tags(
                model_id, {_VERSIONS_TAG: json.dumps([{"name": name, "version": version}])}
            )


def _ensure_registered(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
            raise
