"""What an evaluation set can see before there is a candidate: power from measured or assumed standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlci.stats.law import normal_chance, normal_quantile
from mlci.stats.scores import Scores

DISCORDANT = 0.08
"""Share of rows on which a change of a model changes the answer, where nothing is known."""
VALUE = 0.8
"""Area under the ROC curve, where nothing is known."""


@dataclass(frozen=True)
class Spread:
    """The standard error of a gain or of a value on `units` independent rows or groups.

    `support` counts those that the metric rests on. `value` is the metric's value, where it is known.
    """

    standard_error: float
    units: int
    support: int
    unit: str = "rows"
    value: float | None = None


@dataclass(frozen=True)
class StandIn:
    """Answers of an equally good model that is not there, and the share of rows with another answer."""

    scores: Scores
    discordant: float


def smallest_seen(spread: Spread, alpha: float, power: float) -> float:
    """Return the smallest difference that is found with this power at one-sided level alpha.

    (z₁₋α + z_power) standard errors. For two accuracies with discordant share d that is the well-known
    √(6.2 · d / n) at 5 % and 80 % (Connor 1987).
    """
    return reach(alpha, power) * spread.standard_error


def units_needed(spread: Spread, margin: float, alpha: float, power: float) -> int | None:
    """Return how many rows (or groups) let an equally good model pass a margin with this power.

    Standard errors shrink with the root of the rows. None where nothing differs, so that there is
    nothing to reckon with. Raises ValueError unless the margin is above 0.
    """
    if not margin > 0:
        raise ValueError(f"a margin must be above 0, not {margin}")
    if spread.standard_error <= 0:
        return None
    return math.ceil(round(spread.units * (smallest_seen(spread, alpha, power) / margin) ** 2, 6))


def chance_to_pass(spread: Spread, distance: float, alpha: float) -> float:
    """Return the chance that a model that is truly `distance` above the limit is seen to be above it."""
    if spread.standard_error <= 0:
        return 1.0 if distance > 0 else 0.0
    return normal_chance(distance / spread.standard_error - normal_quantile(1 - alpha))


def reach(alpha: float, power: float) -> float:
    """Return the distance, in standard errors, that a test of level alpha finds with this power."""
    if not (0 < alpha < 0.5 and 0 < power < 1):
        raise ValueError(f"alpha must lie between 0 and 0.5 and power between 0 and 1, not {alpha}, {power}")
    return normal_quantile(1 - alpha) + normal_quantile(power)


def stand_in(scores: Scores, discordant: float, seed: int) -> StandIn:
    """Return the answers of a model that is as good as this one and errs on other rows.

    Answers (for numbers: errors) change places among a share of the rows with the same label, which
    leaves the table of label and answer as it is, and in expectation every metric. For classes the
    share is such that `discordant` of all rows are answered differently, at most as many as by two
    models whose errors have nothing to do with each other; for numbers it is `discordant` itself.
    Raises ValueError unless `discordant` lies between 0 and 1.
    """
    _check_share(discordant)
    chance = np.random.default_rng(seed)
    if scores.task == "regression":
        rows = _exchange(np.arange(scores.rows), discordant, chance)
        error = np.asarray(scores.prediction, dtype=np.float64) - scores.label
        moved = np.asarray(scores.label, dtype=np.float64) + error[rows]
        return StandIn(replace(scores, prediction=moved), _share(scores.prediction != moved))
    labels, answers = _codes(scores)
    kinds = [np.flatnonzero(labels == code) for code in np.unique(labels)]
    most = sum(len(rows) * _unlike(answers[rows]) for rows in kinds)
    share = min(1.0, discordant * scores.rows / most) if most > 0 else discordant
    order = np.arange(scores.rows)
    for rows in kinds:
        order[rows] = _exchange(rows, share, chance)
    other = replace(
        scores,
        prediction=scores.prediction[order],
        probability=None if scores.probability is None else scores.probability[order],
    )
    return StandIn(other, _share(answers != answers[order]))


def _codes(scores: Scores) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return numbers for label and answer of each row; of several labels, one for each combination."""
    if scores.task != "multilabel":
        return scores.label_codes, scores.prediction_codes
    return _combinations(scores.label), _combinations(scores.prediction)


def _combinations(values: NDArray[Any]) -> NDArray[np.int64]:
    found = np.unique(values, axis=0, return_inverse=True)[1]
    return np.asarray(found, dtype=np.int64).reshape(-1)


