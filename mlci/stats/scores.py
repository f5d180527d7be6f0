"""What a model said about rows whose truth is known: the input of every metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

_FEW = 16
"""Up to so many classes are looked for one after the other."""
Task = Literal["binary", "multiclass", "multilabel", "regression"]


@dataclass(frozen=True, eq=False)
class Groups:
    """A column whose values are groups: the number of each row's group, from 0, and the groups' names."""

    numbers: NDArray[np.integer[Any]]
    names: Sequence[str]

    def take(self, rows: NDArray[Any]) -> Groups:
        """Return the groups of some rows, given by a mask or by positions; the names stay."""
        return Groups(self.numbers[rows], self.names)


@dataclass(frozen=True, eq=False)
class Scores:
    """Labels and one model's answers for the same rows, in the same order.

    `label`, `prediction` and `weight` have one entry a row; `probability` is rows × classes with its
    columns in the order of `classes`. `classes` is None for regression. `positive` is the class that
    counts as positive in a two-class problem; None means the last class. `columns` are other columns
    of the same rows that a metric asks for, by name. With `labels` (several yes-or-no labels at once)
    label, prediction and probability are rows × labels, the first two of booleans. `query` numbers the
    query of each row, where rows are documents that are ranked for it.
    Raises ValueError when shapes do not fit, a number is not finite, or a weight is negative.
    """

    label: NDArray[Any]
    prediction: NDArray[Any]
    probability: NDArray[Any] | None = None
    classes: tuple[Any, ...] | None = None
    positive: Any = None
    weight: NDArray[Any] | None = None
    columns: Mapping[str, Groups] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    query: NDArray[np.integer[Any]] | None = None

    CACHED: ClassVar[tuple[str, ...]] = ("label_codes", "prediction_codes")
    """What is looked up once, and can be handed on to the same rows."""

    def __post_init__(self) -> None:
        shape = (len(self.label),) if self.labels is None else (len(self.label), len(self.labels))
        _check_shape("label", self.label, shape)
        _check_shape("prediction", self.prediction, shape)
        if self.weight is not None:
            _check_shape("weight", self.weight, (self.rows,))
            _check_finite("weight", self.weight)
            if np.any(self.weight < 0):
                raise ValueError(f"weight has {int(np.sum(self.weight < 0))} negative values")
        for name, column in self.columns.items():
            _check_shape(f"column '{name}'", column.numbers, (self.rows,))
        if self.query is not None:
            _check_shape("query", self.query, (self.rows,))
        if self.labels is not None:
            self._check_labels(self.labels)
        elif self.classes is None:
            self._check_regression()
        else:
            self._check_classes(self.classes)

    def _check_regression(self) -> None:
        if self.probability is not None or self.positive is not None:
            raise ValueError("probability and positive have no meaning without classes")
        _check_finite("label", self.label)
        _check_finite("prediction", self.prediction)

    def _check_labels(self, labels: tuple[str, ...]) -> None:
        if self.classes is not None or self.positive is not None:
            raise ValueError("classes and positive have no meaning beside labels")
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise ValueError(f"at least two different labels are needed, not {labels}")
        for name, values in (("label", self.label), ("prediction", self.prediction)):
            if values.dtype != np.bool_:
                raise ValueError(f"{name} must be booleans, rows × labels, not {values.dtype}")
        if self.probability is not None:
            _check_shape("probability", self.probability, (self.rows, len(labels)))
            _check_finite("probability", self.probability)

    def _check_classes(self, classes: tuple[Any, ...]) -> None:
        if len(classes) < 2:
            raise ValueError(f"a classifier needs at least two classes, not {len(classes)}")
        if len(set(classes)) < len(classes):
            raise ValueError(f"classes are repeated: {classes}")
        if self.positive is not None and self.positive not in classes:
            raise ValueError(f"the positive class {self.positive!r} is not one of the classes {classes}")
        if self.probability is not None:
            _check_shape("probability", self.probability, (self.rows, len(classes)))
            _check_finite("probability", self.probability)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.label)

    @property
    def task(self) -> Task:
        """The kind of problem: by the labels, without classes regression, else by their number."""
        if self.labels is not None:
            return "multilabel"
        if self.classes is None:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def positive_index(self) -> int:
        """The column of the positive class; raises ValueError unless there are two classes."""
        if self.classes is None or len(self.classes) != 2:
            raise ValueError("a positive class has a meaning only in a two-class problem")
        return 1 if self.positive is None else self.classes.index(self.positive)

    @cached_property
    def label_codes(self) -> NDArray[np.signedinteger[Any]]:
        """The labels as positions in `classes`, in few bytes; raises ValueError for an unknown label."""
        return _codes("label", self.label, self.classes or ())

    @cached_property
    def prediction_codes(self) -> NDArray[np.signedinteger[Any]]:
        """The predictions as positions in `classes`, in few bytes; raises ValueError for an unknown one."""
        return _codes("prediction", self.prediction, self.classes or ())

    @cached_property
    def improper(self) -> int:
        """How many probabilities lie outside 0 to 1."""
        shares = self.probability
        if shares is None or not shares.size or (shares.min() >= 0 and shares.max() <= 1):
            return 0
        return int(np.count_nonzero((shares < 0) | (shares > 1)))

    def truth_of(self, index: int) -> NDArray[np.bool_]:
        """Return which rows are of a class, or have a label, by its place in `classes` or `labels`."""
        return np.asarray(self.label[:, index] if self.labels is not None else self.label_codes == index)

    @cached_property
    def positives(self) -> NDArray[np.bool_]:
        """Which rows are of the positive class; raises ValueError unless there are two classes."""
        return self.truth_of(self.positive_index)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """The weight of each row; ones when there is no weight."""
        if self.weight is None:
            return np.ones(self.rows)
        return np.asarray(self.weight, dtype=np.float64)

    def take(self, rows: NDArray[Any]) -> Scores:
        """Return the scores of some rows, given by a mask or by positions."""
        part = Scores(
            label=self.label[rows],
            prediction=self.prediction[rows],
            probability=None if self.probability is None else self.probability[rows],
            classes=self.classes,
            positive=self.positive,
            weight=None if self.weight is None else self.weight[rows],
            columns={name: column.take(rows) for name, column in self.columns.items()},
            labels=self.labels,
            query=None if self.query is None else self.query[rows],
        )
        # Looking up text labels is slow; a part inherits what the whole has already looked up.
        part.__dict__.update(
            {name: self.__dict__[name][rows] for name in Scores.CACHED if name in self.__dict__}
        )
        return part


@dataclass(frozen=True, eq=False)
class Binary:
    """Two-class scores as yes and no: who is positive, who was called so, and how likely."""

    truth: NDArray[np.bool_]
    called: NDArray[np.bool_]
    score: NDArray[Any] | None


def binary_view(scores: Scores) -> Binary:
    """Return two-class scores seen from the positive class; raises ValueError for other tasks."""
    positive = scores.positive_index
    probability = scores.probability
    return Binary(
        truth=scores.label_codes == positive,
        called=scores.prediction_codes == positive,
        score=None if probability is None else probability[:, positive],
    )


def check_paired(baseline: Scores, candidate: Scores) -> None:
    """Raise ValueError unless both hold the same rows: equal length, labels, classes and weights."""
    if baseline.rows != candidate.rows:
        raise ValueError(
            f"baseline has {baseline.rows} rows and candidate {candidate.rows}: not the same rows"
        )
    if baseline.classes != candidate.classes:
        raise ValueError(f"baseline has classes {baseline.classes} and candidate {candidate.classes}")
    if baseline.labels != candidate.labels:
        raise ValueError(f"baseline has labels {baseline.labels} and candidate {candidate.labels}")
    if candidate.task == "binary" and baseline.positive_index != candidate.positive_index:
        raise ValueError("baseline and candidate name different positive classes")
    sides = [("label", baseline.label, candidate.label)]
    if baseline.weight is not None or candidate.weight is not None:
        sides.append(("weight", baseline.weights, candidate.weights))
    for name, one, other in sides:
        if one is other:
            continue
        unequal = np.asarray(one) != np.asarray(other)
        different = int(np.sum(unequal if unequal.ndim == 1 else unequal.any(axis=1)))
        if different:
            share = f"{different} of {candidate.rows} rows"
            raise ValueError(f"baseline and candidate are not paired: the {name} differs in {share}")


def _codes(name: str, values: NDArray[Any], classes: tuple[Any, ...]) -> NDArray[np.signedinteger[Any]]:
    numbers = np.asarray(classes)
    small = np.min_scalar_type(-max(1, len(classes)))
    if values.dtype.kind in "biuf" and numbers.dtype.kind in "biuf":
        found = _few_codes(values, numbers, small) if len(numbers) <= _FEW else _many_codes(values, numbers)
        if found is not None:
            return found.astype(small, copy=False)
    position = {value: index for index, value in enumerate(classes)}
    try:
        distinct, inverse = np.unique(values, return_inverse=True)
    except TypeError:  # values of several types cannot be sorted
        distinct, inverse = np.asarray(values, dtype=object), np.arange(len(values))
    known = [position.get(value, -1) for value in distinct.tolist()]
    if -1 in known:
        unknown = distinct.tolist()[known.index(-1)]
        raise ValueError(f"{name} {unknown!r} is not one of the classes {classes}")
    return np.asarray(known, dtype=small)[inverse]


def _few_codes(values: NDArray[Any], classes: NDArray[Any], small: np.dtype[Any]) -> NDArray[Any] | None:
    """Return the position of each number in few classes, class by class; None with an unknown number."""
    codes, found = np.zeros(len(values), dtype=small), 0
    for index, value in enumerate(classes):
        here = values == value
        found += int(np.count_nonzero(here))
        codes += here.astype(small) * small.type(index)
    return codes if found == len(values) else None


def _many_codes(values: NDArray[Any], classes: NDArray[Any]) -> NDArray[Any] | None:
    """Return the same by a sorted list of classes, which is much faster than sorting all rows."""
    order = np.argsort(classes, kind="stable")
    places = np.minimum(np.searchsorted(classes[order], values), len(classes) - 1)
    found: NDArray[Any] = order[places]
    return found if np.array_equal(classes[found], values) else None


def _check_shape(name: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape:
        raise ValueError(f"{name} has shape {np.shape(values)} and needs {shape}")


def _check_finite(name: str, values: NDArray[Any]) -> None:
    try:
        bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    except TypeError:
        raise ValueError(f"{name} holds values that are not numbers (type {values.dtype})") from None
    if bad:
        raise ValueError(f"{name} has {bad} values that are missing or infinite")
