"""Trains a scikit-learn estimator named by its import path: no code, with cross-validation."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlci.core.errors import MlciError, first_line
from mlci.core.inputs import DataInputs
from mlci.core.ports import Trained, TrainRequest
from mlci.core.results import Check
from mlci.core.status import Status
from mlci.trainers._import_path import build_estimator
from mlci.trainers._printed import printed_to
from mlci.trainers._program import packages_of

if TYPE_CHECKING:
    import pandas as pd

_MOST_CATEGORIES = 50
_SCORERS = {
    "binary": {"accuracy": "accuracy", "roc_auc": "roc_auc", "log_loss": "neg_log_loss"},
    "multiclass": {"accuracy": "accuracy", "log_loss": "neg_log_loss"},
    "regression": {"rmse": "neg_root_mean_squared_error", "mae": "neg_mean_absolute_error", "r2": "r2"},
}


class EstimatorTrainer:
    """Fits an estimator on the training rows, with the preprocessing that its columns need."""

    def parts(self, request: TrainRequest) -> dict[str, str]:  # noqa: ARG002 - the port's signature
        """Return nothing of its own: data, parameters and versions are digested by the stage."""
        return {}

    def train(self, request: TrainRequest) -> Trained:
        """Cross-validate, fit on all training rows, and predict the evaluation rows.

        Raises MlciError `train.bad-estimator`, `train.fit-failed` or a `data.*` error.
        """
        with printed_to(request.say, request.variables):
            return self._train(request)

    def _train(self, request: TrainRequest) -> Trained:
        options, data = request.options, request.data
        if data.labels:
            raise MlciError(
                "config.invalid",
                "train.estimator predicts one label (data.label), not several (data.labels)",
                "train them by train.command, which writes prediction_<label> for each",
            )
        if not (data.train and data.evaluate and data.label):
            raise MlciError(
                "config.invalid",
                "train.estimator needs data.train, data.evaluate and data.label",
                "set all three in mlci.yaml",
            )
        if str(request.root) not in sys.path:
            sys.path.insert(0, str(request.root))  # an estimator may live in the project's own code
        frame = request.read(request.root / data.train)
        target = _target(frame, data)
        columns, left_out = _columns(frame, data)
        estimator = _with_preprocessing(
            build_estimator(options.estimator, options.params, options.seed), frame[columns]
        )
        fit_params = {"sample_weight": frame[data.weight]} if data.weight else {}
        scores = _cross_validate(estimator, frame, columns, target, request)
        request.say(f"fit {options.estimator} on {len(frame):,} rows and {len(columns)} columns")
        _fit(estimator, frame[columns], target, fit_params, options.estimator)
        model = request.work / "model" / "model.skops"
        _dump(estimator, model, options.estimator)
        evaluate = request.read(request.root / data.evaluate)
        predictions = request.work / "files" / "predictions.parquet"
        _refuse_missing(evaluate, columns, data)
        try:
            _predict(estimator, evaluate, columns, data, predictions)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError) as error:
            raise _fit_failed(options.estimator, error, "cannot predict data.evaluate") from error
        return Trained(
            model=model.parent,
            predictions=predictions,
            metrics=scores,
            params={"estimator": options.estimator, **options.params},
            details={"estimator": options.estimator, "features": columns},
            checks=[_left_out(left_out)] if left_out else [],
            environment=packages_of(sys.executable, request, request.variables),
        )


def _target(frame: pd.DataFrame, data: DataInputs) -> Any:
    label = data.label
    if label not in frame.columns:
        raise MlciError(
            "data.missing-column",
            f"'{data.train}' has no column '{label}' (data.label)",
            f"it has: {', '.join(map(str, list(frame.columns)[:30]))}",
        )
    empty = int(frame[label].isna().sum())
    if empty:
        raise MlciError(
            "data.bad-label",
            f"label '{label}' is empty in {empty:,} of {len(frame):,} rows of '{data.train}'",
            "drop or fill them",
        )
    if frame[label].nunique() < 2:
        raise MlciError(
            "data.bad-label",
            f"label '{label}' of '{data.train}' has a single value",
            "there is nothing to learn",
        )
    return frame[label].to_numpy()


def _columns(frame: pd.DataFrame, data: DataInputs) -> tuple[list[str], list[str]]:
    """Return the feature columns, and those left out because a table model cannot use them."""
    if data.features:
        missing = [name for name in data.features if name not in frame.columns]
        if missing:
            raise MlciError(
                "data.missing-column",
                f"'{data.train}' has no column {', '.join(missing)} (data.features)",
                f"it has: {', '.join(map(str, list(frame.columns)[:30]))}",
            )
        return list(data.features), []
    roles = {data.label, data.query, data.key, data.weight, data.group, *data.ignore}
    candidates = [str(name) for name in frame.columns if name not in roles]
    dates = list(frame[candidates].select_dtypes(["datetime", "datetimetz", "timedelta"]).columns)
    columns = [name for name in candidates if name not in dates]
    if not columns:
        raise MlciError(
            "data.missing-column", f"'{data.train}' has no column left to learn from", "see data.features"
        )
    return columns, dates


def _with_preprocessing(estimator: Any, frame: pd.DataFrame) -> Any:
    """Put before the estimator what these columns need; nothing for numbers that it can use as they are."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.utils import get_tags

    numbers = list(frame.select_dtypes(["number", "bool"]).columns)
    texts = [name for name in frame.columns if name not in numbers]
    takes_gaps = get_tags(estimator).input_tags.allow_nan
    if takes_gaps and not texts:
        return estimator
    steps: list[tuple[Any, list[str]]] = []
    if numbers:
        plain = (
            "passthrough" if takes_gaps else make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        )
        steps.append((plain, numbers))
    if texts:
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=_MOST_CATEGORIES, sparse_output=False
        )
        steps.append((encoder, texts))
    return make_pipeline(make_column_transformer(*steps, verbose_feature_names_out=False), estimator)


