"""What a model may cost, and how such a quantity is written: bytes and seconds, with their units."""

from __future__ import annotations

import re
from typing import Literal

Unit = Literal["bytes", "seconds"]

BUDGETS: dict[str, Unit] = {
    "model_size": "bytes",
    "predict_latency_p50": "seconds",
    "predict_latency_p95": "seconds",
    "predict_memory": "bytes",
}
"""Budgets by name, each with the unit of its value; less is better."""

_FACTORS: dict[Unit, dict[str, float]] = {
    "bytes": {
        "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
    },
    "seconds": {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1},
}  # fmt: skip
WITH_UNIT = r"^[0-9]+(\.[0-9]+)? ?(B|kB|KB|MB|GB|KiB|MiB|GiB|us|µs|ms|s)$"
"""Pattern of a number with a unit."""


def in_base_unit(text: str, unit: Unit) -> float:
    """Return a quantity such as 50MB or 20ms in bytes or seconds; raises ValueError for anything else."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµ]+)\s*", text)
    factors = _FACTORS[unit]
    if found is None or found[2] not in factors:
        example = "50MB" if unit == "bytes" else "20ms"
        raise ValueError(
            f"'{text}' is no quantity in {unit}: write {example}, with one of {', '.join(factors)}"
        )
    return float(found[1]) * factors[found[2]]


def in_words(value: float, unit: Unit) -> str:
    """Return a quantity with the unit in which it is short, such as 50 MB, with four digits."""
    for name, factor in _STEPS[unit]:
        if abs(value) >= factor:
            return f"{value / factor:.4g} {name}"
    name, factor = _STEPS[unit][-1]
    return f"{value / factor:.4g} {name}"


_STEPS: dict[Unit, tuple[tuple[str, float], ...]] = {
    "bytes": (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1)),
    "seconds": (("s", 1), ("ms", 1e-3), ("µs", 1e-6)),
}
