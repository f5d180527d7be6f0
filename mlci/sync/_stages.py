"""What the wrappers of a stage hand to mlci: the stage's own inputs, and those that all stages share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from mlci.config.load import variable_name
from mlci.core.inputs import choices, fields_of, shape
from mlci.core.stage import Stage
from mlci.stages import ordered_stages
from mlci.sync._describe import described

RESULT_OUTPUTS = {
    "verdict": "passed, warned, inconclusive, failed, skipped or errored.",
    "exit-code": "Exit code that says the same as the verdict.",
    "report": "Path of report.json.",
}

STAGE_OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "validate-data": {
        "checks": "Number of checks of the data.",
        "failed": "Number of checks of the data that failed.",
        "warned": "Number of checks of the data that warned.",
    },
    "train": {"run-id": "MLflow run in which the training is recorded."},
    "compare-to-baseline": {
        "gates-failed": "Number of gates that failed, those of slices among them.",
        "gates-unclear": "Number of gates without a clear verdict.",
        "state": "compared, identical or no-baseline.",
    },
    "package": {
        "name": "Name in the model registry.",
        "version": "Version that was registered.",
        "model-uri": "Address of the version, as in models:/NAME/VERSION.",
        "model-sha256": "Digest of the packaged model.",
    },
    "deploy": {
        "target": "What received the model.",
        "version": "Version that is in service now.",
        "previous-version": "Version that was in service before; empty when there was none.",
        "changed": "Whether anything was changed: true or false.",
        "address": "Address of the server that target local started.",
    },
}
"""The outputs that a stage writes, which CI systems want declared beforehand."""


@dataclass(frozen=True)
class Input:
    """One input of a wrapper. `kind` is how it is written, as `shape` says; `allowed` is empty for any."""

    name: str
    variable: str
    description: str
    kind: str = "text"
    allowed: tuple[str, ...] = ()


CONFIG = Input("config", "MLCI_CONFIG", "Path of mlci.yaml or its folder. Default: here or above.")
SET = Input("set", "MLCI_SET", "Any other values: one KEY=VALUE a line, as in data.label=churned.", "lines")
OUT = Input("out", "MLCI_OUT", "Output folder. Default: mlci-out beside mlci.yaml.")
FROM = Input("from", "MLCI_FROM", "First stage of this run. Default: the first one.")
UNTIL = Input("until", "MLCI_UNTIL", "Last stage of this run. Default: the last one.")
FORCE = Input(
    "force", "MLCI_FORCE", "Run even if nothing has changed. true or false. Default: false.", "flag"
)
WARN = Input(
    "warn-exit-code",
    "MLCI_WARN_EXIT_CODE",
    "Exit with 10 after a warning or an unclear verdict. true or false. Default: false.",
    "flag",
)
DRY_RUN = Input(
    "dry-run",
    "MLCI_DRY_RUN",
    "Show what would change and touch nothing. true or false. Default: false.",
    "flag",
)
TRACKING_URI = Input(
    "tracking-uri",
    variable_name("tracking", "uri"),
    "MLflow tracking server. Default: the one of mlci.yaml or of MLFLOW_TRACKING_URI.",
)


def own_stages() -> list[Stage]:
    """Return the stages of mlci itself in their order: those of other packages have no wrapper here."""
    return [stage for stage in ordered_stages() if stage.run.__module__.startswith("mlci.")]


def own_inputs(stage: Stage) -> list[Input]:
    """Return the inputs of a stage: one for each field."""
    return [_input(stage.name, key, field) for key, field in fields_of(stage.inputs).items()]


def stage_outputs(stage: str) -> Mapping[str, str]:
    """Return what a stage writes for later jobs, each with its description."""
    return STAGE_OUTPUTS.get(stage, {})


def direct(stage: Stage, stages: Sequence[Stage]) -> list[str]:
    """Return the stages that `stage` waits for, without those that one of them waits for already."""
    after = {item.name: item.after for item in stages}
    wanted = [name for name in stage.after if name in after]
    return [name for name in wanted if not any(name in _all_before(other, after) for other in wanted)]


def unique(inputs: Iterable[Input]) -> list[Input]:
    """Return inputs as a list; raises ValueError when two of them have one name."""
    found: dict[str, Input] = {}
    for item in inputs:
        if item.name in found:
            raise ValueError(
                f"input '{item.name}' stands for {found[item.name].variable} and {item.variable}"
            )
        found[item.name] = item
    return list(found.values())


def _input(section: str, key: str, field: FieldInfo) -> Input:
    return Input(
        key,
        variable_name(section, key),
        described(field),
        shape(field.annotation),
        choices(field.annotation),
    )


def _all_before(stage: str, after: Mapping[str, Sequence[str]]) -> set[str]:
    direct_ones = [name for name in after[stage] if name in after]
    return {*direct_ones, *(name for before in direct_ones for name in _all_before(before, after))}
