"""A packaged model is a whole MLflow model: safe, signed, pinned, and the same in another process."""

import json
import sys
import warnings
from importlib.metadata import version

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import Birch
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from mlci.core.errors import MlciError
from mlci.core.files import files_below, sha256_file
from mlci.flavors._find import load_model
from mlci.flavors._quiet import quiet_mlflow
from mlci.packaging import package_model
from mlci.process import run_quiet

FEATURES = ["length", "count", "colour", "shop", "new"]


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(5)
    rows = 150
    frame = pd.DataFrame(
        {
            "key": range(rows),
            "length": generator.normal(size=rows),
            "count": generator.integers(0, 9, rows),
            "colour": generator.choice(["red", "green"], rows),
            "shop": generator.choice(["north", "south", None], rows),
            "new": generator.choice([True, False], rows),
            "label": generator.choice(["no", "yes"], rows),
        }
    )
    frame.loc[3, "length"] = np.nan
    return frame


@pytest.fixture
def trained(table, tmp_path):
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["colour", "shop"]),
            ("numbers", SimpleImputer(), ["length", "count"]),
            ("flags", "passthrough", ["new"]),
        ]
    )
    model = make_pipeline(columns, RandomForestClassifier(5)).fit(table[FEATURES], table["label"])
    (tmp_path / "out").mkdir()
    joblib.dump(model, tmp_path / "out" / "model.joblib")
    return model


