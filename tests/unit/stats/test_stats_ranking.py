"""Rankings: scikit-learn's NDCG, MAP by brute force, and a paired interval over queries."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import ndcg_score

from mlci.stats.compare import compare
from mlci.stats.metrics import statistic
from mlci.stats.names import check_metric
from mlci.stats.scores import Scores


def ranked(seed, queries=80, most=12, noise=1.0, digits=None):
    """Documents of queries in a mixed order; the truth does not depend on the seed."""
    truth = np.random.default_rng(queries)
    query = truth.permutation(np.repeat(np.arange(queries), truth.integers(2, most, queries)))
    label = truth.choice([0, 0, 0, 1, 2, 3], len(query)).astype(float)
    score = label + noise * np.random.default_rng(seed).normal(size=len(query))
    return Scores(label, score if digits is None else np.round(score, digits), query=query)


def lists(scores):
    for number in np.unique(scores.query):
        inside = scores.query == number
        if (scores.label[inside] > 0).any():
            yield scores.label[inside], scores.prediction[inside]


def average_precision(label, score, depth):
    """The mean over all orders of tied documents."""
    found = []
    for order in permutations(range(len(label))):
        if all(score[one] >= score[two] for one, two in pairwise(order)):
            hits = [label[place] > 0 for place in order]
            precisions = [sum(hits[: k + 1]) / (k + 1) for k in range(min(depth, len(hits))) if hits[k]]
            found.append(sum(precisions) / min(sum(hits), depth))
    return np.mean(found)


def value(name, scores):
    return statistic(name, scores).values(np.ones((1, scores.rows)))[0]


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("depth", [1, 3, 10, 100])
def test_ndcg_is_that_of_scikit_learn(depth, digits):
    scores = ranked(1, digits=digits)
    expected = np.mean([ndcg_score([label], [score], k=depth) for label, score in lists(scores)])
    assert value(f"ndcg@{depth}", scores) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("depth", [1, 3, 10])
def test_map_is_the_mean_over_the_orders_of_ties(depth):
    scores = ranked(2, queries=40, most=7, digits=0)
    expected = np.mean([average_precision(label, score, depth) for label, score in lists(scores)])
    assert value(f"map@{depth}", scores) == pytest.approx(expected, abs=1e-12)


def test_the_interval_is_the_paired_t_interval_over_queries():
    baseline, candidate = ranked(3, noise=1.5), ranked(4)
    found = compare(["ndcg@5"], baseline, candidate, groups=candidate.query)["ndcg@5", None]
    values = [[ndcg_score([y], [s], k=5) for y, s in lists(scores)] for scores in (candidate, baseline)]
    differences = np.subtract(*values)
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.90)
    assert found.delta == pytest.approx(differences.mean())
    assert found.standard_error == pytest.approx(stats.sem(differences))
    # The correction for skewness moves the bounds, and by much less than their distance.
    width = expected.high - expected.low
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=width / 10)
    assert (found.n, found.units, found.unit) == (candidate.rows, len(differences), "queries")
    assert found.support == len(differences)
    without = len(np.unique(candidate.query)) - len(differences)
    assert without > 0
    words = f"over {len(differences)} queries ({without} without a relevant document are left out)"
    assert words in found.method
    assert compare(["ndcg@5"], baseline, candidate)["ndcg@5", None].low == found.low
    drawn = compare(["ndcg@5"], baseline, candidate, groups=candidate.query, method="bootstrap")
    assert drawn["ndcg@5", None].standard_error == pytest.approx(found.standard_error, rel=0.1)


def test_groups_of_queries_are_the_units():
    baseline, candidate = ranked(3), ranked(4)
    users = candidate.query // 4
    found = compare(["map@5"], baseline, candidate, groups=users)["map@5", None]
    assert (found.unit, found.units) == ("groups", 20)
    assert "cluster-robust" in found.method
    with pytest.raises(ValueError, match="a query has rows of several groups"):
        compare(["map@5"], baseline, candidate, groups=np.arange(candidate.rows) % 7)


def test_a_slice_ranks_its_own_documents():
    scores = ranked(5)
    half = np.random.default_rng(0).random(scores.rows) < 0.5
    found = compare(["ndcg@5"], None, scores, slices={"half": half})["ndcg@5", "half"]
    expected = np.mean([ndcg_score([y], [s], k=5) for y, s in lists(scores.take(half)) if len(y) > 1])
    alone = [1.0 for y, _ in lists(scores.take(half)) if len(y) == 1]
    count = sum(1 for _ in lists(scores.take(half)))
    assert found.candidate == pytest.approx((expected * (count - len(alone)) + sum(alone)) / count)


def test_queries_weigh_what_their_rows_do():
    scores = ranked(6)
    weight = 1.0 + scores.query % 3
    each = [ndcg_score([y], [s], k=5) for y, s in lists(scores)]
    kept = [n for n in np.unique(scores.query) if (scores.label[scores.query == n] > 0).any()]
    found = compare(["ndcg@5"], None, replace(scores, weight=weight))["ndcg@5", None]
    assert found.candidate == pytest.approx(np.average(each, weights=1.0 + np.array(kept) % 3))
    uneven = replace(scores, weight=1.0 + np.arange(scores.rows) % 2)
    with pytest.raises(ValueError, match="the weight differs between rows of one query"):
        compare(["ndcg@5"], None, uneven)


def test_what_cannot_be_ranked_is_refused():
    scores = ranked(7)
    with pytest.raises(ValueError, match=r"name their column in data\.query"):
        compare(["ndcg@5"], None, replace(scores, query=None))
    with pytest.raises(ValueError, match="labels are below 0"):
        compare(["ndcg@5"], None, replace(scores, label=scores.label - 1))
    nothing = replace(scores, label=np.zeros(scores.rows))
    found = compare(["map@5"], None, nothing)["map@5", None]
    assert (found.support, np.isnan(found.candidate)) == (0, True)
    for wrong in ("ndcg", "ndcg@0", "map@2.5", "ndcg@x"):
        with pytest.raises(
            ValueError, match=r"is named with a number, as in (ndcg|map)@10: how many documents"
        ):
            check_metric(wrong)


def test_a_million_documents_take_about_a_second():
    generator = np.random.default_rng(0)
    query = np.repeat(np.arange(10_000), 100)
    label = generator.integers(0, 3, len(query)).astype(float)
    models = [Scores(label, label + generator.normal(size=len(query)), query=query) for _ in range(2)]
    start = time.process_time()
    compare(["ndcg@10"], *models, groups=query)
    assert time.process_time() - start < 4  # much less on a quiet machine
