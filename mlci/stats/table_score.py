"""Score intervals for any smooth function of a table of counts, such as a difference of F1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlci.stats.contrast import Contrast
from mlci.stats.law import ClosedForm, normal_chance, normal_quantile
from mlci.stats.statistic import Floats

_ROUNDS = 12
"""Rounds in which a table settles under its constraint, at most."""
_MOST = 1 - 1e-9
_NEAR = 0.95
"""Beyond this tilt scores may fall again, so that the first tilt is sought step by step."""
_STEPS = 40
_PRECISE = 1e-5
"""How near the wanted score is found, in standard errors."""


@dataclass(frozen=True, eq=False)
class TableScore(ClosedForm):
    """A function of a multinomial table, with the values that a score test does not reject.

    `counts` are the cells of the table, above 0: one whose mirror was seen may hold a part of a row.

    The variance is that of the most likely table under the hypothesis, not of the one that was seen
    (Lang 2008); for a difference of paired shares this is the interval of Tango (1998). The delta
    method takes the variance at the estimate, and for precision at a few hundred rows that lets
    nearly twice as many worse models pass as it says.
    """

    estimate: float
    contrast: Contrast
    counts: Floats
    method: str = "score interval"
    _known: dict[float, tuple[float, float]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def standard_error(self) -> float:
        """The standard error by the delta method."""
        return math.sqrt(float(self.counts @ self.contrast.effects(self.counts[None, :])[0] ** 2))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the values at which the score test has level alpha."""
        if alpha not in self._known:
            z = normal_quantile(1 - alpha)
            self._known[alpha] = self._bound(z, 1.0), self._bound(z, -1.0)
        return self._known[alpha]

    def p_below(self, threshold: float) -> float:
        """Return the p-value of the score test of this value."""
        side = 1.0 if threshold < self.estimate else -1.0
        wanted = side * (self.estimate - threshold)
        path = _Path(self, side)
        point = path.where(lambda distance, _: (distance - wanted) / self.standard_error)
        by_delta = normal_chance(side * wanted / self.standard_error)
        if point is None:
            return by_delta
        # Where so few rows differ that tables do not settle, the less certain of two answers.
        by_score = normal_chance(side * point[1])
        return by_score if path.settled else max(by_score, by_delta)

    def _bound(self, z: float, side: float) -> float:
        """Return where the score is z; where no table is so far out, at least the bound of the delta method."""
        path = _Path(self, side)
        point = path.where(lambda _, score: score - z)
        if point is None:
            farthest = path.at(_MOST)[0]
            known = farthest if math.isfinite(farthest) else 0.0
            return self.estimate - side * max(known, z * self.standard_error)
        return self.estimate - side * point[0]


class _Path:
    """The most likely tables for values ever farther below (side 1) or above (−1) the estimate.

    Such a table has each cell's count divided by 1 + k × effect (Lagrange). The tilt is the strength
    k as a share of the strongest that leaves all cells positive.
    """

    def __init__(self, law: TableScore, side: float) -> None:
        self._law = law
        self._side = side
        self._rows = float(law.counts.sum())
        self._table = law.counts
        self.settled = True

    def at(self, tilt: float) -> tuple[float, float]:
        """Return the distance from the estimate and the score statistic of a tilt."""
        before = math.nan
        for _ in range(_ROUNDS):
            point, self._table = self._step(self._table, tilt)
            if abs(point[0] - before) <= 1e-6 * self._law.standard_error:
                break
            before = point[0]
        return point

    @np.errstate(over="ignore", divide="ignore", invalid="ignore")  # with nearly all rows thought away
    def _step(self, table: Floats, tilt: float) -> tuple[tuple[float, float], Floats]:
        """Tilt the counts by the effects that a table has; return distance and score, and the new table."""
        law = self._law
        pull = self._side * law.contrast.effects(table[None, :])[0]
        hardest = float(np.max(-pull, initial=0.0))
        if hardest <= 0:
            return (0.0, 0.0), table
        tilted = law.counts / (1 + tilt * pull / hardest)
        tilted *= self._rows / tilted.sum()
        distance = self._side * (law.estimate - float(law.contrast.values(tilted[None, :])[0]))
        error = math.sqrt(float(tilted @ pull**2))
        if not (math.isfinite(distance) and math.isfinite(error)):
            return (math.inf, math.inf), table
        return (distance, distance / error if error > 0 else math.inf), tilted

    def where(self, missed: Callable[[float, float], float]) -> tuple[float, float] | None:
        """Return distance and score where `missed`, below 0 at the estimate, is 0; None without such a tilt."""
        at_low = missed(0.0, 0.0)
        if at_low >= 0:
            return 0.0, 0.0
        together = self._at_once(missed, at_low)
        if together is not None:
            return together
        self.settled = False
        low, high = 0.0, self._guess(-at_low) / 2
        point = self.at(high)
        at_high = missed(*point)
        while at_high < 0:
            if high >= _MOST:
                return None
            low, at_low, high = high, at_high, min(_MOST, (1 + high) / 2)
            point = self.at(high)
            at_high = missed(*point)
        for _ in range(_STEPS):
            # False position; an end that stays is given half its weight (Dowell & Jarratt 1971).
            tilt = high - at_high * (high - low) / (at_high - at_low)
            point = self.at(tilt)
            found = missed(*point)
            if abs(found) <= _PRECISE or not low < tilt < high:
                break
            if found < 0:
                low, at_low, at_high = tilt, found, at_high / 2
            else:
                high, at_high, at_low = tilt, found, at_low / 2
        return point

    def _at_once(self, missed: Callable[[float, float], float], at_low: float) -> tuple[float, float] | None:
        """Let tilt and table settle together, which is fast and nearly always ends; None where it does not."""
        table, tilt, before = self._law.counts, self._guess(-at_low), (0.0, at_low)
        for _ in range(_STEPS):
            point, table = self._step(table, tilt)
            off = missed(*point)
            if abs(off) <= _PRECISE:
                point, table = self._step(table, tilt)
                if abs(missed(*point)) <= _PRECISE:
                    return point
                continue
            slope = (off - before[1]) / (tilt - before[0]) if tilt != before[0] else 0.0
            before = (tilt, off)
            if off <= at_low or tilt > _NEAR:
                return None
            # Along a straight line; where the last two points give none, in proportion.
            wanted = tilt - off / slope if slope > 0 else tilt * at_low / (at_low - off)
            tilt = min(max(wanted, tilt / 2), (1 + tilt) / 2)
        return None

    def _guess(self, errors: float) -> float:
        """Return about which tilt moves the value by so many standard errors."""
        law = self._law
        pull = self._side * law.contrast.effects(law.counts[None, :])[0]
        strength = errors / law.standard_error * float(np.max(-pull, initial=0.0))
        return min(0.999, 1.1 * strength / (1 + strength))
