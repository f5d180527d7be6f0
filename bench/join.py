"""Measures what it takes to bring two predictions files onto the evaluation rows and to compare them.

Time is shown against reading the two predictions files whole (pandas), memory against the size of the
prediction arrays: key, prediction and probability of both models, as they lie in memory. The evaluation
file has ten features beside key, label and slices, which must not be loaded. Each measurement is a process
of its own; its peak is that above an interpreter with the libraries loaded and 1,000 rows judged. `join`
brings both files onto the rows, `compare` finds three intervals, and `verdict` is the whole stage
compare-to-baseline: five gates on all rows and on ten slices, plots, and what is kept.
Usage: python bench/join.py [--rows 1000000] [--keys number|text] [--order same|shuffled]
       [--probabilities both|one]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHILD = """
import contextlib, json, os, sys, time
from pathlib import Path
import pandas as pd, pyarrow.parquet
from mlci.cli import main
from mlci.core.inputs import DataInputs
from mlci.predictions import align, evaluation_rows, known_classes, read_predictions, scores_of
from mlci.stats.compare import compare

folder, small, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
data = DataInputs(evaluate="evaluate.parquet", label="label", key="key")

def joined(folder):
    rows = evaluation_rows(data, folder)
    return [
        align(read_predictions(folder / f"{name}.parquet", name, data), rows, data, name)
        for name in ("candidate", "baseline")
    ]

def judged(folder):
    tables = joined(folder)
    classes = known_classes(tables, data)
    candidate, baseline = (scores_of(table, data, classes) for table in tables)
    return compare(["accuracy", "roc_auc", "log_loss"], baseline, candidate)

def read(folder):
    return [pd.read_parquet(folder / f"{name}.parquet") for name in ("candidate", "baseline")]

def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

def verdict(folder):
    os.chdir(folder)
    sys.argv = ["mlci", "compare-to-baseline"]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            main()
    except SystemExit as end:
        assert not end.code, end.code

task = {"read": read, "join": joined, "compare": judged, "verdict": verdict}[what]
judged(small)
if what == "verdict":
    verdict(small)
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = memory("VmRSS")
start = time.perf_counter()
kept = task(folder)
seconds = time.perf_counter() - start
size = sum(int(table.memory_usage(deep=True).sum()) for table in kept) if what == "read" else 0
print(json.dumps({"seconds": seconds, "peak": memory("VmHWM") - before, "size": size}))
"""

POLICY = """
project: join
data: {evaluate: evaluate.parquet, label: label, key: key, slices: [part]}
train: {command: python make.py, model: model, predictions: out/candidate.parquet}
compare-to-baseline:
  baseline: baseline.parquet
  leakage: "off"
  gates:
"""
GATES = ("accuracy", "f1", "roc_auc", "log_loss", "brier")
TRAINING = """
import os, pathlib, shutil
os.makedirs("out", exist_ok=True)
pathlib.Path("model").write_text("a model that lives elsewhere")
shutil.copy("candidate.parquet", "out/candidate.parquet")
"""


def write(
    folder: Path, rows: int, keys: str = "number", order: str = "shuffled", shares: str = "both"
) -> None:
    import numpy as np
    import pandas as pd

    chance = np.random.default_rng(7)
    folder.mkdir()
    number = chance.permutation(rows)
    key = number if keys == "number" else pd.Series(number).astype(str).str.zfill(12)
    label = chance.integers(0, 2, rows)
    features = {f"feature_{index}": chance.normal(size=rows) for index in range(10)}
    pd.DataFrame({"key": key, "label": label, "part": chance.integers(0, 10, rows), **features}).to_parquet(
        folder / "evaluate.parquet", index=False
    )
    for name, noise in (("candidate", 0.30), ("baseline", 0.31)):
        probability = np.clip(0.25 + label / 2 + chance.normal(0, noise, rows), 0.001, 0.999)
        prediction = (probability > 0.5).astype(np.int64)
        table = pd.DataFrame({"key": key, "prediction": prediction, "probability": probability})
        if shares == "both":
            table = table.rename(columns={"probability": "probability_1"})
            table["probability_0"] = 1 - probability
        if order == "shuffled":
            table = table.iloc[chance.permutation(rows)]
        table.to_parquet(folder / f"{name}.parquet", index=False)
    gates = "".join(f"    - {{metric: {metric}, no-worse-than: 0.01, per-slice: true}}\n" for metric in GATES)
    (folder / "mlci.yaml").write_text(POLICY + gates)
    (folder / "make.py").write_text(TRAINING)
    variables = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        [sys.executable, "-m", "mlci", "train"], cwd=folder, env=variables, check=True, capture_output=True
    )


def measured(folder: Path, small: Path, what: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(small), what],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return json.loads(done.stdout)  # type: ignore[no-any-return]  # the child writes numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keys", choices=["number", "text"], default="number")
    parser.add_argument("--order", choices=["same", "shuffled"], default="shuffled")
    parser.add_argument("--probabilities", choices=["both", "one"], default="both")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, small = Path(place) / "large", Path(place) / "small"
        write(folder, options.rows, options.keys, options.order, options.probabilities)
        write(small, 1_000, options.keys, options.order, options.probabilities)
        read = measured(folder, small, "read")
        print(f"{options.rows:,} rows, keys: {options.keys}, order: {options.order}")
        print(
            f"  prediction arrays {read['size'] / 2**20:,.0f} MiB; reading both files {read['seconds']:.2f} s, "
            f"peak {read['peak'] / read['size']:.2f} × arrays"
        )
        for what in ("join", "compare", "verdict"):
            found = measured(folder, small, what)
            print(
                f"  {what:8} {found['seconds']:6.2f} s = {found['seconds'] / read['seconds']:5.2f} × reading, "
                f"peak {found['peak'] / 2**20:,.0f} MiB = {found['peak'] / read['size']:.2f} × arrays"
            )


if __name__ == "__main__":
    main()
