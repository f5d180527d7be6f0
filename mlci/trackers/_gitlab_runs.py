"""Runs in GitLab's experiments: values within its limits, artifacts with flat names, the job that made them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from mlci.core.errors import MlciError
from mlci.core.files import files_below
from mlci.core.ports import RunRecord
from mlci.trackers._gitlab_api import GitlabApi, inside
from mlci.trackers._gitlab_text import flat
from mlci.trackers._http import Answer
from mlci.trackers._runs import allowed, flattened

_JOB_TAG = "gitlab.CI_JOB_ID"
_LONGEST_PARAM = 250
_LONGEST_TAG = 5000
_BATCH = 100


class GitlabRuns:
    """The runs of one experiment. `pages` has the address of each that was recorded, where it is known."""

    def __init__(self, api: GitlabApi, experiment: str, variables: Mapping[str, str]) -> None:
        self._api = api
        self._experiment = experiment
        self._variables = variables
        self.pages: dict[str, str] = {}

    def record(self, run: RunRecord) -> str:
        """Record a finished run and return its id; a run that could not be recorded whole is marked FAILED.

        Artifacts get flat names, as in predictions--predictions.parquet. Datasets stand in the tags.
        """
        created = self._api.send(
            "POST",
            "runs/create",
            {
                "experiment_id": self._experiment_id(),
                "start_time": _now(),
                "run_name": run.name,
                "tags": pairs(run.tags),
            },
        )
        info = inside(self._api.expect(created, "it does not record the run"), "run", "info")
        run_id = str(info.get("run_id"))
        try:
            self._write_values(run_id, run)
            for path, name in _files(run.artifacts):
                self._api.upload(str(info.get("artifact_uri")), name, path)
            self.link_job(run_id)
            self._finish(run_id, "FINISHED")
        except BaseException:
            with suppress(Exception):
                self._finish(run_id, "FAILED")
            raise
        self._remember_page(run_id, str(info.get("artifact_uri")))
        return run_id

    def fetch(self, run_id: str, name: str, folder: Path) -> Path | None:
        """Copy one artifact of a run to `folder`; None when the run has none of this name."""
        answer = self._api.get("runs/get", {"run_id": run_id})
        if answer.status == 404:
            return None
        address = self._read(answer)["artifact_uri"]
        if not address.startswith("mlflow-artifacts:/"):
            return None  # GitLab answers so while nothing is stored
        of, stored = address.removeprefix("mlflow-artifacts:/"), flat(name)
        if stored not in self._api.files(of):
            return None
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / PurePosixPath(name).name
        self._api.download(of, stored, place)
        return place

    def info(self, run_id: str) -> dict[str, str]:
        """Return what GitLab tells of a run, its address for files among it."""
        return self._read(self._api.get("runs/get", {"run_id": run_id}))

    def _experiment_id(self) -> str:
        found = self._api.get("experiments/get-by-name", {"experiment_name": self._experiment})
        if found.status == 404:
            created = self._api.send("POST", "experiments/create", {"name": self._experiment})
            if created.status == 200 and created.body:
                return str(created.body.get("experiment_id"))
            found = self._api.get("experiments/get-by-name", {"experiment_name": self._experiment})
        body = self._api.expect(found, f"it does not make the experiment '{self._experiment}'")
        return str(inside(body, "experiment").get("experiment_id"))

    def _write_values(self, run_id: str, run: RunRecord) -> None:
        now = _now()
        params = [
            {"key": key, "value": value[:_LONGEST_PARAM]}
            for key, value in flattened(run.params).items()
            if value
        ]
        metrics = [
            {"key": allowed(key), "value": float(value), "timestamp": now, "step": 0}
            for key, value in run.metrics.items()
            if math.isfinite(value)
        ]
        for kind, values in (("params", params), ("metrics", metrics)):
            for start in range(0, len(values), _BATCH):
                body = {"run_id": run_id, kind: values[start : start + _BATCH]}
                self._api.expect(self._api.send("POST", "runs/log-batch", body), f"it does not record {kind}")

    def _finish(self, run_id: str, status: str) -> None:
        body = {"run_id": run_id, "status": status, "end_time": _now()}
        self._api.expect(self._api.send("POST", "runs/update", body), "it does not finish the run")

    def link_job(self, run_id: str) -> None:
        """Show the CI job on the page of a run or version; a page without it is no reason to fail."""
        if job := self._variables.get("CI_JOB_ID"):
            with suppress(MlciError):
                self._api.send("POST", "runs/set-tag", {"run_id": run_id, "key": _JOB_TAG, "value": job})

    def _remember_page(self, run_id: str, address: str) -> None:
        project, (_, mark, number) = self._variables.get("CI_PROJECT_URL"), address.partition("candidate:")
        if project and mark:
            self.pages[run_id] = f"{project}/-/ml/candidates/{number.partition('/')[0]}"

    def _read(self, answer: Answer) -> dict[str, str]:
        shown = inside(self._api.expect(answer, "it does not show the run"), "run", "info")
        return {"artifact_uri": "", **{key: str(value) for key, value in shown.items()}}


def _now() -> int:
    return int(time.time() * 1000)


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as GitLab takes them: none without a value."""
    return [
        {"key": allowed(key), "value": str(value)[:_LONGEST_TAG]} for key, value in tags.items() if str(value)
    ]


def _files(artifacts: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    """Yield each file with the name that it is stored under."""
    for path, folder in artifacts:
        place = PurePosixPath(folder)
        if path.is_dir():
            for item in files_below(path):
                yield item, flat((place / item.relative_to(path).as_posix()).as_posix())
        else:
            yield path, flat((place / path.name).as_posix())
