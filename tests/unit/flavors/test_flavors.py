"""Models of every format load to the same predictions; what cannot be loaded says why."""

import sys
import warnings
import zipfile

import joblib
import numpy as np
import pytest
import skops.io
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mlci.core.errors import MlciError
from mlci.flavors._find import FLAVORS, find_model, load_model

FEATURES = ["length", "count", "colour"]


@pytest.fixture(scope="module")
def model(table):
    columns = ColumnTransformer(
        [("text", OneHotEncoder(), ["colour"]), ("numbers", SimpleImputer(), ["length", "count"])]
    )
    forest = RandomForestClassifier(5, random_state=0)
    return make_pipeline(columns, forest).fit(table[FEATURES], table["label"])


def saved_by_mlflow(model, folder, **options):
    from mlci.flavors._quiet import quiet_mlflow

    with quiet_mlflow():
        import mlflow.sklearn

        mlflow.sklearn.save_model(model, str(folder), pip_requirements=["scikit-learn"], **options)
    return folder


SAVERS = {
    "model.skops": skops.io.dump,
    "model.joblib": joblib.dump,
    "model.pkl": joblib.dump,
    "skops-folder": lambda model, path: saved_by_mlflow(
        model, path, skops_trusted_types=["sklearn.tree._tree.Tree", "numpy.dtype"]
    ),
    "pickle-folder": lambda model, path: saved_by_mlflow(model, path, serialization_format="cloudpickle"),
}


@pytest.mark.parametrize("name", SAVERS)
def test_each_format_loads_from_its_path_and_from_the_folder_it_is_in(name, model, table, tmp_path):
    SAVERS[name](model, tmp_path / name)
    for path in (tmp_path / name, tmp_path):
        loaded = load_model(path)
        assert loaded.classes == ("no", "yes")
        assert loaded.features == tuple(FEATURES)
        assert np.array_equal(loaded.predict(table), model.predict(table[FEATURES]))
        assert np.array_equal(loaded.predict_proba(table), model.predict_proba(table[FEATURES]))


def test_the_registry_knows_each_format_by_name():
    assert FLAVORS.names() == ["mlflow", "pickled", "skops"]


def test_a_regressor_has_no_classes_and_no_probabilities(table, tmp_path):
    joblib.dump(Ridge().fit(table[["count"]], table["key"]), tmp_path / "model.joblib")
    loaded = load_model(tmp_path)
    assert loaded.classes is None
    assert loaded.predict_proba(table) is None
    assert loaded.predict(table).shape == (len(table),)


def test_a_model_with_two_answers_a_row_is_refused(table, tmp_path):
    joblib.dump(Ridge().fit(table[["count"]], table[["key", "count"]]), tmp_path / "model.joblib")
    with pytest.raises(MlciError, match=r"\(120, 2\)"):
        load_model(tmp_path).predict(table)


def test_missing_columns_are_named(model, table, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    with pytest.raises(MlciError, match=r"2 columns .*: length, colour") as caught:
        load_model(tmp_path).predict(table[["count"]])
    assert caught.value.code == "data.missing-column"


def test_rows_that_the_model_refuses(model, table, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    with pytest.raises(MlciError, match="unknown categories") as caught:
        load_model(tmp_path).predict(table.assign(colour="violet"))
    assert caught.value.code == "model.unreadable"


@pytest.mark.parametrize(
    "name", ["model.skops", "model.joblib", "model.pkl", "pickle-folder", "skops-folder"]
)
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.97])
def test_a_file_that_was_cut_short_cannot_be_loaded(name, keep, model, tmp_path):
    path = tmp_path / name
    SAVERS[name](model, path)
    file = next(path.glob("model.*")) if path.is_dir() else path
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(MlciError) as caught:
        load_model(path)
    assert caught.value.code == "model.unreadable"
    assert path.name in caught.value.message or file.name in caught.value.message
    assert "\n" not in caught.value.message


