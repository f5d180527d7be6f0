"""Metrics of rankings: how well documents are ordered inside each query, and the mean over queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlci.stats.scores import Scores
from mlci.stats.statistic import Floats, Statistic, Sums, ratio
from mlci.stats.tally import Positions

_Measure = Callable[["Lists", int], Floats]


@dataclass(frozen=True, eq=False)
class Lists:
    """Documents query by query, best score first: relevance, rank from 0, and where queries and ties begin.

    A tie is a run of documents of one query with one score.
    """

    relevance: Floats
    rank: Positions
    queries: Positions
    ties: Positions

    def of_ties(self, values: Floats) -> Floats:
        """Return the sum of the values of each tie."""
        return np.add.reduceat(values, self.ties)

    def of_queries(self, values: Floats) -> Floats:
        """Return the sum of the values of each query."""
        return np.add.reduceat(values, self.queries)

    @property
    def tie_sizes(self) -> Positions:
        """How many documents each tie has."""
        return np.diff(np.append(self.ties, len(self.rank)))


def ndcg(lists: Lists, depth: int) -> Floats:
    """Return the discounted gain of the first documents of each query over the best possible one.

    The gain of a document is its relevance, its discount 1 / log2(rank + 1) with ranks from 1; tied
    documents share the mean of their gains. As scikit-learn's `ndcg_score` (Järvelin & Kekäläinen 2002;
    McSherry & Najork 2008). NaN for a query without a relevant document.
    """
    discount = np.where(lists.rank < depth, 1.0 / np.log2(lists.rank + 2.0), 0.0)
    mean_gain = lists.of_ties(lists.relevance) / lists.tie_sizes
    gain = np.add.reduceat(mean_gain * lists.of_ties(discount), np.searchsorted(lists.ties, lists.queries))
    number = np.repeat(np.arange(len(lists.queries)), np.diff(np.append(lists.queries, len(lists.rank))))
    best_first = lists.relevance[np.lexsort((-lists.relevance, number))]
    return ratio(gain, lists.of_queries(best_first * discount))


def average_precision_at(lists: Lists, depth: int) -> Floats:
    """Return the mean of the precisions at the relevant documents among the first ones of each query.

    Relevant is a relevance above 0. The mean is over as many documents as could be relevant there, the
    smaller of `depth` and the query's relevant ones. Tied documents count by the expectation over
    their orders (McSherry & Najork 2008). NaN for a query without a relevant document.
    """
    relevant = (lists.relevance > 0).astype(np.float64)
    sizes, hits = lists.tie_sizes, lists.of_ties(relevant)
    running = np.concatenate([[0.0], np.cumsum(relevant)])
    before = running[lists.ties] - np.repeat(
        running[lists.queries],
        np.diff(np.append(np.searchsorted(lists.ties, lists.queries), len(lists.ties))),
    )
    inside = np.arange(len(lists.rank)) - np.repeat(lists.ties, sizes)
    others = (hits - 1) / np.maximum(sizes - 1, 1)
    found = np.repeat(before + 1, sizes) + inside * np.repeat(others, sizes)
    precision = np.repeat(hits / sizes, sizes) * found / (lists.rank + 1.0)
    total = lists.of_queries(np.where(lists.rank < depth, precision, 0.0))
    return ratio(total, np.minimum(lists.of_queries(relevant), depth))


_MEASURES: dict[str, _Measure] = {"ndcg": ndcg, "map": average_precision_at}


@dataclass(frozen=True, eq=False)
class Answers:
    """The values of the queries that have a relevant document, their weights and first rows."""

    values: Floats
    weights: Floats
    rows: Positions
    left_out: int


def ranking(family: str, depth: int) -> Callable[[Scores], Statistic]:
    """Return the mean of a measure over the queries that have a relevant document.

    It rests on these queries, each marked at its first row; a query counts as often as that row does.
    """

    def built(scores: Scores) -> Statistic:
        answers = answers_of(family, depth, scores)
        columns = np.zeros((scores.rows, 2))
        columns[answers.rows] = answer_columns(answers)
        support = np.zeros(scores.rows, dtype=np.bool_)
        support[answers.rows] = True
        return Sums(columns, weighted_mean, support, mean=True)

    return built


def answers_of(family: str, depth: int, scores: Scores) -> Answers:
    """Return the values of queries; raises ValueError for a relevance below 0 and a query of several weights."""
    relevance = np.asarray(scores.label, dtype=np.float64)
    if np.any(relevance < 0):
        raise ValueError(
            f"{family}: {int(np.sum(relevance < 0))} labels are below 0; a relevance is 0 or more"
        )
    if not scores.rows:
        return Answers(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.intp), 0)
    numbers, first = query_numbers(scores), first_rows(scores)
    weights = scores.weights
    if scores.weight is not None:
        own = weights[first][np.searchsorted(numbers[first], numbers)]
        if np.any(own != weights):
            raise ValueError("the weight differs between rows of one query; a query has one weight")
    values = _MEASURES[family](_lists(numbers, relevance, scores.prediction), depth)
    usable = np.isfinite(values)
    return Answers(values[usable], weights[first][usable], first[usable], int(np.sum(~usable)))


def _lists(numbers: NDArray[Any], relevance: Floats, score: NDArray[Any]) -> Lists:
    order = np.lexsort((-np.asarray(score, dtype=np.float64), numbers))
    query, falling = numbers[order], np.asarray(score)[order]
    new = np.concatenate([[True], query[1:] != query[:-1]])
    tie = new | np.concatenate([[True], falling[1:] != falling[:-1]])
    starts = np.flatnonzero(new)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return Lists(relevance[order], rank, starts, np.flatnonzero(tie))


def query_numbers(scores: Scores) -> NDArray[Any]:
    """Return the query of each row as a number; raises ValueError when there are no queries."""
    if scores.query is None:
        raise ValueError("this metric compares the documents of a query; set data.query")
    return scores.query


def first_rows(scores: Scores) -> Positions:
    """Return the first row of each query, in ascending order of the queries' numbers."""
    return np.unique(query_numbers(scores), return_index=True)[1]


def answer_columns(answers: Answers) -> Floats:
    """Return the summands of the weighted mean, a line for each query."""
    return np.column_stack([answers.weights * answers.values, answers.weights])


def weighted_mean(sums: Floats) -> Floats:
    """Return the mean from its two sums."""
    return ratio(sums[:, 0], sums[:, 1])
