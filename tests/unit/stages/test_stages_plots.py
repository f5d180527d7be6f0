"""Plots as data: what each kind of problem shows, and what a forest is drawn from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score

from mlci.core.gates import Gate
from mlci.core.inputs import DataInputs
from mlci.core.plots import Plots, Series
from mlci.schemas import plots_schema
from mlci.slicing import sliced
from mlci.stages._judging import Judge
from mlci.stages._plots import write_plots
from mlci.stages.compare_to_baseline import CompareInputs
from mlci.stats.scores import Scores

SECRET = "pssst-very-secret"
DATA = DataInputs(evaluate="evaluate.csv", label="y", slices=["place"])


def table(seed: int, classes: int = 2, rows: int = 400) -> pd.DataFrame:
    truth = np.random.default_rng(rows).integers(0, classes, rows)
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(rows, classes)) + 2 * (truth[:, None] == np.arange(classes))
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    frame = pd.DataFrame(probability, columns=[f"probability_{index}" for index in range(classes)])
    return frame.assign(
        y=truth, prediction=probability.argmax(axis=1), place=np.where(np.arange(rows) % 2, "north", SECRET)
    )


def drawn(folder: Path, candidate: pd.DataFrame, baseline: pd.DataFrame | None, *gates: Gate) -> Plots:
    inputs = CompareInputs(gates=list(gates))
    judge = Judge(inputs, DATA, sliced(DATA.slices, candidate), lambda _: None)
    checks = judge.judge(candidate, baseline, identical=False)
    path = write_plots(folder, checks, judge.scores, {"MY_TOKEN": SECRET})
    return Plots.model_validate_json(path.read_bytes())


def test_two_classes_show_slices_ranks_and_calibration(tmp_path: Path) -> None:
    gate = Gate(metric="log_loss", no_worse_than=0.05, per_slice=True)
    plots = drawn(tmp_path, table(1), table(2), gate, Gate(metric="accuracy", at_least=0.5)).plots
    assert [plot.kind for plot in plots] == ["forest", "roc", "precision-recall", "calibration"]
    (change,) = plots[0].series
    assert plots[0].limit == pytest.approx(0.05)  # less is better: the limit lies on the right
    assert change.labels is not None
    assert change.labels[0] == "all rows"
    assert sorted(change.labels[1:]) == ["place=***", "place=north"]
    assert all(
        low < x < high for low, x, high in zip(change.low or [], change.x, change.high or [], strict=True)
    )
    assert [series.name for series in plots[1].series] == ["baseline", "candidate"]


def test_a_secret_in_the_data_is_in_no_plot(tmp_path: Path) -> None:
    gate = Gate(metric="accuracy", no_worse_than=0.05, per_slice=True)
    drawn(tmp_path, table(1), table(2), gate)
    assert SECRET not in (tmp_path / "plots.json").read_text("utf-8")


def test_slices_with_the_largest_loss_come_first(tmp_path: Path) -> None:
    worse = table(1)
    north = worse["place"] == "north"
    worse.loc[north, "prediction"] = 1 - worse.loc[north, "prediction"]
    gate = Gate(metric="accuracy", no_worse_than=0.05, per_slice=True)
    (change,) = drawn(tmp_path, worse, table(1), gate).plots[0].series
    assert (change.labels or [])[1] == "place=north"
    assert (change.verdicts or [])[1] == "worse"


def test_many_classes_show_each_class_against_all_others(tmp_path: Path) -> None:
    gate = Gate(metric="accuracy", no_worse_than=0.05)
    before, after = table(2, classes=4, rows=3000), table(1, classes=4, rows=3000)
    plots = drawn(tmp_path, after, before, gate).plots
    assert [plot.kind for plot in plots] == ["forest", *["roc", "precision-recall"] * 4, "calibration"]
    assert [plot.about for plot in plots[1:-1]] == ["0", "0", "1", "1", "2", "2", "3", "3"]
    for plot in plots[1:-1]:
        index = int(plot.about or "")
        for series, model in zip(plot.series, (before, after), strict=True):
            assert len(series.x) <= 200
            truth, score = model["y"] == index, model[f"probability_{index}"]
            if plot.kind == "roc":
                assert f"{index} against all others" in plot.title
                assert auc(series.x, series.y) == pytest.approx(roc_auc_score(truth, score), abs=2e-3)
            else:
                precision, recall, _ = precision_recall_curve(truth, score)
                distance = cdist(np.column_stack([series.x, series.y]), np.column_stack([recall, precision]))
                assert distance.min(axis=1).max() < 1e-5


def test_only_the_largest_classes_have_curves_and_fewer_points(tmp_path: Path) -> None:
    frames = [table(seed, classes=14, rows=4000) for seed in (1, 2)]
    few = frames[0]["y"] == 3
    for frame in frames:
        frame.loc[few, "y"] = 4
    plots = drawn(tmp_path, *frames, Gate(metric="accuracy", no_worse_than=0.05)).plots
    about = [plot.about for plot in plots if plot.kind == "roc"]
    assert len(about) == 10
    assert "3" not in about
    assert "4" in about
    assert max(len(series.x) for plot in plots if plot.kind == "roc" for series in plot.series) == 80
    assert (tmp_path / "plots.json").stat().st_size < 150_000


def test_a_secret_class_is_masked(tmp_path: Path) -> None:
    scores = Scores(
        np.array([SECRET, "a", "b"] * 20),
        np.array([SECRET, "a", "b"] * 20),
        np.tile(np.eye(3), (20, 1)),
        (SECRET, "a", "b"),
    )
    write_plots(tmp_path, [], {"candidate": scores}, {"MY_TOKEN": SECRET})
    assert SECRET not in (tmp_path / "plots.json").read_text("utf-8")


def test_several_labels_have_curves_each(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    truth = chance.random((300, 2)) < 0.5
    scores = Scores(
        truth, truth, np.clip(truth * 0.5 + chance.random((300, 2)) / 2, 0, 1), labels=("red", "ripe")
    )
    plots = Plots.model_validate_json(write_plots(tmp_path, [], {"candidate": scores}, {}).read_bytes()).plots
    assert [(plot.kind, plot.about) for plot in plots] == [
        ("roc", "red"),
        ("precision-recall", "red"),
        ("roc", "ripe"),
        ("precision-recall", "ripe"),
    ]


def test_numbers_show_residuals_and_a_first_run_no_forest(tmp_path: Path) -> None:
    truth = np.random.default_rng(0).normal(size=300)
    frame = pd.DataFrame({"y": truth, "prediction": truth + 0.1, "place": "north"})
    (plot,) = drawn(tmp_path, frame, None, Gate(metric="mae", at_most=1)).plots
    assert plot.kind == "residuals"
    assert sum(plot.series[0].y) == pytest.approx(1, abs=1e-4)


def test_labels_without_probabilities_show_the_forest_only(tmp_path: Path) -> None:
    one, other = (table(seed)[["y", "prediction", "place"]] for seed in (1, 2))
    plots = drawn(tmp_path, one, other, Gate(metric="accuracy", no_worse_than=0.05)).plots
    assert [plot.kind for plot in plots] == ["forest"]


def test_what_is_written_is_what_the_schema_says(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    drawn(tmp_path, table(1), table(2), Gate(metric="accuracy", no_worse_than=0.05))
    jsonschema.validate(json.loads((tmp_path / "plots.json").read_text("utf-8")), plots_schema())


def test_a_series_of_unequal_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="several lengths"):
        Series(name="candidate", x=[1.0, 2.0], y=[1.0])
