"""Exact binomial bounds: against scipy, and where they widen an interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlci.stats.compare import compare
from mlci.stats.exact import Tail, largest_share, rows_to_exclude
from mlci.stats.scores import Scores


@pytest.mark.parametrize(("share", "alpha"), [(0.01, 0.05), (0.1, 0.025), (0.5, 0.05)])
def test_rows_to_exclude_is_the_inverse_of_the_unseen_share(share, alpha):
    rows = rows_to_exclude(share, alpha)
    assert largest_share(0, rows, alpha) <= share < largest_share(0, rows - 1, alpha)
    assert largest_share(0, 0, alpha) == 1.0


@pytest.mark.parametrize(("seen", "rows"), [(0, 10), (1, 10), (9, 10), (10, 10), (3, 300), (50, 80_000)])
def test_the_largest_share_is_the_bound_of_clopper_and_pearson(seen, rows):
    expected = stats.binomtest(seen, rows, alternative="less").proportion_ci(0.95, method="exact").high
    assert largest_share(seen, rows, 0.05) == pytest.approx(expected, rel=1e-9)


def test_few_rows_against_the_candidate_bound_it_by_their_exact_law():
    label = np.zeros(300, dtype=int)
    after = label.copy()
    after[:2] = 1
    found = compare(["accuracy"], Scores(label, label, None, (0, 1)), Scores(label, after, None, (0, 1)))
    comparison = found["accuracy", None]
    assert comparison.low == pytest.approx(-stats.beta.ppf(0.95, 3, 298), rel=1e-6)
    assert comparison.method.endswith("with an exact binomial bound for few differing rows")


def test_a_bound_that_all_rows_already_reached_says_nothing_more():
    assert Tail(3, 3, 0.2).reach(0.05) == 0.0
    assert Tail(3, 3, 0.2).p_beyond(0.1) == 0.0
    assert Tail(40, 0, 1.0).p_beyond(0.1) == pytest.approx(0.9**40)
