"""The list of trusted types: all that common estimators need, and nothing that could run code."""

import functools
import os
import warnings

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, TweedieRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlci.core.errors import MlciError
from mlci.flavors._trusted import TRUSTED_FUNCTIONS, TRUSTED_TYPES, trusted_types
from mlci.flavors.skops import flavor, load_estimator

TEXT = ["colour", "shop"]
NUMBERS = ["length", "count"]


def prepared(estimator):
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXT),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        ]
    )
    return make_pipeline(columns, estimator)


CLASSIFIERS = {
    "tree": DecisionTreeClassifier(),
    "forest": RandomForestClassifier(3),
    "extra trees": ExtraTreesClassifier(3),
    "boosting": GradientBoostingClassifier(n_estimators=3),
    "exponential boosting": GradientBoostingClassifier(n_estimators=3, loss="exponential"),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=3),
    "ada": AdaBoostClassifier(n_estimators=3),
    "bagging": BaggingClassifier(n_estimators=3, max_features=0.5),
    "svm": SVC(),
    "neighbours": KNeighborsClassifier(),
    "ball tree": KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
    "minkowski": KNeighborsClassifier(algorithm="kd_tree", p=1.5),
    "network": MLPClassifier(hidden_layer_sizes=(3,), max_iter=3),
    "bayes": GaussianNB(),
    "logistic": LogisticRegression(),
    "sigmoid": CalibratedClassifierCV(LinearSVC(), method="sigmoid", cv=3),
    "isotonic": CalibratedClassifierCV(RandomForestClassifier(3), method="isotonic", cv=3),
    "voting": VotingClassifier([("a", RandomForestClassifier(3)), ("b", GaussianNB())], voting="soft"),
    "stacking": StackingClassifier([("a", RandomForestClassifier(3)), ("b", GaussianNB())], cv=3),
    "search": GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=3, scoring="roc_auc"),
    "chosen": make_pipeline(SelectKBest(k=2), LogisticRegression()),
    "splines": make_pipeline(SplineTransformer(), LogisticRegression()),
    "bins": make_pipeline(KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), LogisticRegression()),
}
REGRESSORS = {
    "tree": DecisionTreeRegressor(ccp_alpha=0.01, max_leaf_nodes=9),
    "forest": RandomForestRegressor(3),
    "boosting": GradientBoostingRegressor(n_estimators=3, loss="huber"),
    "histogram boosting": HistGradientBoostingRegressor(max_iter=3, loss="poisson"),
    "linear": LinearRegression(),
    "ridge": Ridge(),
    "tweedie": TweedieRegressor(power=1.5, link="log"),
    "neighbours": KNeighborsRegressor(),
    "process": GaussianProcessRegressor(RBF() + WhiteKernel()),
    "log target": TransformedTargetRegressor(RandomForestRegressor(3), func=np.log1p, inverse_func=np.expm1),
    "neighbours imputed": make_pipeline(KNNImputer(), Ridge()),
}


def fitted(estimator, *data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(*data)


def same_after_a_round_trip(estimator, frame, tmp_path):
    file = tmp_path / "model.skops"
    skops.io.dump(estimator, file)
    loaded = load_estimator(file, ())
    assert np.array_equal(loaded.predict(frame), estimator.predict(frame))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_common_classifiers_need_nothing_beyond_the_list(name, table, tmp_path):
    model = fitted(prepared(CLASSIFIERS[name]), table, table["label"])
    same_after_a_round_trip(model, table, tmp_path)


@pytest.mark.parametrize("name", REGRESSORS)
def test_common_regressors_need_nothing_beyond_the_list(name, table, tmp_path):
    model = fitted(prepared(REGRESSORS[name]), table, table["count"] + 1.0)
    same_after_a_round_trip(model, table, tmp_path)


def test_columns_chosen_by_type_and_encoded_by_target(table, tmp_path):
    chooser = ColumnTransformer(
        [
            ("text", TargetEncoder(cv=2), make_column_selector(pattern="colour|shop")),
            ("numbers", SimpleImputer(), make_column_selector(dtype_include=np.number)),
        ]
    )
    model = fitted(
        make_pipeline(chooser, RandomForestClassifier(3)), table.drop(columns="label"), table["label"]
    )
    same_after_a_round_trip(model, table.drop(columns="label"), tmp_path)


def test_histogram_boosting_on_categories_and_an_isolation_forest(table, tmp_path):
    frame = table[["length", "colour"]].astype({"colour": "category"})
    boosting = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
    same_after_a_round_trip(fitted(boosting, frame, table["label"]), frame, tmp_path)
    numbers = table[["count", "key"]]
    same_after_a_round_trip(
        fitted(IsolationForest(n_estimators=3, max_features=1), numbers), numbers, tmp_path
    )


def test_the_list_is_sorted_without_repeats_and_holds_no_door_to_the_system():
    for names in (TRUSTED_TYPES, TRUSTED_FUNCTIONS):
        assert list(names) == sorted(set(names))
    doors = ("os.", "posix.", "subprocess.", "operator.", "importlib.", "pickle.", "joblib.", "scipy.stats.")
    assert [name for name in trusted_types(()) if name.startswith(doors)] == []
    assert [name for name in trusted_types(()) if name.startswith("builtins.")] == ["builtins.object"]


class Doubler(TransformerMixin, BaseEstimator):
    """A user's own step."""

    def fit(self, X, y=None):  # noqa: N803 - scikit-learn's own name
        self.fitted_ = True
        return self

    def transform(self, X):  # noqa: N803 - scikit-learn's own name
        return X * 2


def refusal(estimator, tmp_path, trusted=()):
    skops.io.dump(estimator, tmp_path / "model.skops")
    with pytest.raises(MlciError) as caught:
        flavor.load(tmp_path / "model.skops", trusted)
    assert caught.value.code == "model.untrusted"
    return caught.value


def test_a_system_call_is_refused_by_name_and_not_made(tmp_path):
    mark = tmp_path / "made"
    attack = FunctionTransformer(os.system, kw_args={"command": f"touch {mark}"})
    assert f"{os.name}.system" in refusal(attack, tmp_path).message
    hidden = FunctionTransformer(functools.partial(os.system, f"touch {mark}"))
    assert f"{os.name}.system" in refusal(hidden, tmp_path).message
    assert not mark.exists()


def test_a_lambda_and_a_frozen_distribution_are_refused(tmp_path):
    import scipy.stats

    assert "<lambda>" in refusal(FunctionTransformer(lambda values: values), tmp_path).message
    # Loading this one would run `exec` on text of its own state.
    assert "scipy.stats" in refusal(Ridge(alpha=scipy.stats.loguniform(1, 2)), tmp_path).message


def test_a_users_own_class_is_refused_until_it_is_listed(table, tmp_path):
    model = fitted(make_pipeline(Doubler(), LinearRegression()), table[["count"]], table["key"])
    error = refusal(model, tmp_path)
    name = f"{Doubler.__module__}.Doubler"
    assert name in error.message
    assert "package.trusted-types" in error.hint
    loaded = flavor.load(tmp_path / "model.skops", [name])
    assert np.array_equal(loaded.predict(table[["count"]]), model.predict(table[["count"]]))
