"""Scores have one name for each column, and a fresh process gives the same ones as this one."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression

from mlci.core.errors import MlciError
from mlci.flavors._find import load_model
from mlci.process import Completed
from mlci.scoring import main, score, score_in_fresh_process


@pytest.fixture
def table():
    generator = np.random.default_rng(1)
    frame = pd.DataFrame({"key": range(60), "a": generator.normal(size=60), "b": generator.normal(size=60)})
    frame["label"] = generator.integers(0, 3, 60)
    return frame


@pytest.fixture
def saved(table, tmp_path):
    model = LogisticRegression().fit(table[["a", "b"]], table["label"])
    skops.io.dump(model, tmp_path / "model.skops")
    table.to_parquet(tmp_path / "rows.parquet")
    return tmp_path, model


def test_scores_are_in_the_order_of_the_rows(saved, table):
    folder, model = saved
    scores = score(load_model(folder / "model.skops"), table, ["label", "key"])
    assert list(scores) == ["prediction", "probability_0", "probability_1", "probability_2"]
    assert np.array_equal(scores["prediction"], model.predict(table[["a", "b"]]))
    assert np.array_equal(scores.iloc[:, 1:], model.predict_proba(table[["a", "b"]]))


def test_a_model_without_names_is_given_all_columns_but_the_dropped(table, tmp_path):
    model = LinearRegression().fit(table[["a", "b"]].to_numpy(), table["label"])
    joblib.dump(model, tmp_path / "model.joblib")
    scores = score(load_model(tmp_path), table, ["label", "key", "weight"])
    assert list(scores) == ["prediction"]
    assert np.array_equal(scores["prediction"], model.predict(table[["a", "b"]].to_numpy()))
    with pytest.raises(MlciError, match="4 features"):
        score(load_model(tmp_path), table, [])


def test_a_fresh_process_gives_the_same_scores(saved, table):
    folder, _ = saved
    out = score_in_fresh_process(
        folder / "model.skops",
        folder / "rows.parquet",
        folder / "out" / "scores.parquet",
        ["label", "key"],
        [],
        root=folder,
    )
    here = score(load_model(folder / "model.skops"), table, ["label", "key"])
    pd.testing.assert_frame_equal(pd.read_parquet(out), here)
    assert [item.name for item in out.parent.iterdir()] == ["scores.parquet"]


def test_a_fresh_process_imports_the_projects_own_code_when_it_is_trusted(table, tmp_path):
    (tmp_path / "shopsteps.py").write_text(
        "from sklearn.linear_model import LinearRegression\nclass Line(LinearRegression):\n    pass\n"
    )
    table.to_parquet(tmp_path / "rows.parquet")
    make = "import pandas as pd, skops.io\nfrom shopsteps import Line\nt = pd.read_parquet('rows.parquet')\n"
    make += "skops.io.dump(Line().fit(t[['a']], t['label']), 'model.skops')\n"
    (tmp_path / "make.py").write_text(make)
    from mlci.process import python_module, run_quiet

    assert run_quiet([python_module("x")[0], "make.py"], cwd=tmp_path).returncode == 0
    files = (tmp_path / "model.skops", tmp_path / "rows.parquet", tmp_path / "scores.parquet")
    with pytest.raises(MlciError, match=r"shopsteps\.Line") as caught:
        score_in_fresh_process(*files, ["label"], [], root=tmp_path)
    assert caught.value.code == "model.untrusted"
    assert "package.trusted-types" in caught.value.hint
    assert not files[2].exists()
    score_in_fresh_process(*files, ["label"], ["shopsteps.Line"], root=tmp_path)
    assert len(pd.read_parquet(files[2])) == len(table)


def test_a_model_that_brings_its_process_down_is_an_error_and_not_a_crash(table, tmp_path):
    (tmp_path / "shopcrash.py").write_text(
        "import os, signal\nclass Crash:\n    def predict(self, rows):\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    table.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04\x8c\tshopcrash\x8c\x05Crash\x93)R.")
    with pytest.raises(MlciError, match="signal 11") as caught:
        score_in_fresh_process(
            tmp_path / "model.pkl",
            tmp_path / "rows.csv",
            tmp_path / "scores.parquet",
            [],
            [],
            root=tmp_path,
        )
    assert caught.value.code == "model.unreadable"


def test_the_program_says_its_error_as_one_line_of_json(saved, capsys):
    folder, _ = saved
    options = [
        "--model",
        folder / "model.skops",
        "--data",
        folder / "gone.parquet",
        "--out",
        folder / "o.parquet",
    ]
    code = main([str(option) for option in options])
    record = json.loads(capsys.readouterr().err)
    assert code == 3
    assert record["code"] == "data.missing"
    assert "gone.parquet" in record["message"]


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (Completed(-9, "", "", timed_out=True), "did not end in time"),
        (Completed(1, "", "Traceback\nMemoryError: no room"), "exit code 1: MemoryError: no room"),
        (Completed(-9, "", "noise\n"), "signal 9"),
        (Completed(3, "", '{"code": "no.such-code"}\n3\n'), "exit code 3"),
    ],
)
def test_an_end_without_json_is_told_in_words(done, words, tmp_path):
    with pytest.raises(MlciError, match=words):
        score_in_fresh_process(
            tmp_path / "m.skops",
            tmp_path / "d.csv",
            tmp_path / "o.parquet",
            [],
            [],
            run=lambda argv, **options: done,
        )
