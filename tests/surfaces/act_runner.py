"""Runs workflows by nektos act on this machine itself, and reads its log: jobs, steps, outputs, annotations."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from surface_tools import Machine, tool
from surface_tree import REF, TOOLKIT

STUBS = Path(__file__).parent / "stubs"
_USES = re.compile(r"""\buses:\s*["']?([\w.-]+/[\w.-]+)((?:/[\w./-]*)?)@([\w./-]+)""")
_LABELS = ("ubuntu-24.04", "ubuntu-latest", "self-hosted", "gpu")
_ANNOTATIONS = ("error", "warning", "notice")
# act stops reading the terminal of a step as soon as its shell ends, and so loses what a short step said last.
_SHELL = """\
#!/bin/sh
/bin/bash "$@"
code=$?
sleep 0.1
exit $code
"""


@dataclass(frozen=True)
class Annotation:
    """What the runner shows at a line of a file."""

    level: str
    message: str
    file: str | None = None
    line: str | None = None
    title: str | None = None
    step: str = field(default="", compare=False)


@dataclass(frozen=True)
class ActRun:
    """What one run of act left in its log."""

    code: int
    events: list[dict[str, Any]] = field(repr=False)
    text: str = field(repr=False)
    kept: Path

    @cached_property
    def jobs(self) -> dict[str, str]:
        """The result of each job by its name, that of a called workflow after a slash."""
        return {event["job"]: event["jobResult"] for event in self.events if "jobResult" in event}

    def job(self, name: str) -> str:
        """The result of the one job whose name ends like this."""
        (result,) = [result for job, result in self.jobs.items() if job.rstrip().endswith(name)]
        return result

    def outputs(self, step: str) -> dict[str, str]:
        """The outputs of a step of a job: those that its action declares.

        act shows undeclared ones too, after the step's result.
        """
        found: dict[str, str] = {}
        for event in self.events:
            if event.get("stepID") != [step] or event.get("stage") != "Main":
                continue
            if "stepResult" in event:
                break
            if event.get("command") == "set-output":
                found[event["name"]] = event["arg"]
        return found

    def step_log(self, step: str) -> str:
        """What a step of a job printed, with those of its action."""
        return "".join(
            event["msg"] for event in self.events if event.get("raw_output") and event["stepID"][0] == step
        )

    @cached_property
    def summary(self) -> str:
        """The summaries of all steps; an action repeats those of its own steps, which count once."""
        return "".join(
            event["content"]
            for event in self.events
            if event.get("command") == "summary" and event.get("content") and self._is_deepest(event)
        )

    @cached_property
    def annotations(self) -> list[Annotation]:
        """What steps said with `::error` and its like."""
        return [
            Annotation(
                event["command"], event["arg"], step=event["stepID"][0], **(event.get("kvPairs") or {})
            )
            for event in self.events
            if event.get("command") in _ANNOTATIONS
        ]

    def artifact(self, name: str) -> Path:
        """The folder of an uploaded artifact, as the stand-in keeps it."""
        return self.kept / "artifacts" / name

    @cached_property
    def log(self) -> str:
        """What the steps printed."""
        return "".join(event["msg"] for event in self.events if event.get("raw_output"))

    def _is_deepest(self, event: dict[str, Any]) -> bool:
        place = event["stepID"]
        return not any(
            other.get("command") == "summary"
            and other.get("job") == event.get("job")
            and other["stepID"][: len(place)] == place
            and len(other["stepID"]) > len(place)
            for other in self.events
        )


@dataclass
class Act:
    """Runs the workflows of user repositories; `toolkit` is what they know as acme/mlci."""

    machine: Machine
    toolkit: Path
    folder: Path
    runs: int = field(default=0)

    def run(
        self,
        repository: Path,
        event: str = "push",
        *,
        workflow: str = ".github/workflows/ml.yml",
        payload: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        inputs: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        kept: Path | None = None,
    ) -> ActRun:
        """Run one workflow of a repository as the event `event` would.

        `variables` are those of the machine; HARNESS_API is the address that mlci takes for GitHub's.
        `kept` is where the stand-ins keep artifacts and caches; by default each run begins with none.
        """
        self.runs += 1
        work = self.folder / f"act-{self.runs}"
        work.mkdir(parents=True)
        command: list[str | Path] = [tool("bin/act"), event, "--json", "--no-cache-server", "-W", workflow]
        command += ["--action-cache-path", work / "cache"]
        for label in _LABELS:
            command += ["-P", f"{label}=-self-hosted"]
        for flag in self._repositories(repository):
            command += ["--local-repository", flag]
        if payload is not None:
            (work / "event.json").write_text(json.dumps(payload), "utf-8")
            command += ["-e", work / "event.json"]
        for name, value in (secrets or {}).items():
            command += ["-s", f"{name}={value}"]
        for name, value in (inputs or {}).items():
            command += ["--input", f"{name}={value}"]
        given = {
            "ACT_DISABLE_VERSION_CHECK": "1",
            "PATH": f"{self._shell().parent}{os.pathsep}{self.machine.variables()['PATH']}",
            "HARNESS": str(kept or work / "kept"),
            "HARNESS_RUN": str(self.runs + 100),
            "HARNESS_UV": str(Path(sys.executable).with_name("uv")),
            **(variables or {}),
        }
        done = self.machine.run(command, repository, given)
        text = done.text + done.err
        return ActRun(done.code, _events(text), text, kept or work / "kept")

    def _shell(self) -> Path:
        """Return the shell of steps, the real one but for its end."""
        shell = self.folder / "shell" / "bash"
        if not shell.exists():
            shell.parent.mkdir()
            shell.write_text(_SHELL)
            shell.chmod(0o755)
        return shell

    def _repositories(self, repository: Path) -> list[str]:
        """Return where act finds each action: the toolkit, or a stand-in for other people's code."""
        places: dict[str, Path] = {}
        files = [*repository.glob(".github/workflows/*.yml"), *self.toolkit.glob(".github/workflows/*.yml")]
        for path in files:
            for owner, inside, ref in _USES.findall(path.read_text("utf-8")):
                if owner == TOOLKIT:
                    assert ref == REF, f"{path.name} uses {owner}@{ref}, the toolkit here is @{REF}"
                    places[f"{owner}@{ref}"] = self.toolkit
                elif owner != "actions/checkout":  # act checks out by itself
                    assert (STUBS / owner / inside.lstrip("/") / "action.yml").exists(), (
                        f"{path.name} uses {owner}{inside}: write a stand-in {owner}{inside}/action.yml in stubs"
                    )
                    places[f"{owner}@{ref}"] = STUBS / owner
        return [f"{name}={place}" for name, place in places.items()]


def _events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
