"""Measures a project's own metric side by side with scipy.stats.bootstrap, on the same rows, in one run.

    python bench/own_metric.py [--rows 20000] [--rounds 3]

Both call the same function of a table. scipy is given the cheapest statistic that a user could write, which
takes rows of both tables by position. Its default method, BCa, calls the function once for each row as well;
that is measured on few rows left out and scaled, and so are its resamples. mlci always makes a BCa interval,
from 200 blocks of rows left out. It is measured with all 2,000 resamples, on one core and on all, and as a
gate asks it: with an end where no verdict is in doubt, for equally good models and a margin of four standard
errors. Each round runs all of them, one after the other; the shortest time of each counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))
from intervals import pair

from mlci.stages._crew import crew
from mlci.stats.compare import compare
from mlci.stats.metrics import metric_kind
from mlci.stats.outside import frame
from mlci.stats.stopping import Limit, Stop

RESAMPLES = 2000
METRIC = '''
import numpy as np

def cost(frame):
    """Money lost by wrong answers, and how far off the typical probability is."""
    wrong = frame["label"] != frame["prediction"]
    missed = wrong & (frame["label"] == 1)
    off = (frame["probability_1"] - frame["label"]).abs().median()
    return float((5.0 * missed + 1.0 * (wrong & ~missed)).mean() + 0.1 * off)

cost.greater_is_better = False
'''
NAME = "metric_of_bench:cost"


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Scipy:
    """scipy's paired bootstrap of the difference of a function on two tables."""

    def __init__(self, function: Callable[[object], float], before: object, after: object) -> None:
        self._function = function
        self._tables = frame(after), frame(before)
        self.calls = 0

    def difference(self, rows: np.ndarray) -> float:
        """Return the difference on some rows."""
        self.calls += 1
        after, before = self._tables
        return self._function(after.iloc[rows]) - self._function(before.iloc[rows])

    def percentile(self, resamples: int) -> None:
        """Run the percentile method, which calls the function once for each resample and table."""
        stats.bootstrap(
            (np.arange(len(self._tables[0])),),
            self.difference,
            vectorized=False,
            n_resamples=resamples,
            confidence_level=0.9,
            method="percentile",
            rng=np.random.default_rng(0),
        )

    def left_out(self, rows: int) -> None:
        """Leave out each of the first rows, as the jackknife inside BCa does for every row."""
        every = np.arange(len(self._tables[0]))
        for row in range(rows):
            self.difference(np.delete(every, row))


def check(rows: int) -> None:
    """Show that scipy's BCa calls the function once for each row beside the resamples, and both agree."""
    before, after = pair(rows)
    function = sys.modules["metric_of_bench"].cost
    one = Scipy(function, before, after)
    found = stats.bootstrap(
        (np.arange(rows),),
        one.difference,
        vectorized=False,
        n_resamples=RESAMPLES,
        confidence_level=0.9,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    mine = compare([NAME], before, after)[NAME, None]
    print(f"{rows} rows: scipy BCa calls the statistic {one.calls:,} times for {RESAMPLES:,} resamples;")
    print(f"its interval [{found.low:.4f}, {found.high:.4f}], mlci's [{mine.low:.4f}, {mine.high:.4f}]\n")


def main() -> None:
    """Measure, and print both ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--few", type=int, default=150)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "metric_of_bench.py").write_text(METRIC)
        sys.path.insert(0, folder)
        metric_kind(NAME)
        check(500)
        print("| rows | who | seconds | scipy percentile ÷ it | scipy BCa ÷ it |\n|--:|:--|--:|--:|--:|")
        for rows in asked.rows:
            measure(rows, asked.rounds, asked.few)


def measure(rows: int, rounds: int, few: int) -> None:
    """Print the times for one number of rows."""
    before, after = pair(rows)
    other = Scipy(sys.modules["metric_of_bench"].cost, before, after)
    error = compare([NAME], before, after, replicates=300)[NAME, None]
    clear = Stop({NAME: [Limit(error.gain - 4 * error.standard_error)]}, 0, 0.05)
    everyone = crew()
    work = {
        "scipy, percentile": lambda: other.percentile(few),
        "jackknife": lambda: other.left_out(few),
        "mlci, one core": lambda: compare([NAME], before, after, replicates=RESAMPLES),
        f"mlci, {everyone.size} cores": lambda: compare(
            [NAME], before, after, replicates=RESAMPLES, crew=everyone
        ),
        f"mlci, {everyone.size} cores, clear verdict": lambda: compare(
            [NAME], before, after, replicates=RESAMPLES, crew=everyone, stop=clear
        ),
    }
    times = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            times[name].append(timed(run))
    best = {name: min(found) for name, found in times.items()}
    percentile = best.pop("scipy, percentile") * RESAMPLES / few
    bca = percentile + best.pop("jackknife") * rows / few
    print(f"| {rows:,} | scipy, percentile (scaled from {few}) | {percentile:.2f} | | |")
    print(f"| {rows:,} | scipy, BCa (scaled) | {bca:.2f} | | |")
    for name, seconds in best.items():
        print(
            f"| {rows:,} | {name} | {seconds:.2f} | {percentile / seconds:.1f} | {bca / seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