def assumed_gain(
    metric: str, labels: Sequence[int], positive: int | None, discordant: float, value: float = VALUE
) -> tuple[Spread, str] | str:
    """Return the spread of a gain that has to be assumed, and the formula in words; else why there is none.

    `labels` counts the rows of each class (empty for numbers), `positive` is the position of the
    positive one. Accuracy, recall and balanced accuracy follow from the discordant share d as √(d / n)
    over the rows that they rest on; an area is that of two unrelated models of this `value`, which is
    the most that it can be (Hanley & McNeil 1982).
    """
    _check_share(discordant)
    rows, few = sum(labels), min((count for count in labels if count), default=0)
    words = f"assumed: models differ on {discordant:.3g} of the rows"
    if labels and metric == "accuracy":
        return Spread(math.sqrt(discordant / rows), rows, rows), words
    if positive is not None and metric == "recall" and labels[positive]:
        asked = labels[positive]
        return Spread(math.sqrt(discordant / asked), rows, asked), words
    if few and all(labels) and metric in ("balanced_accuracy", "recall"):
        error = math.sqrt(sum(discordant / count for count in labels)) / len(labels)
        return Spread(error, rows, few), words
    if positive is not None and metric == "roc_auc" and all(labels):
        error = _area_error(value, labels[positive], rows - labels[positive])
        worst = f"assumed: two unrelated models of area {value:.3g}; alike models are seen better"
        return Spread(math.sqrt(2) * error, rows, few, value=value), worst
    return f"no honest formula for {metric} without predictions: train once, or name a baseline"


def assumed_value(
    metric: str, labels: Sequence[int], positive: int | None, value: float
) -> tuple[Spread, str] | str:
    """Return the spread of one model's own value when that value is `value`; else why there is none."""
    rows = sum(labels)
    words = f"assumed: the value is {value:.3g}"
    asked = 0
    if metric == "accuracy":
        asked = rows
    elif metric == "recall" and positive is not None:
        asked = labels[positive]
    if asked and 0 <= value <= 1:
        return Spread(math.sqrt(value * (1 - value) / asked), rows, asked, value=value), words
    if metric == "roc_auc" and positive is not None and all(labels) and 0 < value < 1:
        error = _area_error(value, labels[positive], rows - labels[positive])
        return Spread(error, rows, min(labels), value=value), words
    return f"no honest formula for {metric} without predictions: train once, or name a baseline"


def spread_of_interval(low: float, high: float, confidence: float, units: int) -> Spread:
    """Return the spread behind a two-sided interval that was reported, taken as a normal one."""
    error = (high - low) / (2 * normal_quantile((1 + confidence) / 2))
    return Spread(error, units, units)


def rescaled(spread: Spread, units: int, value: float | None = None) -> Spread:
    """Return the spread on another number of units of the same kind, beside the metric's value."""
    ratio = units / spread.units
    error, support = spread.standard_error / math.sqrt(ratio), round(spread.support * ratio)
    return replace(spread, standard_error=error, units=units, support=support, value=value)


def pooled(spreads: Sequence[Spread]) -> Spread:
    """Return one spread with the mean variance of several draws of the same rows."""
    variance = float(np.mean([spread.standard_error**2 for spread in spreads]))
    return replace(spreads[0], standard_error=math.sqrt(variance))


Source = Literal["measured", "stand-in", "last result", "assumed", "none"]
"""Where a standard error comes from, the best first."""


def _exchange(rows: NDArray[np.intp], share: float, chance: np.random.Generator) -> NDArray[np.intp]:
    """Return the rows with a random part of them in another order."""
    moving = np.sort(chance.permutation(len(rows))[: round(share * len(rows))])
    order = rows.copy()
    order[moving] = rows[chance.permutation(moving)]
    return order


def _unlike(codes: NDArray[np.int64]) -> float:
    """Return the chance that two rows drawn with replacement have different answers."""
    shares = np.bincount(codes) / len(codes)
    return float(1 - shares @ shares)


def _share(mask: NDArray[Any]) -> float:
    return float(np.mean(mask)) if len(mask) else 0.0


def _check_share(discordant: float) -> None:
    if not 0 < discordant <= 1:
        raise ValueError(f"the discordant share must lie between 0 and 1, not {discordant}")


def _area_error(area: float, positives: int, negatives: int) -> float:
    """Return the standard error of an area by its value and the rows of both classes (Hanley & McNeil 1982)."""
    both_positive = area / (2 - area)
    both_negative = 2 * area**2 / (1 + area)
    variance = area * (1 - area)
    variance += (positives - 1) * (both_positive - area**2) + (negatives - 1) * (both_negative - area**2)
    return math.sqrt(max(0.0, variance) / (positives * negatives))
