"""Models whose indices point outside them are told apart from sound ones before they can do harm."""

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.neighbors import KDTree, KNeighborsClassifier
from sklearn.preprocessing import SplineTransformer
from sklearn.tree import DecisionTreeClassifier

from mlci.core.errors import MlciError
from mlci.flavors._structure import broken_part
from mlci.flavors.skops import flavor

GENERATOR = np.random.default_rng(3)
ROWS = GENERATOR.normal(size=(200, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)


def with_nodes(tree, change):
    """Give a tree nodes that `change` has altered, by the way that a loaded file takes."""
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    change(state["nodes"])
    tree.__setstate__(state)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("left_child", 10_000_000),
        ("right_child", -7),
        ("left_child", 0),
        ("feature", 3),
        ("feature", -2),
    ],
)
def test_a_tree_that_points_outside_is_refused_when_loaded(field, value, tmp_path):
    model = DecisionTreeClassifier(random_state=0).fit(ROWS, GENERATOR.integers(0, 2, 200))
    assert broken_part(model) is None

    def change(nodes):
        nodes[field][0] = value

    with_nodes(model.tree_, change)
    skops.io.dump(model, tmp_path / "model.skops")
    with pytest.raises(MlciError) as caught:
        flavor.load(tmp_path / "model.skops", ())
    assert caught.value.code == "model.unreadable"
    assert "decision tree" in caught.value.message


def test_a_tree_that_claims_more_nodes_than_it_has():
    model = DecisionTreeClassifier().fit(ROWS, LABELS)
    state = model.tree_.__getstate__()
    state["node_count"] = len(state["nodes"]) + 1
    model.tree_.__setstate__(state)
    assert broken_part(model) is not None


def test_a_forest_that_claims_fewer_columns_than_its_trees():
    for model in (RandomForestClassifier(3).fit(ROWS, LABELS), IsolationForest(n_estimators=3).fit(ROWS)):
        assert broken_part(model) is None
        model.n_features_in_ = 2
        assert broken_part(model) is not None


def test_boosting_with_more_columns_of_trees_than_of_output():
    model = GradientBoostingRegressor(n_estimators=3).fit(ROWS, LABELS)
    assert broken_part(model) is None
    model.estimators_ = np.repeat(model.estimators_, 2, axis=1)
    assert broken_part(model) is not None


@pytest.mark.parametrize(("field", "value"), [("left", 10_000), ("right", 0), ("feature_idx", 3)])
def test_histogram_boosting_that_points_outside(field, value):
    model = HistGradientBoostingClassifier(max_iter=2).fit(ROWS, LABELS)
    assert broken_part(model) is None
    model._predictors[0][0].nodes[field][0] = value
    assert broken_part(model) is not None


def test_histogram_boosting_with_a_category_set_that_is_not_there():
    columns = np.column_stack([GENERATOR.integers(0, 5, 200), ROWS[:, 0]])
    labels = np.isin(columns[:, 0], (1, 3)).astype(int)
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(columns, labels)
    assert broken_part(model) is None
    nodes = model._predictors[0][0].nodes
    assert nodes["is_categorical"].any()
    nodes["bitset_idx"][nodes["is_categorical"] == 1] = 99
    assert broken_part(model) is not None


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_a_neighbour_tree_that_points_outside(algorithm):
    model = KNeighborsClassifier(algorithm=algorithm, leaf_size=10).fit(ROWS, LABELS)
    assert broken_part(model) is None
    state = list(model._tree.__getstate__())
    state[1] = state[1] + 1_000_000
    model._tree.__setstate__(tuple(state))
    assert broken_part(model) is not None


def test_a_neighbour_tree_whose_inner_nodes_have_no_children():
    tree = KDTree(ROWS, leaf_size=10)
    state = list(tree.__getstate__())
    state[2] = state[2].copy()
    state[2]["is_leaf"][:] = 0
    tree.__setstate__(tuple(state))
    assert broken_part([tree]) is not None


def test_a_spline_with_too_few_coefficients():
    model = SplineTransformer().fit(ROWS)
    assert broken_part(model) is None
    model.bsplines_[0].c = model.bsplines_[0].c[:2]
    assert broken_part(model) is not None
