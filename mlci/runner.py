"""Runs stages: time, catch, write the result first, report, publish, exit code."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlci import pipeline
from mlci.assemble import assemble, now
from mlci.config import Config
from mlci.core.errors import MlciError
from mlci.core.files import Digests, folder_in_progress, write_atomic
from mlci.core.inputs import DataInputs, TrackingInputs
from mlci.core.provider import Provider
from mlci.core.results import Policy, Report, StageResult
from mlci.core.stage import Context, Stage
from mlci.core.status import ExitCode, Status
from mlci.failures import error_record, understood, was_interrupted, without_secrets
from mlci.process import redact
from mlci.reporters import REPORTERS
from mlci.results_folder import (
    OUT_FOLDER,
    REPORT_FILE,
    STATE_FOLDER,
    clear_leftovers,
    forget_result,
    prepare_folder,
    read_results,
    write_report,
    write_result,
)

LOCK_SECONDS = 5.0
"""How long a run waits for another one in the same checkout before it gives up."""


def _silent(text: str) -> None:
    """Say nothing."""


@dataclass
class Run:
    """One run of stages in one project.

    `stages` are all that a project can have, in their order. `policy` is what the change is judged by.
    `say` receives progress, one line at a time.
    """

    config: Config
    stages: Sequence[Stage]
    provider: Provider
    variables: Mapping[str, str]
    out: Path | None = None
    say: Callable[[str], None] = _silent
    dry_run: bool = False
    force: bool = False
    policy: Policy | None = None
    _digests: Digests = field(init=False)

    def __post_init__(self) -> None:
        self._digests = Digests(self.state / "cache" / "digests.json")

    @property
    def folder(self) -> Path:
        """The output folder."""
        return self.out or self.config.root / OUT_FOLDER

    @property
    def state(self) -> Path:
        """The folder for cache and local state."""
        return self.config.root / STATE_FOLDER

    def context(self) -> Context:
        """Return what a stage is told, with the results that are in the output folder."""
        config = self.config
        return Context(
            root=config.root,
            out=self.folder,
            cache=self.state / "cache",
            project=config.project,
            data=config.section("data", DataInputs),
            tracking=config.section("tracking", TrackingInputs),
            digests=self._digests,
            results=read_results(self.folder, [stage.name for stage in self.stages]),
            configured=config.given,
            variables=self.variables,
            where=config.where,
            say=self.say,
            ci=self.provider.ci,
            dry_run=self.dry_run,
        )

    def plan(self, chosen: Sequence[Stage]) -> list[pipeline.Decision]:
        """Return what a run of the chosen stages would do."""
        decisions = pipeline.plan(chosen, self.config, self.context(), force=self.force)
        if self.state.exists():
            self._digests.save()
        return decisions

    def execute(self, chosen: Sequence[Stage]) -> Report:
        """Run the chosen stages in order, stop at the first that blocks, and report.

        Raises MlciError `interrupted`, or `run.locked`, `disk.full` or `files.denied` when not even a
        report can be made.
        """
        try:
            prepare_folder(self.state)
            prepare_folder(self.folder)
            with self._lock():
                self._clear_leftovers()
                report = self._report(self._all(chosen))
                self._hand_out(report)
        except (OSError, KeyboardInterrupt) as error:
            raise understood(error) from error
        return report

    def _clear_leftovers(self) -> None:
        names = [stage.name for stage in self.stages]
        for folder in (self.folder, self.state / "dry-run"):
            clear_leftovers(folder, names, _report_files())

    def _all(self, chosen: Sequence[Stage]) -> list[StageResult]:
        for stage in chosen:
            if stage.name in self.config.given:
                stage.check(self.config.sections[stage.name])
        results: list[StageResult] = []
        blocked: StageResult | None = None
        for stage in chosen:
            if blocked is not None:
                results.append(_skipped(stage, f"not run: {blocked.stage} {_ended(blocked)}"))
                continue
            result = self._one(stage)
            results.append(result)
            if result.exit_code is not ExitCode.PASSED:
                blocked = result
        return results

    def _one(self, stage: Stage) -> StageResult:
        context = self.context()
        try:
            decision = pipeline.decide(stage, self.config, context, force=self.force or self.dry_run)
        except Exception as error:  # a plug-in may raise anything; the run must still end with a result
            return self._keep(self._error_result(stage, error, now(), 0.0))
        if decision.action == "absent":
            return _skipped(stage, decision.why)
        if decision.action == "skip":
            self.say(f"{stage.name}: skipped, {decision.why}")
            return context.results[stage.name].model_copy(update={"cached": True})
        self.provider.group(f"{stage.name}: {decision.why}")
        try:
            return self._fresh(stage, context, decision.parts)
        finally:
            self.provider.end_group()

    def _fresh(self, stage: Stage, context: Context, before: Mapping[str, str] | None) -> StageResult:
        started, start = now(), time.perf_counter()
        if not self.dry_run:
            forget_result(self.folder, stage.name, _report_files())
        try:
            with self._work(stage) as work:
                running = replace(context, work=work)
                result = stage.run(self.config.sections[stage.name], running)
            settled = self._settled(stage, before)
        except BaseException as error:
            seconds = time.perf_counter() - start
            result = self._error_result(stage, error, started, seconds)
            self._keep(result)
            if was_interrupted(error):
                raise KeyboardInterrupt from error
            return result
        result = result.model_copy(
            update={
                "steps": running.steps,
                "started": started,
                "seconds": round(time.perf_counter() - start, 3),
                "fingerprint": settled,
            }
        )
        return self._keep(without_secrets(result, self.variables))

    def _settled(self, stage: Stage, before: Mapping[str, str] | None) -> dict[str, str]:
        """Return the fingerprint that the result stands for.

        What was there before counts as it was then, so that an edit during the run is not lost;
        a part named `state …` is what the stage itself changes, and counts as it is now.
        """
        after = pipeline.fingerprint(stage, self.config, self.context())
        return {
            name: digest if name.startswith("state ") else (before or {}).get(name, digest)
            for name, digest in after.items()
        }

    @contextmanager
    def _work(self, stage: Stage) -> Iterator[Path]:
        final = self.folder / stage.name
        if self.dry_run:
            final = self.state / "dry-run" / stage.name
        with folder_in_progress(final) as work:
            try:
                yield work
            except BaseException:
                with suppress(OSError):  # a full disk must not hide the error that brought us here
                    for log in work.rglob("*.log"):
                        shutil.copyfile(log, self.folder / f"{stage.name}.log")
                raise

    def _keep(self, result: StageResult) -> StageResult:
        if not self.dry_run:
            try:
                write_result(self.folder, result)
            except OSError as error:
                record = error_record(understood(error), self.variables)
                return result.model_copy(
                    update={"status": Status.ERRORED, "error": record, "reason": record.message}
                )
        return result

    def _error_result(self, stage: Stage, error: BaseException, started: str, seconds: float) -> StageResult:
        known = understood(error)
        if known.code == "bug":
            with suppress(OSError):
                text = "".join(traceback.format_exception(error))
                write_atomic(self.state / "bug.txt", redact(text, self.variables))
        record = error_record(known, self.variables)
        return StageResult(
            stage=stage.name,
            status=Status.ERRORED,
            reason=record.message.splitlines()[0],
            started=started,
            seconds=round(seconds, 3),
            error=record,
        )

    def _report(self, results: list[StageResult]) -> Report:
        config = self.config
        where = {**self.provider.provenance(), "reason": self.variables.get("MLCI_REASON", "")}
        digests = self._data_digests()
        return assemble(
            config.project, results, config.root, where, digests, policy=self.policy, config=config.file
        )

    def _hand_out(self, report: Report) -> None:
        """Write every face of the report and publish it.

        A report that cannot be written is an error, unless a stage has told of one already.
        """
        with suppress(OSError):
            self._digests.save()  # a hint only
        try:
            if not self.dry_run:
                write_report(self.folder, report)
                for reporter in REPORTERS:
                    if reporter.file is not None:
                        write_atomic(self.folder / reporter.file, reporter.render(report))
            self.provider.publish(report, self.folder)
        except OSError:
            if all(result.error is None for result in report.stages):
                raise

    def _data_digests(self) -> dict[str, str]:
        data = self.config.section("data", DataInputs)
        paths = {name: self.config.root / name for name in (data.train, data.evaluate) if name}
        return {name: self._digests.of(path) for name, path in paths.items() if path.exists()}

    @contextmanager
    def _lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(self.state / "lock")
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            raise MlciError(
                "run.locked",
                f"another mlci run is at work in '{self.config.root.name}'",
                "wait for it, or use another checkout (`git worktree add`) for runs side by side",
            ) from error
        try:
            yield
        finally:
            lock.release()


def _report_files() -> list[str]:
    """Return the names of the files that a report is written to."""
    return [REPORT_FILE, *(reporter.file for reporter in REPORTERS if reporter.file is not None)]


def _skipped(stage: Stage, why: str) -> StageResult:
    return StageResult(stage=stage.name, status=Status.SKIPPED, reason=why)


def _ended(result: StageResult) -> str:
    return "did not pass" if result.status is Status.FAILED else "could not be finished"
