"""An estimator gets the preprocessing that its columns need, and the same seed gives the same model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlci.core.errors import MlciError
from mlci.core.ports import Trained, TrainRequest
from mlci.core.status import Status
from mlci.trainers import TRAINERS

MakeRequest = Callable[..., TrainRequest]
WriteData = Callable[[pd.DataFrame], None]
LOGISTIC = "sklearn.linear_model.LogisticRegression"
FOREST = "sklearn.ensemble.RandomForestClassifier"
BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"


def frame(rows: int = 60) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    label = np.arange(rows) % 2
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "number": label + generator.normal(0, 0.3, rows),
            "gaps": np.where(np.arange(rows) % 5 == 0, np.nan, label * 2.0),
            "whole": np.arange(rows) % 7,
            "flag": label.astype(bool),
            "flag_with_gaps": [None if row % 6 == 0 else bool(row % 2) for row in range(rows)],
            "text": np.where(label == 1, "yes", "no"),
            "text_with_gaps": [None if row % 4 == 0 else f"c{row % 3}" for row in range(rows)],
            "when": pd.date_range("2024-01-01", periods=rows),
            "span": pd.to_timedelta(np.arange(rows), unit="D"),
            "y": label,
        }
    )


def train(request: TrainRequest) -> Trained:
    # scikit-learn deprecates its own arguments from version to version; that is not ours to mend.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return TRAINERS.get("estimator").train(request)


def predictions(trained: Trained) -> pd.DataFrame:
    assert trained.predictions is not None
    return pd.read_parquet(trained.predictions)


@pytest.mark.parametrize("estimator", [LOGISTIC, FOREST, BOOSTING])
def test_columns_of_every_kind_are_used_or_named(
    make_request: MakeRequest, write_data: WriteData, estimator: str
) -> None:
    write_data(frame())
    params = {"max_iter": 300} if estimator != FOREST else {"n_estimators": 5}
    trained = train(make_request({"key": "id"}, estimator=estimator, params=params))
    assert trained.details["features"] == [
        "number",
        "gaps",
        "whole",
        "flag",
        "flag_with_gaps",
        "text",
        "text_with_gaps",
    ]
    [check] = trained.checks
    assert check.status is Status.WARNED
    assert "when, span" in check.message
    table = predictions(trained)
    assert list(table.columns) == ["id", "y", "prediction", "probability_0", "probability_1"]
    assert (table["prediction"] == table["y"]).mean() >= 0.9
    assert trained.model is not None
    assert [path.name for path in trained.model.iterdir()] == ["model.skops"]


def test_numbers_without_gaps_are_handed_over_as_they_are(
    make_request: MakeRequest, write_data: WriteData
) -> None:
    import skops.io

    write_data(frame()[["number", "gaps", "y"]])
    trained = train(make_request(estimator=BOOSTING))
    assert trained.model is not None
    known = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
    loaded = skops.io.load(trained.model / "model.skops", trusted=known)
    assert type(loaded).__name__ == "HistGradientBoostingClassifier"


def test_listed_features_are_the_only_ones(make_request: MakeRequest, write_data: WriteData) -> None:
    write_data(frame())
    trained = train(make_request({"features": ["number", "text"]}, estimator=LOGISTIC))
    assert trained.details["features"] == ["number", "text"]
    assert list(trained.checks) == []


def test_roles_are_never_features(make_request: MakeRequest, write_data: WriteData) -> None:
    write_data(frame()[["id", "number", "whole", "flag", "y"]])
    data = {"key": "id", "weight": "whole", "ignore": ["flag"]}
    trained = train(make_request(data, estimator=LOGISTIC))
    assert trained.details["features"] == ["number"]


def test_the_same_seed_gives_the_same_predictions(make_request: MakeRequest, write_data: WriteData) -> None:
    generator = np.random.default_rng(0)
    noise = pd.DataFrame(generator.normal(size=(80, 4)), columns=list("abcd"))
    write_data(noise.assign(y=generator.integers(0, 2, 80)))

    def probabilities(seed: int, **params: Any) -> list[float]:
        request = make_request(estimator=FOREST, seed=seed, params={"n_estimators": 8, **params})
        return predictions(train(request))["probability_1"].tolist()

    assert probabilities(1) == probabilities(1)
    assert probabilities(1) != probabilities(2)
    assert probabilities(1, random_state=5) == probabilities(2, random_state=5)


def test_cross_validation_gives_mean_and_spread(make_request: MakeRequest, write_data: WriteData) -> None:
    write_data(frame()[["number", "y"]])
    trained = train(make_request(estimator=LOGISTIC, cross_validation=3))
    assert set(trained.metrics) == {
        f"cv_{name}{suffix}" for name in ("accuracy", "roc_auc", "log_loss") for suffix in ("", "_std")
    }
    assert 0.5 < trained.metrics["cv_accuracy"] <= 1
    assert trained.metrics["cv_log_loss"] > 0
    again = train(make_request(estimator=LOGISTIC, cross_validation=3))
    assert again.metrics == trained.metrics


def test_a_regression_has_no_probabilities(make_request: MakeRequest, write_data: WriteData) -> None:
    data = frame()[["number", "whole"]]
    write_data(data.assign(y=data["number"] * 3.5 + 0.1))
    trained = train(make_request(estimator="sklearn.linear_model.Ridge", cross_validation=2))
    assert set(trained.metrics) == {
        f"cv_{name}{suffix}" for name in ("rmse", "mae", "r2") for suffix in ("", "_std")
    }
    assert list(predictions(trained).columns) == ["y", "prediction"]


@pytest.mark.parametrize(
    ("options", "code", "message", "hint"),
    [
        (
            {"estimator": FOREST, "params": {"n_estimator": 5}},
            "train.bad-estimator",
            "n_estimator",
            "did you mean 'n_estimators'?",
        ),
        ({"estimator": FOREST, "params": {"zzz": 5}}, "train.bad-estimator", "zzz", "it takes: "),
        (
            {"estimator": "sklearn.linear_model.LogisticRegresion"},
            "train.bad-estimator",
            "LogisticRegresion",
            "LogisticRegression",
        ),
        (
            {"estimator": "no_such_package.Model"},
            "train.bad-estimator",
            "no_such_package",
            "full import path",
        ),
        ({"estimator": "Model"}, "train.bad-estimator", "'Model'", "full import path"),
        (
            {"estimator": LOGISTIC, "params": {"C": "much"}},
            "train.fit-failed",
            "LogisticRegression could not be fitted",
            "train.params",
        ),
    ],
)
def test_a_wrong_estimator_is_named_with_a_way_out(
    make_request: MakeRequest,
    write_data: WriteData,
    options: dict[str, Any],
    code: str,
    message: str,
    hint: str,
) -> None:
    write_data(frame()[["number", "y"]])
    with pytest.raises(MlciError) as caught:
        train(make_request(**options))
    assert caught.value.code == code
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("change", "data", "code"),
    [
        ({"y": None}, {}, "data.bad-label"),
        ({"y": 1}, {}, "data.bad-label"),
        ({}, {"label": "z"}, "data.missing-column"),
        ({}, {"features": ["number", "zz"]}, "data.missing-column"),
        ({}, {"ignore": ["number"]}, "data.missing-column"),
    ],
)
def test_a_label_or_column_that_cannot_be_used(
    make_request: MakeRequest, write_data: WriteData, change: dict[str, Any], data: dict[str, Any], code: str
) -> None:
    write_data(frame()[["number", "y"]].assign(**change))
    with pytest.raises(MlciError) as caught:
        train(make_request(data, estimator=LOGISTIC))
    assert caught.value.code == code


def test_an_estimator_of_the_project_itself(make_request: MakeRequest, write_data: WriteData) -> None:
    request = make_request(estimator="acme_model:make", params={"strength": 0.5})
    (request.root / "acme_model.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def make(strength):\n    return LogisticRegression(C=strength)\n"
    )
    write_data(frame()[["number", "y"]])
    assert train(request).params == {"estimator": "acme_model:make", "strength": 0.5}
