"""Writes a first mlci.yaml: what was found, and the rest with a comment on what to put there."""

from __future__ import annotations

import json
import re

from mlci.scaffold.detect import Seen

_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_./ -]*$")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off"}


def config_text(seen: Seen) -> str:
    """Return the text of mlci.yaml; it is valid as it stands when data and label were found."""
    lines = [
        "# yaml-language-server: $schema=./mlci.schema.json   (written by `mlci schema > mlci.schema.json`)",
        f"project: {_scalar(seen.project)}",
        *_data(seen),
        *_validate(seen),
        *_train(seen),
        *_compare(seen),
        "package:",
        f"  name: {_scalar(seen.project)}",
        "deploy:",
        "  target: registry",
    ]
    return "\n".join(lines) + "\n"


def _data(seen: Seen) -> list[str]:
    return [
        "data:",
        f"  train: {_scalar(seen.train or 'data/train.parquet')}",
        f"  evaluate: {_scalar(seen.evaluate or 'data/evaluate.parquet')}",
        f"  label: {_scalar(seen.label or 'label')}",
        f"  key: {_scalar(seen.key)}" if seen.key else "  # key: the column that identifies a row",
    ]


def _validate(seen: Seen) -> list[str]:
    lines = ["validate-data:"]
    if seen.files:
        lines.append(f"  files: [{', '.join(_scalar(name) for name in seen.files)}]")
    if seen.suite:
        return [*lines, f"  suite: {_scalar(seen.suite)}"]
    label = _scalar(seen.label or "label")
    return [
        *lines,
        "  expectations:",
        f"    - {{type: expect_column_values_to_not_be_null, column: {label}}}",
    ]


def _train(seen: Seen) -> list[str]:
    way, value = seen.way or ("command", "python train.py")
    lines = ["train:", f"  {way}: {_scalar(value)}"]
    lines += [f"  model: {_scalar(seen.model)}"] if seen.model else []
    return lines + ([f"  metrics: {_scalar(seen.metrics)}"] if seen.metrics else [])


def _compare(seen: Seen) -> list[str]:
    return [
        "compare-to-baseline:",
        f"  baseline: models:/{seen.project}@champion",
        "  gates:  # the margin is the loss that you would accept",
        "    - {metric: accuracy, no-worse-than: 0.01}",
        "    # for numbers: {metric: rmse, no-worse-than: 0.05, relative: true}",
    ]


def _scalar(value: str) -> str:
    """Return text as a YAML scalar, quoted where YAML would read something else."""
    plain = _PLAIN.match(value) and value.lower() not in _WORDS and value == value.strip()
    return value if plain else json.dumps(value, ensure_ascii=False)