def test_bytes_that_are_no_model(tmp_path):
    for name in ("model.skops", "model.joblib"):
        (tmp_path / name).write_bytes(b"not a model")
        with pytest.raises(MlciError, match=name) as caught:
            load_model(tmp_path / name)
        assert caught.value.code == "model.unreadable"


def test_a_skops_archive_without_its_schema(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(MlciError, match=r"schema\.json"):
        load_model(tmp_path)


def test_a_pickle_that_is_not_a_model(tmp_path):
    joblib.dump({"weights": [1, 2]}, tmp_path / "model.joblib")
    with pytest.raises(MlciError, match="holds a dict, which has no predict"):
        load_model(tmp_path)


def test_a_module_that_is_gone_is_named(tmp_path, monkeypatch):
    (tmp_path / "shopcode.py").write_text("class Thing:\n    def predict(self, rows):\n        return rows\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import shopcode

    joblib.dump(shopcode.Thing(), tmp_path / "model.joblib")
    assert load_model(tmp_path).classes is None
    (tmp_path / "shopcode.py").unlink()
    monkeypatch.delitem(sys.modules, "shopcode")
    with pytest.raises(MlciError, match="shopcode") as caught:
        load_model(tmp_path)
    assert "install the package that provides 'shopcode'" in caught.value.hint


@pytest.mark.parametrize("suffix", ["skops", "joblib"])
def test_another_minor_release_of_scikit_learn_is_refused_and_another_patch_is_not(
    suffix, table, tmp_path, monkeypatch
):
    import sklearn

    class OlderRelease(LogisticRegression):
        def __getstate__(self):
            return {**super().__getstate__(), "_sklearn_version": release}

    major, minor, *_ = sklearn.__version__.split(".")
    model = OlderRelease().fit(table[["count"]], table["label"])
    # The file names the public class: only the state is that of another release.
    OlderRelease.__module__, OlderRelease.__name__ = LogisticRegression.__module__, "LogisticRegression"
    OlderRelease.__reduce__ = lambda self: (
        LogisticRegression.__new__,
        (LogisticRegression,),
        self.__getstate__(),
    )
    save = skops.io.dump if suffix == "skops" else joblib.dump
    file = tmp_path / f"model.{suffix}"
    release = f"{major}.{minor}.99"
    save(model, file)
    assert load_model(file).classes == ("no", "yes")
    release = f"{major}.{int(minor) - 1}.0"
    save(model, file)
    with pytest.raises(MlciError, match=f"scikit-learn {release}") as caught:
        load_model(file)
    assert caught.value.code == "model.unreadable"
    assert f"scikit-learn=={release}" in caught.value.hint


class TestMlflowFolders:
    def test_the_list_of_trusted_types_in_the_model_itself_has_no_power(self, model, tmp_path):
        folder = saved_by_mlflow(
            model, tmp_path / "m", skops_trusted_types=["sklearn.tree._tree.Tree", "numpy.dtype"]
        )
        mark = tmp_path / "made"
        import os

        from sklearn.preprocessing import FunctionTransformer

        attack = FunctionTransformer(os.system, kw_args={"command": f"touch {mark}"})
        skops.io.dump(attack, folder / "model.skops")
        content = yaml.safe_load((folder / "MLmodel").read_text())
        content["flavors"]["sklearn"]["skops_trusted_types"] = [f"{os.name}.system"]
        (folder / "MLmodel").write_text(yaml.safe_dump(content))
        with pytest.raises(MlciError, match="system") as caught:
            load_model(folder)
        assert caught.value.code == "model.untrusted"
        assert not mark.exists()

    def test_a_file_outside_the_folder_is_not_read(self, model, tmp_path):
        folder = saved_by_mlflow(
            model, tmp_path / "m", skops_trusted_types=["sklearn.tree._tree.Tree", "numpy.dtype"]
        )
        (folder / "model.skops").rename(tmp_path / "other.skops")
        content = yaml.safe_load((folder / "MLmodel").read_text())
        content["flavors"]["sklearn"]["pickled_model"] = "../other.skops"
        (folder / "MLmodel").write_text(yaml.safe_dump(content))
        with pytest.raises(MlciError, match="outside its folder"):
            load_model(folder)

    @pytest.mark.parametrize("text", ["", "flavors: [", "flavors: 3", "a: 1"])
    def test_a_damaged_mlmodel_file(self, text, tmp_path):
        (tmp_path / "MLmodel").write_text(text)
        with pytest.raises(MlciError) as caught:
            load_model(tmp_path)
        assert caught.value.code == "model.unreadable"


PYTHON_FUNCTION = """
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

class Answers(PythonModel):
    def predict(self, context, model_input: pd.DataFrame, params=None):
        values = model_input["count"] / 10
        return {answer}

set_model(Answers())
"""


@pytest.mark.parametrize(
    "answer",
    [
        "values",
        "values.to_numpy()",
        "values.tolist()",
        "values.to_frame('probability')",
        "values.to_numpy().reshape(-1, 1)",
        "pd.DataFrame({'prediction': values, 'detail': 'x'})",
    ],
)
def test_other_mlflow_models_answer_in_many_shapes(answer, table, tmp_path):
    loaded = load_model(python_function(answer, table, tmp_path))
    assert loaded.classes is None
    assert loaded.predict_proba(table) is None
    frame = table.astype({"colour": "category"})
    assert np.array_equal(loaded.predict(frame), table["count"] / 10)
    with pytest.raises(MlciError, match="colour"):
        loaded.predict(table[["count"]])


def test_an_mlflow_model_with_several_columns_and_none_named_prediction(table, tmp_path):
    folder = python_function("pd.DataFrame({'a': values, 'b': values})", table, tmp_path)
    with pytest.raises(MlciError, match=r"shape \(120, 2\)"):
        load_model(folder).predict(table)


def python_function(answer, table, tmp_path):
    from mlci.flavors._quiet import quiet_mlflow

    code = tmp_path / "answers.py"
    code.write_text(PYTHON_FUNCTION.replace("{answer}", answer))
    with quiet_mlflow():
        import mlflow.pyfunc
        from mlflow.models import infer_signature

        signature = infer_signature(table[["count", "colour"]], table["count"] / 10)
        mlflow.pyfunc.save_model(
            str(tmp_path / "folder"), python_model=str(code), signature=signature, pip_requirements=["mlflow"]
        )
    return tmp_path / "folder"


class TestFinding:
    def test_nothing_there(self, tmp_path):
        (tmp_path / "notes.txt").write_text("x")
        for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "gone"):
            with pytest.raises(MlciError, match=path.name) as caught:
                find_model(path)
            assert caught.value.code == "train.no-model"

    @pytest.mark.parametrize(
        "names", [("a.skops", "b.skops"), ("a.skops", "b.joblib"), ("a.pkl", "b.pickle")]
    )
    def test_several_are_named(self, names, tmp_path):
        for name in names:
            (tmp_path / name).write_bytes(b"x")
        with pytest.raises(MlciError, match=", ".join(names)) as caught:
            find_model(tmp_path)
        assert caught.value.code == "train.no-model"

    def test_other_files_beside_a_model_do_not_matter(self, tmp_path):
        for name in ("model.joblib", "metrics.json", "plot.png"):
            (tmp_path / name).write_bytes(b"x")
        assert find_model(tmp_path) is FLAVORS.get("pickled")


def test_loading_leaves_the_users_warning_filters_and_logs_alone(model, tmp_path):
    import logging

    folder = saved_by_mlflow(model, tmp_path / "m", serialization_format="cloudpickle")
    before = (list(warnings.filters), logging.getLogger("mlflow").level)
    load_model(folder)
    assert (list(warnings.filters), logging.getLogger("mlflow").level) == before