@pytest.mark.parametrize("serialization", ["skops", "cloudpickle"])
def test_a_forest_on_text_columns_is_the_same_for_mlflow_in_a_fresh_process(
    serialization, trained, table, tmp_path, capfd, caplog
):
    folder = tmp_path / "package"
    sample = table.drop(columns=["label", "key"])
    packaged = package_model(
        tmp_path / "out", sample, None, folder, serialization=serialization, metadata={"commit": "a1b2c3"}
    )
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert packaged.format == serialization
    loaded = load_model(folder)
    assert np.array_equal(loaded.predict(table), trained.predict(table[FEATURES]))
    assert np.array_equal(loaded.predict_proba(table), trained.predict_proba(table[FEATURES]))

    table.to_parquet(tmp_path / "rows.parquet")
    program = (
        "import sys, json, pandas, mlflow.pyfunc; model = mlflow.pyfunc.load_model(sys.argv[1]); "
        "print(json.dumps(list(model.predict(pandas.read_parquet(sys.argv[2])))))"
    )
    done = run_quiet(
        [sys.executable, "-c", program, str(folder), str(tmp_path / "rows.parquet")], cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == list(trained.predict(table[FEATURES]))


def test_the_signature_names_what_the_model_uses_and_what_may_be_missing(trained, table, tmp_path):
    packaged = package_model(tmp_path / "out", table, table["label"], tmp_path / "package")
    assert [(each["name"], each["type"], each["required"]) for each in packaged.signature["inputs"]] == [
        ("length", "double", False),
        ("count", "long", True),
        ("colour", "string", True),
        ("shop", "string", False),
        ("new", "boolean", True),
    ]
    assert packaged.signature["outputs"][0]["type"] == "string"
    example = json.loads((packaged.folder / "input_example.json").read_text())
    assert example["columns"] == FEATURES
    assert len(example["data"]) == 5


def test_requirements_are_pinned_and_metadata_is_kept(trained, table, tmp_path):
    packaged = package_model(tmp_path / "out", table, None, tmp_path / "package", metadata={"commit": "a1"})
    assert packaged.requirements == (packaged.folder / "requirements.txt").read_text().splitlines()
    names = ["mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops"]
    assert packaged.requirements == [f"{name}=={version(name)}" for name in names]
    with quiet_mlflow():
        from mlflow.models import Model

        assert Model.load(str(packaged.folder)).metadata == {"commit": "a1"}


def test_the_users_own_requirements_are_taken_as_they_are(trained, table, tmp_path):
    own = ["scikit-learn>=1.6", "skops", "mlflow>=3"]
    packaged = package_model(tmp_path / "out", table, None, tmp_path / "package", requirements=own)
    assert packaged.requirements == own


def test_only_the_types_that_are_needed_are_written_into_the_model(trained, table, tmp_path):
    package_model(tmp_path / "out", table, None, tmp_path / "package", trusted=["not.Needed"])
    with quiet_mlflow():
        from mlflow.models import Model

        flavor = Model.load(str(tmp_path / "package")).flavors["sklearn"]
    assert flavor["skops_trusted_types"] == ["numpy.dtype", "sklearn.tree._tree.Tree"]


def plus_one(values):
    return values + 1


def test_a_type_that_is_not_trusted_is_named_with_both_ways_out(table, tmp_path):
    model = make_pipeline(FunctionTransformer(plus_one), LinearRegression())
    joblib.dump(model.fit(table[["count"]], table["key"]), tmp_path / "model.joblib")
    name = f"{plus_one.__module__}.plus_one"
    with pytest.raises(MlciError, match=name) as caught:
        package_model(tmp_path / "model.joblib", table[["count"]], None, tmp_path / "package")
    assert caught.value.code == "model.untrusted"
    assert "package.trusted-types" in caught.value.hint
    assert "package.format: cloudpickle" in caught.value.hint
    assert not (tmp_path / "package").exists()

    safe = package_model(
        tmp_path / "model.joblib", table[["count"]], None, tmp_path / "package", trusted=[name]
    )
    assert safe.format == "skops"
    assert plus_one.__module__ in safe.notes[0]
    pickled = package_model(
        tmp_path / "model.joblib", table[["count"]], None, tmp_path / "package", serialization="cloudpickle"
    )
    assert any("pickle" in note for note in pickled.notes)
    assert np.array_equal(
        load_model(tmp_path / "package").predict(table[["count"]]), model.predict(table[["count"]])
    )


def test_an_estimator_that_skops_cannot_write(table, tmp_path):
    joblib.dump(Birch(n_clusters=2).fit(table[["count"]]), tmp_path / "model.joblib")
    with pytest.raises(MlciError, match="Birch cannot be written by skops") as caught:
        package_model(tmp_path / "model.joblib", table, None, tmp_path / "package")
    assert caught.value.code == "model.untrusted"
    assert "cloudpickle" in caught.value.hint


def test_a_failure_leaves_the_older_package_as_it_was(trained, table, tmp_path):
    package_model(tmp_path / "out", table, None, tmp_path / "package")
    before = {path.name: sha256_file(path) for path in files_below(tmp_path / "package")}
    with pytest.raises(MlciError, match="cannot be packaged"):
        package_model(
            tmp_path / "out", table, None, tmp_path / "package", requirements=["-r nothing-there.txt"]
        )
    assert {path.name: sha256_file(path) for path in files_below(tmp_path / "package")} == before
    assert sorted(item.name for item in tmp_path.iterdir()) == ["out", "package"]


class TestFoldersThatTheUserWroteByMlflow:
    def test_they_are_copied_byte_for_byte(self, trained, table, tmp_path):
        first = package_model(tmp_path / "out", table, None, tmp_path / "first")
        second = package_model(tmp_path / "first", table, None, tmp_path / "second")
        digests = [
            {path.relative_to(folder): sha256_file(path) for path in files_below(folder)}
            for folder in (first.folder, second.folder)
        ]
        assert digests[0] == digests[1]
        assert (second.format, second.signature, second.notes) == ("skops", first.signature, [])
        assert second.requirements == first.requirements

    def test_a_missing_signature_and_a_pickle_are_noted(self, trained, table, tmp_path):
        with quiet_mlflow():
            import mlflow.sklearn

            mlflow.sklearn.save_model(
                trained,
                str(tmp_path / "out2" / "m"),
                serialization_format="pickle",
                pip_requirements=["scikit-learn"],
            )
        packaged = package_model(tmp_path / "out2", table, None, tmp_path / "package")
        assert packaged.format == "pickle"
        assert packaged.signature == {}
        assert "signature" in packaged.notes[0]
        assert "pickle" in packaged.notes[1]


def test_categories_are_noted_because_mlflow_hands_them_on_as_text(table, tmp_path):
    frame = table[["colour"]].astype("category")
    model = make_pipeline(OneHotEncoder(), LinearRegression()).fit(frame, table["key"])
    joblib.dump(model, tmp_path / "model.joblib")
    packaged = package_model(tmp_path / "model.joblib", frame, None, tmp_path / "package")
    assert "takes colour as text" in packaged.notes[0]


def test_packaging_restores_the_warning_filters(trained, table, tmp_path):
    before = list(warnings.filters)
    package_model(tmp_path / "out", table, None, tmp_path / "package")
    assert list(warnings.filters) == before
