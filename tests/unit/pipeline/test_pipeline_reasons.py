"""Why a stage runs or is skipped, in words, for every reason there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from mlci.config import Config, load_config
from mlci.core.errors import MlciError
from mlci.core.files import Digests
from mlci.core.inputs import DataInputs, Inputs, TrackingInputs
from mlci.core.results import Artifact, ErrorRecord, StageResult
from mlci.core.stage import Context, Stage
from mlci.core.status import ExitCode, Status
from mlci.pipeline import Decision, decide, fingerprint, plan


class BakeInputs(Inputs):
    """What is baked."""

    flour: str = Field("wheat", description="Kind of flour.")
    minutes: int = Field(30, description="Time.")
    patience: float = Field(1.0, description="Timeout.", json_schema_extra={"affects-result": False})


def bake_parts(inputs: BakeInputs, context: Context) -> dict[str, str]:
    path = context.root / "dough.txt"
    if not path.exists():
        raise MlciError("data.missing", "'dough.txt' does not exist")
    return {"dough.txt": path.read_text(), "package oven": "1.0"}


def never(inputs: Any, context: Context) -> StageResult:
    raise AssertionError("deciding runs nothing")


BAKE = Stage("bake", "Bake.", BakeInputs, bake_parts, never)
EAT = Stage("eat", "Eat.", BakeInputs, lambda inputs, context: {}, never, after=("bake",), sections=())

Decide = Callable[..., Decision]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "mlci.yaml").write_text("bake: {flour: rye}\neat: {}\n")
    (tmp_path / "dough.txt").write_text("sour")
    return load_config(tmp_path / "mlci.yaml", {"bake": BakeInputs, "eat": BakeInputs}, {})


def context_of(config: Config, results: Mapping[str, StageResult] | None = None) -> Context:
    return Context(
        root=config.root,
        out=config.root / "mlci-out",
        cache=config.root / ".mlci",
        project="p",
        data=config.section("data", DataInputs),
        tracking=config.section("tracking", TrackingInputs),
        digests=Digests(),
        results=results or {},
    )


def previous(config: Config, stage: Stage = BAKE, **more: Any) -> dict[str, StageResult]:
    """Return the result of a run that has just ended, with changes."""
    values: dict[str, Any] = {
        "stage": stage.name,
        "status": Status.PASSED,
        "reason": "r",
        "fingerprint": fingerprint(stage, config, context_of(config)),
        **more,
    }
    return {stage.name: StageResult(**values)}


def why(config: Config, results: Mapping[str, StageResult], stage: Stage = BAKE, **more: Any) -> str:
    decision = decide(stage, config, context_of(config, results), **more)
    return f"{decision.action}: {decision.why}"


def changed(config: Config, **parts: str | None) -> dict[str, StageResult]:
    """Return a result whose fingerprint had these parts; None for one that it had not."""
    old = fingerprint(BAKE, config, context_of(config))
    names = {name.replace("__", "."): value for name, value in parts.items()}
    kept = {name: value for name, value in {**old, **names}.items() if value is not None}
    return previous(config, fingerprint=kept)


def test_a_stage_without_a_section_is_absent(config: Config) -> None:
    without = replace(config, given=frozenset({"eat"}))
    assert why(without, {}) == "absent: there is no 'bake' section in mlci.yaml"


def test_never_ran(config: Config) -> None:
    assert why(config, {}) == "run: it has not run yet"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (Status.PASSED, "it passed"),
        (Status.WARNED, "it warned"),
        (Status.FAILED, "it failed"),
        (Status.INCONCLUSIVE, "it was inconclusive"),
    ],
)
def test_unchanged_is_skipped_and_keeps_its_verdict(config: Config, status: Status, verdict: str) -> None:
    results = previous(config, status=status)
    assert why(config, results) == f"skip: nothing it depends on has changed; {verdict}"


def test_an_error_is_tried_again(config: Config) -> None:
    record = ErrorRecord(code="train.timeout", message="m", exit_code=ExitCode.NOT_EVALUATED)
    results = previous(config, status=Status.ERRORED, error=record)
    assert why(config, results) == "run: it ended with error[train.timeout] last time"
    assert why(config, previous(config, status=Status.ERRORED)) == "run: it could not be evaluated last time"


def test_a_changed_key_is_named_and_its_value_is_not(config: Config) -> None:
    results = previous(config)
    path = config.file
    path.write_text("bake: {flour: SECRET}\neat: {}\n")
    new = load_config(path, {"bake": BakeInputs, "eat": BakeInputs}, {})
    assert why(new, results) == "run: changed: bake.flour"
    assert "SECRET" not in str(fingerprint(BAKE, new, context_of(new)))


def test_a_key_that_cannot_change_the_result_changes_nothing(config: Config) -> None:
    results = previous(config)
    config.file.write_text("bake: {flour: rye, patience: 9}\neat: {}\n")
    new = load_config(config.file, {"bake": BakeInputs, "eat": BakeInputs}, {})
    assert why(new, results).startswith("skip: ")


def test_a_key_of_a_shared_section_counts_where_the_stage_reads_it(config: Config) -> None:
    results = {**previous(config), **previous(config, EAT)}
    config.file.write_text("bake: {flour: rye}\neat: {}\ndata: {label: y}\n")
    new = load_config(config.file, {"bake": BakeInputs, "eat": BakeInputs}, {})
    assert why(new, results) == "run: changed: data.label"
    assert why(new, results, EAT).startswith("skip: ")


def test_a_changed_file(config: Config) -> None:
    results = previous(config)
    (config.root / "dough.txt").write_text("sweet")
    assert why(config, results) == "run: changed: dough.txt"


def test_new_and_gone_parts(config: Config) -> None:
    assert why(config, changed(config, old="1")) == "run: changed: old (gone)"
    assert why(config, changed(config, **{"dough.txt": None})) == "run: changed: dough.txt (new)"


def test_versions_are_shown_old_and_new(config: Config) -> None:
    assert why(config, changed(config, **{"package oven": "0.9"})) == ("run: changed: package oven 0.9 → 1.0")
    from mlci import __version__

    assert why(config, changed(config, mlci="0.0.0.0")) == f"run: changed: mlci 0.0.0.0 → {__version__}"


def test_many_changes_are_counted(config: Config) -> None:
    results = changed(config, a="1", b="1", c="1", d="1", e="1")
    assert why(config, results) == "run: changed: a (gone), b (gone), c (gone) and 2 more"


@pytest.mark.parametrize("happens", ["removed", "changed"])
def test_an_artifact_that_was_removed_or_changed(config: Config, happens: str) -> None:
    path = config.root / "mlci-out" / "bake" / "bread.txt"
    path.parent.mkdir(parents=True)
    path.write_text("bread")
    artifact = Artifact(path="bake/bread.txt", sha256=Digests().of(path), size=5, role="data")
    results = previous(config, artifacts=[artifact])
    assert why(config, results).startswith("skip: ")
    if happens == "removed":
        path.unlink()
    else:
        path.write_text("crumb!")
    assert why(config, results) == "run: its output mlci-out/bake/bread.txt was removed or changed"


def test_forced(config: Config) -> None:
    assert why(config, previous(config), force=True) == "run: --force"


def test_inputs_that_are_not_in_order(config: Config) -> None:
    (config.root / "dough.txt").unlink()
    assert why(config, {}) == "run: its inputs are not in order: 'dough.txt' does not exist"
    assert why(config, {}, force=True) == "run: its inputs are not in order: 'dough.txt' does not exist"


def test_waiting_for_a_stage_before_it(config: Config) -> None:
    results = previous(config, EAT)
    assert why(config, results, EAT, waiting_for=["bake"]) == (
        "run: bake runs before it (skipped if nothing comes of that)"
    )
    assert why(config, {}, EAT, waiting_for=["bake"]) == "run: it has not run yet"
    assert why(config, results, EAT, waiting_for=["wash"]).startswith("skip: ")
    broken = Stage("eat", "Eat.", BakeInputs, bake_parts, never, after=("bake", "wash"))
    (config.root / "dough.txt").unlink()
    assert why(config, {}, broken, waiting_for=["wash", "bake"]) == "run: wash and bake run before it"


def test_a_plan_follows_the_order_and_runs_nothing(config: Config) -> None:
    found = plan([BAKE, EAT], config, context_of(config, previous(config, EAT)))
    assert [(one.stage.name, one.action) for one in found] == [("bake", "run"), ("eat", "run")]
    assert found[1].why.startswith("bake runs before it")
    both = {**previous(config), **previous(config, EAT)}
    assert [one.action for one in plan([BAKE, EAT], config, context_of(config, both))] == ["skip", "skip"]
    forced = plan([BAKE, EAT], config, context_of(config, both), force=True)
    assert [one.why for one in forced] == ["--force", "--force"]


def test_every_field_that_matters_is_part_of_the_fingerprint(config: Config) -> None:
    parts = fingerprint(BAKE, config, context_of(config))
    assert {"mlci", "bake.flour", "bake.minutes", "data.label", "dough.txt", "package oven"} <= set(parts)
    assert "bake.patience" not in parts
    assert not any(name.startswith("tracking.") for name in parts)
