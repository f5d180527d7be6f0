"""Metrics that others wrote: scikit-learn's scorers and a project's own functions."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.metrics import get_scorer, make_scorer

from mlci.stats import outside
from mlci.stats.compare import compare
from mlci.stats.metrics import metric_kind, statistic
from mlci.stats.names import check_metric
from mlci.stats.scores import Scores


@pytest.fixture
def own(monkeypatch):
    """Return a function that makes functions of the module `own_metrics`."""
    module = ModuleType("own_metrics")
    monkeypatch.setitem(sys.modules, "own_metrics", module)
    return lambda **functions: module.__dict__.update(functions)


def mean_right(frame):
    return float((frame["label"] == frame["prediction"]).mean())


def far_off(frame):
    return float(np.average((frame["label"] - frame["probability_1"]) ** 2, weights=frame.get("weight")))


far_off.greater_is_better = False


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("f1_macro", lambda s: sk.f1_score(s.label, s.prediction, average="macro")),
        ("neg_log_loss", lambda s: -sk.log_loss(s.label, s.probability)),
        ("roc_auc", lambda s: sk.roc_auc_score(s.label, s.probability[:, 1])),
    ],
)
def test_a_scorer_gives_what_scikit_learn_gives(binary, name, expected):
    one, two = binary(1, rows=120), binary(2, rows=120)
    found = compare([f"sklearn:{name}"], one, two, replicates=199)[f"sklearn:{name}", None]
    assert (found.baseline, found.candidate) == pytest.approx((expected(one), expected(two)))
    assert (found.direction, found.replicates, found.problem) == ("higher", 199, None)
    assert found.low < found.delta < found.high
    assert found.method == "paired bootstrap, BCa, 199 resamples"


def test_scorers_of_other_tasks(multiclass, regression):
    found = compare(["sklearn:roc_auc_ovr"], None, multiclass(1), replicates=99)["sklearn:roc_auc_ovr", None]
    model = multiclass(1)
    assert found.candidate == pytest.approx(
        sk.roc_auc_score(model.label, model.probability, multi_class="ovr")
    )
    model = regression(1)
    name = "sklearn:neg_median_absolute_error"
    found = compare([name], None, model, replicates=99)[name, None]
    assert found.candidate == pytest.approx(-sk.median_absolute_error(model.label, model.prediction))


def test_a_function_of_the_project_is_bootstrapped_like_the_same_metric(binary, own):
    own(mean_right=mean_right, far_off=far_off)
    one, two = binary(1), binary(2)
    names = ["own_metrics:mean_right", "own_metrics:far_off"]
    found = compare(names, one, two, replicates=299, slices={"half": np.arange(300) < 150})
    same = compare(["accuracy", "brier"], one, two, replicates=299, method="bootstrap")
    for name, like in zip(names, ("accuracy", "brier"), strict=True):
        mine, theirs = found[name, None], same[like, None]
        assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
        assert mine.direction == theirs.direction
        assert found[name, "half"].n == 150


def test_functions_that_cannot_be_trusted_are_refused(binary, own):
    generator = np.random.default_rng(0)
    own(
        raises=lambda frame: frame["nothing"].mean(),
        nothing=lambda frame: float("nan"),
        random=lambda frame: generator.random(),
        text=lambda frame: "good",
        number=3,
    )
    for name, text in [
        ("own_metrics:raises", "'own_metrics:raises' failed on 300 rows: 'nothing'"),
        ("own_metrics:nothing", "is nan on 300 rows"),
        ("own_metrics:random", "is not deterministic"),
        ("own_metrics:text", "returned str, not a number"),
        ("own_metrics:number", "is no function but int"),
        ("own_metrics:absent", "cannot be loaded"),
        ("no_such_module_of_ours:f", "cannot be loaded: No module named"),
        ("sklearn:f1_macr", "has no scorer 'f1_macr'; did you mean 'sklearn:f1_macro'"),
    ]:
        with pytest.raises(ValueError, match=text):
            statistic(name, binary(1))


def test_a_slice_without_a_value_harms_nobody(binary, own):
    own(few=lambda frame: float("nan") if len(frame) < 100 else float(frame["probability_1"].mean()))
    slices = {"small": np.arange(300) < 50}
    found = compare(["own_metrics:few"], binary(1), binary(2), slices=slices, replicates=99)
    assert found["own_metrics:few", None].problem is None
    assert "undefined" in found["own_metrics:few", "small"].problem


def test_names_are_known_by_their_form():
    assert check_metric("sklearn:f1_macro") == "sklearn:f1_macro"
    assert check_metric("pkg.metrics:cost") == "pkg.metrics:cost"
    for wrong in (":f", "module:", "a b:c", "module:f()"):
        with pytest.raises(ValueError, match="unknown metric"):
            check_metric(wrong)
    assert metric_kind("sklearn:f1_macro").direction == "higher"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("f1_macro", lambda s: sk.f1_score(s.label, s.prediction, average="macro")),
        ("f1_samples", lambda s: sk.f1_score(s.label, s.prediction, average="samples", zero_division=0)),
        ("average_precision", lambda s: sk.average_precision_score(s.label, s.probability)),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_scorers_of_several_labels(multilabel, name, expected):
    one, two = multilabel(1, rows=120), multilabel(2, rows=120)
    found = compare([f"sklearn:{name}"], one, two, replicates=99)[f"sklearn:{name}", None]
    assert (found.baseline, found.candidate) == pytest.approx((expected(one), expected(two)))
    assert found.low < found.delta < found.high


def test_a_function_is_given_every_label_and_the_query(multilabel, own):
    def of_labels(frame):
        assert list(frame) == [f"{part}_{name}" for part in ("label", "prediction", "probability")
                               for name in ("red", "round", "ripe")]  # fmt: skip
        return float((frame["label_ripe"] == frame["prediction_ripe"]).mean())

    own(of_labels=of_labels, of_queries=lambda frame: float(frame.groupby("query")["label"].max().mean()))
    model = multilabel(1)
    found = compare(["own_metrics:of_labels"], None, model, replicates=99)["own_metrics:of_labels", None]
    assert found.candidate == pytest.approx((model.label[:, 2] == model.prediction[:, 2]).mean())
    ranked = Scores(np.arange(40.0), np.zeros(40), query=np.arange(40) // 4)
    found = compare(["own_metrics:of_queries"], None, ranked, groups=ranked.query, replicates=99)
    assert found["own_metrics:of_queries", None].candidate == pytest.approx(21.0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["f1_macro", "matthews_corrcoef", "balanced_accuracy", "jaccard_weighted"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_scorer_of_classes_says_the_same_by_cells_and_by_rows(multiclass, name, weighted, monkeypatch):
    one, two = (multiclass(seed, rows=90) for seed in (1, 2))
    if weighted:
        weight = np.random.default_rng(0).gamma(4.0, 0.25, 90)
        one, two = replace(one, weight=weight), replace(two, weight=weight)
    name, rare = f"sklearn:{name}", np.arange(90) < 12  # where a class may be missing from a resample
    cells = compare([name], one, two, replicates=99, slices={"rare": rare})
    sizes = []
    monkeypatch.setattr(outside, "_agree", lambda by_rows, by_cells, rows: bool(sizes.append(rows)))
    rows = compare([name], one, two, replicates=99, slices={"rare": rare})
    assert sizes == [90]
    for key, expected in rows.items():
        assert (cells[key].low, cells[key].high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_which_scorers_are_asked_by_cells(binary, regression):
    def by_cells(name, scores):
        made = outside._Scorer(get_scorer(name))
        made.prepare(scores)
        return made._by_cells

    assert by_cells("f1_macro", binary(1))
    assert not by_cells("roc_auc", binary(1))
    assert not by_cells("neg_log_loss", binary(1))
    assert by_cells("neg_median_absolute_error", regression(1)) is None


def test_a_scorer_without_weights_is_asked_by_rows(binary):
    plain = make_scorer(lambda truth, said: float((truth == said).mean()))
    made = outside._Scorer(plain)
    ask = made.prepare(binary(1))
    assert made._by_cells is False
    model = binary(1)
    assert ask(np.ones(300)) == pytest.approx((model.label == model.prediction).mean())
