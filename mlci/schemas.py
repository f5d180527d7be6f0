"""The JSON Schemas that mlci publishes, made from the same models that validate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlci.config.load import SHARED_SECTIONS
from mlci.core.plots import Plots
from mlci.core.results import Report, StageResult
from mlci.stages import ordered_stages
from mlci.stats.names import METRIC_NAMES, NAME_PATTERN

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """Return the schema of mlci.yaml."""
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {
        "project": {"type": ["string", "null"], "description": "Name of the project; default: its folder's."}
    }
    sections = {**SHARED_SECTIONS, **{stage.name: stage.inputs for stage in ordered_stages()}}
    summaries = {stage.name: stage.summary for stage in ordered_stages()}
    for name, inputs in sections.items():
        section = inputs.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
        definitions |= section.pop("$defs", {})
        doc = (inputs.__doc__ or "").strip().splitlines()[0]
        properties[name] = {
            **section,
            "title": name,
            "description": summaries.get(name, doc),
            "type": ["object", "null"],
        }
    # Gates are words of the house and do not know the metrics; editors should.
    metric = definitions["Gate"]["properties"]["metric"]
    metric["anyOf"] = [{"enum": list(METRIC_NAMES)}, {"pattern": NAME_PATTERN}]
    return {
        "$schema": _DIALECT,
        "title": "mlci.yaml",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }


def result_schema() -> dict[str, Any]:
    """Return the schema of mlci-out/<stage>.json."""
    return {"$schema": _DIALECT, **StageResult.model_json_schema(mode="serialization")}


def report_schema() -> dict[str, Any]:
    """Return the schema of mlci-out/report.json."""
    return {"$schema": _DIALECT, **Report.model_json_schema(mode="serialization")}


def plots_schema() -> dict[str, Any]:
    """Return the schema of mlci-out/compare-to-baseline/plots.json."""
    return {"$schema": _DIALECT, **Plots.model_json_schema(mode="serialization")}


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "config": config_schema,
    "result": result_schema,
    "report": report_schema,
    "plots": plots_schema,
}
