"""Luck in training: the variance of a metric over seeds, added to what the rows leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlci.stats.compare import Key
from mlci.stats.comparison import Comparison
from mlci.stats.law import Guarded, Law, Student, student_quantile
from mlci.stats.metrics import statistic
from mlci.stats.scores import Scores
from mlci.stats.skewed import Skewed
from mlci.stats.slices import Parts, Slices


@dataclass(frozen=True)
class WithSeeds:
    """A law whose bounds hold what the rows leave open and what the seed leaves open.

    `both` has the two variances added (Bouthillier et al. 2021: a metric varies by the rows it is
    measured on and by the seed it was trained with, independently of each other). No bound lies
    nearer than that of the rows alone.
    """

    law: Law
    both: Student
    repeats: int

    @property
    def estimate(self) -> float:
        """The number itself."""
        return self.law.estimate

    @property
    def standard_error(self) -> float:
        """The standard error over rows and seeds."""
        return self.both.standard_error

    @property
    def method(self) -> str:
        """The method of the law inside, and the seeds."""
        return f"{self.law.method}, with the variance over {self.repeats} seeds"

    @property
    def replicates(self) -> int:
        """The resamples of the law inside."""
        return self.law.replicates

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the outer ones of both laws' bounds."""
        inner, outer = self.law.bounds(alpha), self.both.bounds(alpha)
        return min(inner[0], outer[0]), max(inner[1], outer[1])

    def p_below(self, threshold: float) -> float:
        """Return the larger of the two p-values."""
        return max(self.law.p_below(threshold), self.both.p_below(threshold))

    def monte_carlo_error(self, alpha: float) -> float | None:
        """Return that of the law inside."""
        return self.law.monte_carlo_error(alpha)


def with_seeds(comparison: Comparison, values: Sequence[float]) -> Comparison:
    """Return a comparison whose intervals know of the metric's values over several seeds.

    The gain of the model at hand has variance SE² + s², where s² is the sample variance of `values`;
    degrees of freedom are those of Satterthwaite (1946). The interval of the candidate's own value is
    widened by the square-and-add rule (Zou & Donner 2008). Values that are not finite leave the
    comparison without an interval. Raises ValueError for less than two values.
    """
    if len(values) < 2:
        raise ValueError(f"a variance over seeds needs at least two values, not {len(values)}")
    if not np.all(np.isfinite(values)):
        why = f"{comparison.metric} is undefined for one of {len(values)} seeds"
        return replace(
            comparison, problem=comparison.problem or why, own_problem=comparison.own_problem or why
        )
    spread = float(np.var(values, ddof=1))
    if comparison.law is None or comparison.problem is not None or min(values) == max(values):
        return comparison
    law = WithSeeds(comparison.law, _both(comparison.law, spread, len(values)), len(values))
    worst, best = law.bounds(comparison.alpha)
    low, high = (worst, best) if comparison.direction == "higher" else (-best, -worst)
    own = _squared_and_added(comparison, spread, len(values))
    low, high = own if comparison.baseline is None else (low, high)
    return replace(
        comparison,
        low=low,
        high=high,
        own_low=own[0],
        own_high=own[1],
        law=law,
        method=f"{comparison.method}, with the variance over {len(values)} seeds",
        standard_error=law.standard_error,
        identical=False,
    )


def seed_values(
    metrics: Sequence[str], models: Sequence[Scores], slices: Slices | None = None
) -> Mapping[Key, list[float]]:
    """Return each metric's value for every model, on all rows (slice None) and on each slice; NaN for none."""
    parts = Parts(slices, models[0].rows)
    found: dict[Key, list[float]] = {}
    for name in parts.names:
        rows = parts.rows(name)
        for scores in models:
            taken = scores if rows is None else scores.take(rows)
            for metric in dict.fromkeys(metrics):
                found.setdefault((metric, name), []).append(_value(metric, taken))
    return found


def _value(metric: str, scores: Scores) -> float:
    return float(statistic(metric, scores).values(np.ones((1, scores.rows)))[0]) if scores.rows else math.nan


def _both(law: Law, spread: float, repeats: int) -> Student:
    rows = law.standard_error**2
    inner = law.law if isinstance(law, Guarded) else law
    doubt = spread**2 / (repeats - 1)
    if isinstance(inner, Skewed | Student):
        doubt += rows**2 / inner.freedom
    error = math.sqrt(rows + spread)
    return Student(law.estimate, error, (rows + spread) ** 2 / doubt, law.method)


def _squared_and_added(comparison: Comparison, spread: float, repeats: int) -> tuple[float, float]:
    """Return the interval of the candidate's own value, with its reach on each side enlarged."""
    reach = math.sqrt(spread) * student_quantile(1 - comparison.alpha, repeats - 1)
    value = comparison.candidate
    return (
        value - math.hypot(value - comparison.own_low, reach),
        value + math.hypot(comparison.own_high - value, reach),
    )
