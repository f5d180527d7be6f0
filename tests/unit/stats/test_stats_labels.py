"""Several labels at once: intervals agree with the bootstrap, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlci.stats.compare import compare
from mlci.stats.metrics import METRICS, metric_kind, statistic
from mlci.stats.scores import Scores

NAMES = [name for name, kind in METRICS.items() if "multilabel" in kind.tasks] + ["f_beta@2"]
DRAWN = ("pr_auc", "average_precision")


@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_are_those_of_the_bootstrap(multilabel, grouped):
    baseline, candidate = multilabel(1, rows=800, noise=1.4), multilabel(2, rows=800)
    groups = np.arange(800) // 2 if grouped else None
    closed = compare(NAMES, baseline, candidate, groups=groups)
    drawn = compare(NAMES, baseline, candidate, groups=groups, method="bootstrap", replicates=1000)
    for key, found in closed.items():
        assert found.replicates == 0 or key[0] in DRAWN, key
        assert found.candidate == pytest.approx(drawn[key].candidate), key
        assert found.standard_error == pytest.approx(drawn[key].standard_error, rel=0.15), key
        assert found.low == pytest.approx(drawn[key].low, abs=0.5 * found.standard_error), key


def test_slices_and_weights(multilabel):
    baseline, candidate = multilabel(1, rows=400), multilabel(2, rows=400)
    mask = np.arange(400) % 3 == 0
    names = ["accuracy", "f1", "hamming_loss", "roc_auc", "log_loss"]
    inside = compare(names, baseline, candidate, slices={"third": mask})
    alone = compare(names, baseline.take(mask), candidate.take(mask))
    for name in names:
        assert inside[name, "third"].delta == pytest.approx(alone[name, None].delta)
    heavy = [replace(scores, weight=np.where(mask, 1.0, 0.0)) for scores in (baseline, candidate)]
    for name in names:
        assert compare([name], *heavy)[name, None].delta == pytest.approx(alone[name, None].delta)


def test_better_is_known():
    assert metric_kind("hamming_loss").direction == "lower"
    assert metric_kind("f1_micro").direction == "higher"


def test_a_label_that_never_occurs_leaves_areas_undefined(multilabel):
    scores = multilabel(1)
    label = scores.label.copy()
    label[:, 1] = False
    scores = replace(scores, label=label)
    assert np.isnan(statistic("roc_auc", scores).values(np.ones((1, scores.rows)))[0])
    assert "undefined" in (compare(["roc_auc"], None, scores)["roc_auc", None].problem or "")


def test_what_does_not_fit_is_refused(multilabel):
    scores = multilabel(1)
    with pytest.raises(ValueError, match="must be booleans"):
        Scores(scores.label.astype(int), scores.prediction, labels=scores.labels)
    with pytest.raises(ValueError, match="at least two different labels"):
        Scores(scores.label[:, :2], scores.prediction[:, :2], labels=("a", "a"))
    with pytest.raises(ValueError, match="needs predicted probabilities"):
        statistic("brier", replace(scores, probability=None))
    with pytest.raises(ValueError, match="kappa is defined for binary and multiclass problems"):
        statistic("kappa", scores)
    label = scores.label.copy()
    label[7] = ~label[7]
    other = replace(scores, label=label)
    with pytest.raises(ValueError, match="not paired: the label differs in 1 of 300 rows"):
        compare(["f1"], scores, other)
