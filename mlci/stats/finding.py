"""From laws to a comparison: the last step, the same for every method."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlci.stats.comparison import Comparison
from mlci.stats.exact import Tail
from mlci.stats.law import Guarded, Law, Unseen, level
from mlci.stats.metrics import MetricKind
from mlci.stats.tally import Tally

NOTHING_DIFFERS = "no row makes a difference, and the metric has no bound to reason with"


@dataclass(frozen=True)
class Place:
    """Where a comparison is made: the metric, the slice, its rows, and how sure to be."""

    kind: MetricKind
    slice: str | None
    tally: Tally
    span: float | None
    confidence: float


@dataclass(frozen=True)
class Finding:
    """The values of both models, and the laws of the gain and of the candidate's own value.

    In place of a law there may be the reason why there is none. `support` counts the units that the
    metric rests on.
    """

    candidate: float
    baseline: float | None
    gain: Law | str | None
    own: Law | str
    support: int
    identical: bool


def unseen(estimate: float, place: Place, support: int) -> Law | str:
    """Return the law of an estimate that no row pulls to either side."""
    if place.span is None:
        return NOTHING_DIFFERS
    method = f"exact rule of three on {support} {place.tally.unit}"
    return Unseen(estimate, Tail(support, 0, place.span), method)


def compared(place: Place, found: Finding) -> Comparison:
    """Return the comparison of what was found."""
    kind, alpha = place.kind, level(place.confidence)
    sign = 1.0 if kind.direction == "higher" else -1.0
    own, own_problem = _usable(found.own, f"{kind.name} of the candidate", found.candidate)
    own_low, own_high = own.bounds(alpha) if own else (math.nan, math.nan)
    law, problem = own, own_problem
    low, high = own_low, own_high
    if found.baseline is not None:
        side, value = ("candidate", found.candidate)
        if not math.isnan(found.candidate):
            side, value = "baseline", found.baseline
        law, problem = _usable(found.gain or "", f"{kind.name} of the {side}", value)
        worst, best = law.bounds(alpha) if law else (math.nan, math.nan)
        low, high = (worst, best) if sign > 0 else (-best, -worst)
    return Comparison(
        metric=kind.name,
        slice=place.slice,
        direction=kind.direction,
        n=place.tally.rows,
        units=place.tally.units(),
        support=found.support,
        unit=place.tally.unit,
        candidate=found.candidate,
        baseline=found.baseline,
        delta=None if found.baseline is None else found.candidate - found.baseline,
        low=low,
        high=high,
        own_low=own_low,
        own_high=own_high,
        confidence=place.confidence,
        method=_method(law, alpha),
        standard_error=law.standard_error if law else math.nan,
        replicates=law.replicates if law else 0,
        identical=found.identical,
        problem=problem,
        own_problem=own_problem,
        above=None if found.baseline is None else _above(law),
        monte_carlo_error=law.monte_carlo_error(alpha) if law else None,
        law=law,
        own_law=own,
    )


def _usable(law: Law | str, what: str, value: float) -> tuple[Law | None, str | None]:
    if not np.isfinite(value):
        return None, f"{what} is undefined on these rows"
    return (None, law) if isinstance(law, str) else (law, None)


def _above(law: Law | None) -> Tail | None:
    inner = law.law if isinstance(law, Guarded) else law
    if isinstance(inner, Unseen):
        return inner.tail
    return law.above if isinstance(law, Guarded) else None


def _method(law: Law | None, alpha: float) -> str:
    if law is None:
        return "none"
    exact = isinstance(law, Guarded) and law.widened(alpha)
    return f"{law.method}, with an exact binomial bound for few differing rows" if exact else law.method
