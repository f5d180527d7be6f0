"""Shows time and memory of a whole comparison from 10⁴ to 10⁷ rows, side by side with what it cannot do without.

Time: twelve metrics on all rows and on fifty slices, against reading both predictions files and sorting the
scores of each model once (NumPy's stable sort); in turns in one process, the best of the rounds. Memory: the
stage compare-to-baseline in a process of its own, with slices and plots, above what its libraries take,
against the size of the prediction arrays (see bench/join.py).
Usage: python bench/scale.py [--largest 10000000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import join
import numpy as np
import pandas as pd
from intervals import TWELVE

from mlci.stats.compare import compare
from mlci.stats.scores import Scores
from mlci.stats.slices import Column

NAMES = ("baseline", "candidate")


class Times(NamedTuple):
    """Seconds: reading both files, sorting the scores of both models, and all intervals."""

    read: float
    sort: float
    intervals: float


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def times(folder: Path, rounds: int) -> Times:
    """Return the best times of a few rounds."""
    paths = [folder / f"{name}.parquet" for name in NAMES]
    label = pd.read_parquet(folder / "evaluate.parquet", columns=["key", "label"]).set_index("key")["label"]
    tables = [pd.read_parquet(path).set_index("key").loc[label.index] for path in paths]
    answers = [
        (table["prediction"].to_numpy(), table[["probability_0", "probability_1"]].to_numpy())
        for table in tables
    ]
    shares = [np.ascontiguousarray(share[:, 1]) for _, share in answers]
    chance = np.random.default_rng(1)
    columns = [
        Column(chance.integers(0, 10, len(label)), [f"{name}={value}" for value in range(10)])
        for name in "abcde"
    ]

    def intervals() -> object:
        fresh = [Scores(label.to_numpy(), *answer, (0, 1)) for answer in answers]
        return compare(TWELVE, *fresh, slices=columns)

    found = [
        (
            seconds(lambda: [pd.read_parquet(path) for path in paths]),
            seconds(lambda: [np.argsort(share, kind="stable") for share in shares]),
            seconds(intervals),
        )
        for _ in range(rounds)
    ]
    return Times(*(min(one) for one in zip(*found, strict=True)))


def main() -> None:
    """Print a line for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=10_000_000)
    largest = parser.parse_args().largest
    print(
        "| rows | reading s | sorting s | all intervals s | times both | arrays MiB | peak MiB | times arrays |"
    )
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    rows = 10_000
    while rows <= largest:
        with tempfile.TemporaryDirectory() as place:
            folder, small = Path(place) / "large", Path(place) / "small"
            join.write(folder, rows)
            join.write(small, 1_000)
            found = times(folder, 5 if rows <= 1_000_000 else 2)
            arrays = join.measured(folder, small, "read")["size"]
            peak = join.measured(folder, small, "verdict")["peak"]
        ratio = found.intervals / (found.read + found.sort)
        print(
            f"| {rows:,} | {found.read:.3f} | {found.sort:.3f} | {found.intervals:.3f} | {ratio:.2f} "
            f"| {arrays / 2**20:,.1f} | {peak / 2**20:,.0f} | {peak / arrays:.2f} |",
            flush=True,
        )
        rows *= 10


if __name__ == "__main__":
    main()
