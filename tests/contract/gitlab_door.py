"""A door before a real MLflow server that lets through what GitLab's model registry has, in GitLab's own shapes.

Written after GitLab's documentation of the MLflow client and the source of its API: what is not routed there is
404 here, what is ignored there is dropped here, and what is refused there is refused here.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

TOKEN = "glpat-only-for-tests"
PROJECT = "/api/v4/projects/42"
_API = f"{PROJECT}/ml/mlflow/api/2.0/mlflow/"
_ARTIFACTS = f"{PROJECT}/ml/mlflow/api/2.0/mlflow-artifacts/artifacts"
_PACKAGES = f"{PROJECT}/packages/ml_models/"
_SEMANTIC = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_FILE_NAME = re.compile(r"[A-Za-z0-9._+ -]+")
_AS_IT_IS = {("GET", "experiments/get-by-name"), ("POST", "runs/update")}


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error_code": code, "message": message} if code else {"error": f"{status} Not Found"}


@dataclass
class Registry:
    """What GitLab keeps beside MLflow: its own numbers for versions and runs, and the semantic versions."""

    server: str
    versions: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # id: name, semantic, run
    runs: dict[str, str] = field(default_factory=dict)  # number in the project: run
    stored: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    address: str = ""

    def ask(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> Any:
        """Ask the real server."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/octet-stream" if raw is not None else "application/json"}
        request = urllib.request.Request(self.server + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            with error:
                said = json.loads(error.read() or b"{}")
            raise RefusedError(error.code, said.get("error_code", ""), said.get("message", "")) from error
        return (
            answer
            if "mlflow-artifacts/artifacts/" in path and method == "GET"
            else json.loads(answer or b"{}")
        )

    def mlflow(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        address = f"/api/2.0/mlflow/{path}"
        return self.ask(method, f"{address}?{urlencode(body)}" if method == "GET" else address,
                        None if method == "GET" else body)  # fmt: skip

    # -- what GitLab answers --

    def call(self, method: str, path: str, given: dict[str, Any]) -> Any:
        """Answer a request to the REST interface."""
        if (method, path) in _AS_IT_IS:
            return self.mlflow(method, path, given)
        handler = _ROUTES.get((method, path))
        if handler is None:
            raise RefusedError(404)
        return handler(self, given)

    def create_experiment(self, given: dict[str, Any]) -> Any:
        return self.mlflow("POST", "experiments/create", {"name": given["name"]})

    def create_run(self, given: dict[str, Any]) -> Any:
        _tags(given.get("tags", []))
        kept = {
            key: given[key] for key in ("experiment_id", "start_time", "run_name", "tags") if key in given
        }
        return self.shown(self.mlflow("POST", "runs/create", kept))

    def get_run(self, given: dict[str, Any]) -> Any:
        return self.shown(self.mlflow("GET", "runs/get", {"run_id": given["run_id"]}))

    def shown(self, answer: Any) -> Any:
        """Return a run with GitLab's address for its files."""
        info = answer["run"]["info"]
        run = info["run_id"]
        version = next((number for number, (_, _, of) in self.versions.items() if of == run), None)
        if version is not None:
            info["artifact_uri"] = f"{self.address}{_PACKAGES}{version}/files/"
            return answer
        number = next((number for number, of in self.runs.items() if of == run), str(len(self.runs) + 1))
        self.runs[number] = run
        if run in self.stored:
            info["artifact_uri"] = f"mlflow-artifacts:/candidate:{number}"
        else:
            info["artifact_uri"] = f"{self.address}{_PACKAGES}candidate:{number}/files/"
        return answer

    def set_tag(self, given: dict[str, Any]) -> Any:
        _tags([given])
        run = self.mlflow("GET", "runs/get", {"run_id": given["run_id"]})["run"]
        if any(tag["key"] == given["key"] for tag in run["data"].get("tags", [])):
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Name '{given['key']}' already taken")
        return self.mlflow("POST", "runs/set-tag", given)

    def log_batch(self, given: dict[str, Any]) -> Any:
        if any(len(param["value"]) > 250 for param in given.get("params", [])):
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", "Value is too long")
        return self.mlflow("POST", "runs/log-batch", given)

    def create_model(self, given: dict[str, Any]) -> Any:
        try:
            self.mlflow("GET", "experiments/get-by-name", {"experiment_name": given["name"]})
        except RefusedError:
            pass
        else:
            raise RefusedError(400, "RESOURCE_ALREADY_EXISTS")
        try:
            made = self.mlflow("POST", "registered-models/create", {"name": given["name"]})
        except RefusedError as error:
            raise RefusedError(400, "RESOURCE_ALREADY_EXISTS") from error
        self.mlflow("POST", "experiments/create", {"name": f"[model]{given['name']}"})
        return made

    def get_model(self, given: dict[str, Any]) -> Any:
        found = self.mlflow("GET", "registered-models/get", {"name": given["name"]})
        found["registered_model"].pop("aliases", None)
        of = [number for number, (name, _, _) in self.versions.items() if name == given["name"]]
        found["registered_model"]["latest_versions"] = [self.version(number) for number in of]
        return found

    def search_models(self, given: dict[str, Any]) -> Any:
        return self.mlflow("GET", "registered-models/search", {"max_results": given.get("max_results", "1")})

    def update_model(self, given: dict[str, Any]) -> Any:
        self.mlflow("PATCH", "registered-models/update", {key: given[key] for key in ("name", "description")})
        return self.get_model(given)

    def model_by_alias(self, given: dict[str, Any]) -> Any:
        """GitLab knows a version's own number as its only alias."""
        return self.get_version({"name": given["name"], "version": given["alias"]})

    def create_version(self, given: dict[str, Any]) -> Any:
        name, tags = given["name"], given.get("tags", [])
        listed = self.get_model({"name": name})["registered_model"]["latest_versions"]
        taken = {alias for version in listed for alias in version["aliases"]}
        semantic = next(
            (tag["value"] for tag in tags if tag["key"] == "gitlab.version"), f"{len(taken) + 1}.0.0"
        )
        _tags(tags)
        if not _SEMANTIC.fullmatch(semantic):
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", "Version must be semantic version")
        if semantic in taken:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", "Version has already been taken")
        own = self.mlflow("GET", "experiments/get-by-name", {"experiment_name": f"[model]{name}"})
        run = self.mlflow("POST", "runs/create", {"experiment_id": own["experiment"]["experiment_id"]})["run"]
        body = {
            "name": name,
            "source": run["info"]["artifact_uri"],
            "run_id": run["info"]["run_id"],
            "tags": tags,
        }
        made = self.mlflow("POST", "model-versions/create", body)["model_version"]
        number = str(7000 + len(self.versions))
        assert number != made["version"]
        self.versions[number] = (name, semantic, run["info"]["run_id"])
        return {"model_version": self.version(number)}

    def get_version(self, given: dict[str, Any]) -> Any:
        for number, (name, semantic, _) in self.versions.items():
            if (name, semantic) == (given["name"], given["version"]):
                return {"model_version": self.version(number)}
        raise RefusedError(404, "RESOURCE_DOES_NOT_EXIST")

    def update_version(self, given: dict[str, Any]) -> Any:
        self.get_version(given)
        same = [number for number, (name, _, _) in self.versions.items() if name == given["name"]]
        place = [self.versions[number][1] for number in same].index(given["version"])
        body = {"name": given["name"], "version": str(place + 1), "description": given["description"]}
        self.mlflow("PATCH", "model-versions/update", body)
        return self.get_version(given)

    def version(self, number: str) -> dict[str, Any]:
        name, semantic, run = self.versions[number]
        same = [other for other, (of, _, _) in self.versions.items() if of == name]
        asked = {"name": name, "version": str(same.index(number) + 1)}
        found = self.mlflow("GET", "model-versions/get", asked)["model_version"]
        return {
            "name": name, "version": number, "aliases": [semantic], "run_id": run, "status": "READY",
            "source": "", "run_link": "", "current_stage": "development",
            "description": found.get("description", ""), "tags": found.get("tags", []),
        }  # fmt: skip

    # -- files --

    def folder(self, of: str) -> tuple[str, str]:
        """Return the run that a version or a candidate is, and where the real server keeps its files."""
        candidate = of.removeprefix("candidate:")
        run = self.runs.get(candidate) if candidate != of else self.versions.get(of, ("", "", ""))[2]
        if not run:
            raise RefusedError(404)
        address = self.mlflow("GET", "runs/get", {"run_id": run})["run"]["info"]["artifact_uri"]
        return run, address.removeprefix("mlflow-artifacts:/")

    def put_file(self, path: str, content: bytes) -> None:
        of, _, name = path.removeprefix(_PACKAGES).partition("/files/")
        if not _FILE_NAME.fullmatch(unquote(name)):
            raise RefusedError(400, "BAD_REQUEST", "file_name is invalid")
        run, folder = self.folder(of)
        self.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{folder}/{name}", raw=content)
        self.stored.add(run)

    def list_files(self, path: str) -> Any:
        of, slash, _ = path.partition("/")
        if slash:
            return {"files": []}
        return self.ask(
            "GET", f"/api/2.0/mlflow-artifacts/artifacts?{urlencode({'path': self.folder(of)[1]})}"
        )

    def get_file(self, path: str) -> bytes:
        of, _, name = path.partition("/")
        found: bytes = self.ask(
            "GET", f"/api/2.0/mlflow-artifacts/artifacts/{self.folder(unquote(of))[1]}/{name}"
        )
        return found


_ROUTES = {
    ("POST", "experiments/create"): Registry.create_experiment,
    ("POST", "runs/create"): Registry.create_run,
    ("GET", "runs/get"): Registry.get_run,
    ("POST", "runs/set-tag"): Registry.set_tag,
    ("POST", "runs/log-batch"): Registry.log_batch,
    ("POST", "registered-models/create"): Registry.create_model,
    ("GET", "registered-models/get"): Registry.get_model,
    ("GET", "registered-models/search"): Registry.search_models,
    ("GET", "registered-models/alias"): Registry.model_by_alias,
    ("PATCH", "registered-models/update"): Registry.update_model,
    ("POST", "model-versions/create"): Registry.create_version,
    ("GET", "model-versions/get"): Registry.get_version,
    ("PATCH", "model-versions/update"): Registry.update_version,
}


def _tags(tags: list[dict[str, str]]) -> None:
    keys = [tag["key"] for tag in tags]
    if len(set(keys)) < len(keys) or not all(tag["key"] and tag["value"] for tag in tags):
        raise RefusedError(400, "INVALID_PARAMETER_VALUE", "Validation failed: Name or value")


class Door(BaseHTTPRequestHandler):
    """Takes requests for a registry, from those who have the token."""

    registry: Registry

    def pass_on(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.registry.requests.append(f"{self.command} {parts.path}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, b'{"message":"401 Unauthorized"}')
            return
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        try:
            with self.registry.lock:
                self.answer(*self.found(parts.path, query, content))
        except RefusedError as refused:
            self.answer(refused.status, json.dumps(refused.body).encode())

    def found(self, path: str, query: dict[str, str], content: bytes) -> tuple[int, bytes]:
        if path.startswith(_API):
            given = {**query, **(json.loads(content) if content else {})}
            return 200, json.dumps(self.registry.call(self.command, path.removeprefix(_API), given)).encode()
        if path.startswith(_PACKAGES) and self.command == "PUT":
            self.registry.put_file(path, content)
            return 201, b'{"message":"201 Created"}'
        if path == _ARTIFACTS and self.command == "GET":
            return 200, json.dumps(self.registry.list_files(query["path"])).encode()
        if path.startswith(f"{_ARTIFACTS}/") and self.command == "GET":
            return 200, self.registry.get_file(path.removeprefix(f"{_ARTIFACTS}/"))
        raise RefusedError(404)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the base class's names

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""


@contextmanager
def gitlab_before(server: str) -> Iterator[Registry]:
    """Open the door; the registry's `address` is where it is."""
    registry = Registry(server)
    handler = type("OwnDoor", (Door,), {"registry": registry})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        registry.address = f"http://127.0.0.1:{door.server_port}"
        yield registry
        door.shutdown()
        thread.join()