def _cross_validate(
    estimator: Any, frame: pd.DataFrame, columns: list[str], target: Any, request: TrainRequest
) -> dict[str, float]:
    """Return mean and standard deviation over the folds of each score; nothing when it is switched off."""
    from sklearn.base import is_classifier
    from sklearn.model_selection import cross_validate

    folds = request.options.cross_validation
    if folds < 2:
        return {}
    request.say(f"cross-validate {request.options.estimator} on {folds} folds")
    classifier = is_classifier(estimator)
    classes = frame[request.data.label].nunique()
    task = ("binary" if classes == 2 else "multiclass") if classifier else "regression"
    names = {
        name: scorer
        for name, scorer in _SCORERS[task].items()
        if name != "log_loss" or hasattr(estimator, "predict_proba")
    }
    groups = frame[request.data.group] if request.data.group else None
    try:
        found = cross_validate(
            estimator,
            frame[columns],
            target,
            groups=groups,
            cv=_splits(folds, classifier=classifier, grouped=groups is not None, seed=request.options.seed),
            scoring=names,
            error_score="raise",
        )
    except Exception as error:  # an estimator may raise anything
        raise _fit_failed(request.options.estimator, error) from error
    scores: dict[str, float] = {}
    for name, scorer in names.items():
        sign = -1 if scorer.startswith("neg_") else 1
        values = sign * found[f"test_{name}"]
        scores[f"cv_{name}"] = float(values.mean())
        scores[f"cv_{name}_std"] = float(values.std(ddof=1))
    return scores


def _splits(folds: int, *, classifier: bool, grouped: bool, seed: int) -> Any:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    if grouped:
        return (
            StratifiedGroupKFold(folds, shuffle=True, random_state=seed) if classifier else GroupKFold(folds)
        )
    kind = StratifiedKFold if classifier else KFold
    return kind(folds, shuffle=True, random_state=seed)


def _fit(estimator: Any, frame: pd.DataFrame, target: Any, fit_params: Mapping[str, Any], path: str) -> None:
    from sklearn.pipeline import Pipeline

    if fit_params and isinstance(estimator, Pipeline):
        last = estimator.steps[-1][0]
        fit_params = {f"{last}__{name}": value for name, value in fit_params.items()}
    try:
        estimator.fit(frame, target, **fit_params)
    except Exception as error:  # an estimator may raise anything
        raise _fit_failed(path, error) from error


def _fit_failed(path: str, error: Exception, what: str = "could not be fitted") -> MlciError:
    said = first_line(error)
    if not isinstance(error, ValueError | TypeError):
        said = f"{type(error).__name__}: {said}"  # the text alone of a KeyError is only a name
    return MlciError(
        "train.fit-failed", f"{path} {what}: {said}", "check train.params and the columns' types"
    )


def _dump(estimator: Any, path: Any, name: str) -> None:
    import skops.io

    path.parent.mkdir(parents=True)
    try:
        skops.io.dump(estimator, path)
    except OSError:
        raise
    except Exception as error:  # skops raises many kinds for objects that it cannot write
        raise _fit_failed(name, error, "was fitted, but skops cannot write it") from error


def _refuse_missing(frame: pd.DataFrame, columns: list[str], data: DataInputs) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise MlciError(
            "data.missing-column",
            f"'{data.evaluate}' has no column {', '.join(missing)}, which the model was trained on",
            "make both files the same way, or list data.features",
        )


def _predict(estimator: Any, frame: pd.DataFrame, columns: list[str], data: DataInputs, path: Any) -> None:
    table = frame[[name for name in (data.key, data.label) if name and name in frame.columns]].copy()
    table["prediction"] = estimator.predict(frame[columns])
    if hasattr(estimator, "predict_proba"):
        for name, column in zip(estimator.classes_, estimator.predict_proba(frame[columns]).T, strict=True):
            table[f"probability_{name}"] = column
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)


def _left_out(columns: list[str]) -> Check:
    return Check(
        name="features",
        status=Status.WARNED,
        message=f"not used as features: {', '.join(columns)} (dates; list data.features or make numbers of them)",
    )


trainer = EstimatorTrainer()
