"""When no further resample would change a verdict: a bound on the risk that chance in resampling decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlci.stats.exact import largest_share, smallest_share
from mlci.stats.finding import Finding, Place
from mlci.stats.law import level, normal_chance, normal_quantile
from mlci.stats.multiplicity import replicates_needed
from mlci.stats.replicates import Resampled
from mlci.stats.statistic import Floats

LOOKS = (600, 1000)
"""After so many replicates it is asked whether all is clear."""
RISK = 0.001
"""The chance that a verdict on one metric and part is another one than unlimited resampling would give."""


@dataclass(frozen=True)
class Limit:
    """A value that a gate holds an interval against: of the gain, or with `own` of the candidate's value.

    With `relative` it is multiplied by the size of the baseline's value.
    """

    value: float
    relative: bool = False
    own: bool = False


@dataclass(frozen=True)
class Stop:
    """All limits that are asked about, by metric, and how many slices are judged together at which level."""

    limits: Mapping[str, Sequence[Limit]]
    family: int
    alpha: float


def looks(replicates: int, stop: Stop | None) -> list[int]:
    """Return after how many replicates to look; the last is all of them.

    A family of slices needs so many that a correction can find a regression.
    """
    if stop is None:
        return [replicates]
    least = replicates_needed(stop.family, stop.alpha, least=1)
    return [*(look for look in LOOKS if least <= look < replicates), replicates]


def all_certain(found: Sequence[tuple[Place, Finding]], stop: Stop | None, drawn: int, times: int) -> bool:
    """Return whether every verdict is clear after so many replicates.

    The risk is divided over `times` looks and all limits.
    """
    return stop is not None and all(_certain(place, finding, stop, drawn, times) for place, finding in found)


def _certain(place: Place, finding: Finding, stop: Stop, drawn: int, times: int) -> bool:
    limits = stop.limits.get(place.kind.name, ())
    alpha = level(place.confidence)
    strict = alpha if place.slice is None else alpha / max(1, stop.family)
    for limit in limits:
        law = finding.own if limit.own else finding.gain
        if law is None:  # there is no baseline, so the gate waits for one
            continue
        if not isinstance(law, Resampled) or law.replicates < drawn:  # some replicates are undefined
            return False
        value = limit.value * (abs(finding.baseline or 0.0) if limit.relative else 1.0)
        # Two shares, each with two sides.
        if not clear_of(law, value, alpha, strict, RISK / (4 * times * len(limits))):
            return False
    return True


def clear_of(law: Resampled, threshold: float, alpha: float, strict: float, error: float) -> bool:
    """Return whether on which side of its interval a threshold lies is beyond doubt.

    The bounds of a BCa interval lie on one side of the threshold or the other by two shares: of replicates
    below the threshold, and below the estimate. Both are replaced by the ends of their exact binomial
    intervals (Clopper & Pearson 1934) of level `error` a side; where all four combinations say the same,
    so do unlimited replicates with at most that chance of a mistake. The looks at which this is asked
    share the risk, as in the sequential Monte-Carlo tests of Gandy (2009). A threshold above the interval
    must be so at level `strict`, too.
    """
    below = _share(law.ordered, threshold, error)
    middle = _share(law.ordered, law.estimate, error)
    if middle[0] <= 0 or middle[1] >= 1:
        return False
    lowest = _reached(below[0], middle[1], law.acceleration)
    highest = _reached(below[1], middle[0], law.acceleration)
    if lowest is None or highest is None:
        return False
    return highest < alpha or lowest > 1 - strict or (alpha < lowest and highest < 1 - alpha)


def _share(ordered: Floats, threshold: float, error: float) -> tuple[float, float]:
    """Return bounds on the share of replicates below a threshold; equal ones are on either side."""
    fewest = int(np.searchsorted(ordered, threshold, side="left"))
    most = int(np.searchsorted(ordered, threshold, side="right"))
    return smallest_share(fewest, len(ordered), error), largest_share(most, len(ordered), error)


def _reached(below: float, middle: float, acceleration: float) -> float | None:
    """Return the level at which a BCa bound reaches a threshold; None so far out that it has no meaning."""
    if below in (0.0, 1.0):
        return below
    bias = normal_quantile(middle)
    distance = normal_quantile(below) - bias
    stretched = 1 + acceleration * distance
    return normal_chance(distance / stretched - bias) if stretched > 0.1 else None
