"""The MLflow tracker: runs, models and aliases in a tracking server, or in SQLite without any server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from mlci.core.errors import MlciError
from mlci.core.ports import ModelVersion, RunRecord
from mlci.trackers import _models, _runs
from mlci.trackers._artifact_names import check_names
from mlci.trackers._model_uri import parse_model_uri
from mlci.trackers._moved import follow_move
from mlci.trackers._peek import Unknown, peek_uri, peek_version_tag
from mlci.trackers._place import Place, place_of, sqlite_place
from mlci.trackers._preflight import check_http, check_socket, check_sqlite, refused
from mlci.trackers._session import FAREWELL, bounds, session


class MlflowTracker:
    """Records runs and model versions in one MLflow store. MLflow is imported with the first real use."""

    def __init__(self, place: Place, experiment: str, variables: Mapping[str, str]) -> None:
        self.place = place
        self.experiment = experiment
        self._variables = variables
        self._made: Any = None

    def check(self) -> None:
        """Raise MlciError `tracker.unreachable` or `tracker.refused` when the store cannot be used.

        Takes at most about 5 s for a server that does not answer.
        """
        if self.place.kind == "http":
            check_http(self.place, self._variables, self._ask)
        elif self.place.database is not None:
            check_sqlite(self.place, self.place.database)
        else:
            check_socket(self.place)
            self._ask()

    def record(self, run: RunRecord) -> str:
        """Record a finished run and return its id.

        A file of `run.artifacts` goes under its own name into the folder named with it, a folder's
        content directly into it; "" is the top. `run.datasets` are (name, digest, context).
        A run that could not be recorded whole is marked FAILED.
        """
        check_names(path for path, _ in run.artifacts)
        with self._client() as client:
            experiment = self._experiment_id(client)
            tags = _runs.tags_of(run.tags)
            run_id = str(client.create_run(experiment, run_name=run.name, tags=tags).info.run_id)
            try:
                _runs.write_values(client, run_id, run)
                _runs.write_artifacts(client, run_id, run.artifacts)
                client.set_terminated(run_id, "FINISHED")
            except BaseException:
                with suppress(Exception), bounds(FAREWELL):
                    client.set_terminated(run_id, "FAILED")
                raise
            return run_id

    def run_page(self, run_id: str) -> str | None:
        """Return the address where a server's pages show a run; None for a store without a server."""
        return f"{self.place.shown}/#/runs/{run_id}" if self.place.kind == "http" else None

    def register(self, name: str, model: Path, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a model folder byte for byte and return its new version.

        The version is created last, with its tags, when every file is stored.
        Raises MlciError `model.unreadable` when the folder holds no MLmodel file.
        """
        if not (model / "MLmodel").is_file():
            raise MlciError(
                "model.unreadable",
                f"'{model.name}' cannot be registered: it holds no MLmodel file",
                "save the model with mlflow.<flavor>.save_model",
            )
        check_names([model])
        with self._client() as client:
            stored = _models.store(client, client.get_run(run_id), name, model)
            return _models.create_version(client, name, stored, run_id, tags)

    def find(self, uri: str) -> ModelVersion | None:
        """Return the version that `models:/name@alias`, `models:/name/3` or `models:/name/latest` names.

        None when there is no such model, alias or version. Raises MlciError `config.invalid` for
        any other text.
        """
        wanted = parse_model_uri(uri)
        if self._is_empty():
            return None
        with self._client() as client:
            if wanted.kind == "latest":
                return _newest(client, f"name = {_quoted(wanted.name)}")
            number: str | None = wanted.value
            if wanted.kind == "alias":
                model = _or_none(lambda: client.get_registered_model(wanted.name))
                number = None if model is None else model.aliases.get(wanted.value)
            if number is None:
                return None
            version = _or_none(lambda: client.get_model_version(wanted.name, str(number)))
            return None if version is None else _models.as_port(version)

    def find_by_tag(self, name: str, tag: str, value: str) -> ModelVersion | None:
        """Return the newest version of `name` with this tag value; None without one."""
        if self._is_empty():
            return None
        with self._client() as client:
            return _newest(client, f"name = {_quoted(name)} and tags.`{tag}` = {_quoted(value)}")

    def fetch_model(self, version: ModelVersion, folder: Path) -> Path:
        """Copy a version's model to `folder`/model and return that folder, which holds MLmodel.

        An earlier copy there is replaced when the new one is whole; nothing else in `folder` changes.
        """
        with self._client() as client:
            return _models.fetch(client, version, folder)

    def fetch_artifact(self, run_id: str, name: str, folder: Path) -> Path | None:
        """Copy one artifact of a run (a file or a folder) to `folder`; None when there is none."""
        parent = PurePosixPath(name).parent.as_posix()
        with self._client() as client:
            run = _or_none(lambda: client.get_run(run_id))
            if run is None:
                return None
            listed = client.list_artifacts(run_id, None if parent == "." else parent)
            if name not in {item.path for item in listed}:
                return None
            return _models.copy(client, f"{run.info.artifact_uri.rstrip('/')}/{name}", folder)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let `alias` name `version`, whatever it named before."""
        with self._client() as client:
            client.set_registered_model_alias(name, alias, version)

    def tag_version(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags on a version; its other tags stay."""
        with self._client() as client:
            for key, value in tags.items():
                client.set_model_version_tag(name, version, key, value)

    def peek(self, uri: str) -> str | Unknown | None:
        """Return the number of the version that a `models:/` URI names, without importing MLflow.

        None when there is none; `UNKNOWN` when only MLflow itself can say.
        """
        return peek_uri(self.place, parse_model_uri(uri), self._variables)

    def peek_tag(self, name: str, version: str, tag: str) -> str | Unknown | None:
        """Return the value of a version's tag without importing MLflow; None or `UNKNOWN` as in `peek`."""
        return peek_version_tag(self.place, name, version, tag, self._variables)

    def _is_empty(self) -> bool:
        # Looking into a database that is not there would make it, which takes seconds.
        return self.place.database is not None and not self.place.database.exists()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        with session(self.place, self._variables):
            if self._made is None:
                self._made = self._make_client()
            yield self._made

    def _make_client(self) -> Any:
        from mlflow import MlflowClient

        if self.place.kind == "http":
            return MlflowClient(tracking_uri=self.place.uri, registry_uri=self.place.uri)
        # Without this variable MLflow would note ./mlruns as the place of its Default experiment.
        with bounds({"_MLFLOW_SERVER_ARTIFACT_ROOT": self.place.artifacts or ""}):
            if self.place.database is None:
                return MlflowClient(tracking_uri=self.place.uri, registry_uri=self.place.uri)
            return self._make_sqlite_client(self.place.database)

    def _make_sqlite_client(self, database: Path) -> Any:
        from filelock import FileLock
        from mlflow import MlflowClient

        # MLflow tries a damaged file again for a minute and a half, and two processes that make
        # the same database at once get in each other's way.
        check_sqlite(self.place, database)
        database.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(database.with_name(f".{database.name}.lock"), timeout=120):
            follow_move(database, self.place.artifacts)
            if not database.exists():
                self._make_database(database)
            return MlflowClient(tracking_uri=self.place.uri, registry_uri=self.place.uri)

    def _make_database(self, database: Path) -> None:
        """Let MLflow make its tables in a file that gets its name when they are all there.

        MLflow cannot go on with half of them, which is what a process killed in the meantime leaves.
        """
        from mlflow import MlflowClient

        part = database.with_name(f".{database.name}.part")
        for left in part.parent.glob(f"{part.name}*"):  # its journal too
            left.unlink()
        place = sqlite_place(part, self.place.artifacts)
        MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)
        os.replace(part, database)

    def _ask(self) -> None:
        with self._client() as client:
            client.search_experiments(max_results=1)

    def _experiment_id(self, client: Any) -> str:
        from mlflow.exceptions import MlflowException

        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            try:
                return str(client.create_experiment(self.experiment, artifact_location=self.place.artifacts))
            except MlflowException as error:
                # Another process was faster.
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = client.get_experiment_by_name(self.experiment)
        if found is None or found.lifecycle_stage != "active":
            raise refused(self.place, f"the experiment '{self.experiment}' was deleted; restore or rename it")
        return str(found.experiment_id)


def tracker(uri: str | None, experiment: str, root: Path, variables: Mapping[str, str]) -> MlflowTracker:
    """Return the tracker of a project. Imports nothing heavy and touches nothing.

    `uri` wins over MLFLOW_TRACKING_URI in `variables`; without both, SQLite and a folder below
    `root`/.mlci/mlflow. Raises MlciError `config.invalid` for an address that cannot be used.
    """
    return MlflowTracker(place_of(uri, root, variables), experiment, variables)


def _newest(client: Any, condition: str) -> ModelVersion | None:
    found = client.search_model_versions(condition, max_results=1, order_by=["version_number DESC"])
    if not found:
        return None
    # A search leaves the aliases out.
    return _models.as_port(client.get_model_version(found[0].name, str(found[0].version)))


def _or_none(ask: Callable[[], Any]) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as error:
        if _models.is_gone(error):
            return None
        raise


def _quoted(text: str) -> str:
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"
