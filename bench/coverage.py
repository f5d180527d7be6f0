"""How often intervals cover the truth, and how often a model that is worse by the margin passes.

    python bench/coverage.py [--sets 2000] [--rows 200 1000 5000] [--case NAME …]

Prints the tables of docs/verdict-coverage.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from simulated import CASES, Case, true_gain

BLOCK = 50


def block(task: tuple[int, int, int, int, float]) -> tuple[int, int, int, int, str]:
    """Return how many of some data sets were covered, passed, alarmed and had no interval."""
    number, rows, index, sets, truth = task
    covered = passed = alarmed = without = 0
    method = ""
    for one in range(sets):
        generator = np.random.default_rng([number, rows, index, one])
        found = CASES[number].compare(generator, rows)
        if found.problem is not None:
            without += 1
            continue
        method = found.method.partition(",")[0]
        covered += found.gain_low <= truth <= found.gain_high
        passed += found.gain_low > truth
        alarmed += found.gain_high < truth
    return covered, passed, alarmed, without, method


def measure(pool: ProcessPoolExecutor, case: Case, rows: int, sets: int) -> tuple[float, ...]:
    """Return the shares covered, passed and alarmed, and how many data sets gave no interval."""
    number, truth = CASES.index(case), true_gain(case)
    tasks = [(number, rows, index, BLOCK, truth) for index in range(sets // BLOCK)]
    found = list(pool.map(block, tasks))
    totals = np.sum([counts[:4] for counts in found], axis=0)
    judged = max(1, sets - totals[3])
    return (*(totals[:3] / judged).tolist(), int(totals[3]), found[0][4])


def main() -> None:
    """Print one line for each case and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=2000)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 5000])
    parser.add_argument("--case", nargs="+", default=[case.name for case in CASES])
    asked = parser.parse_args()
    error = 100 * (0.05 * 0.95 / asked.sets) ** 0.5
    print(
        f"{asked.sets} data sets a cell; Monte-Carlo error {100 * (0.09 / asked.sets) ** 0.5:.1f} points of",
        end=" ",
    )
    print(f"coverage, {error:.1f} of a false pass or alarm\n")
    print("| metric | rows | method | covers (90 %) | false pass (5 %) | false alarm (5 %) |")
    print("|:--|--:|:--|--:|--:|--:|")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for case in CASES:
            for rows in asked.rows if case.name in asked.case else ():
                covered, passed, alarmed, without, method = measure(pool, case, rows, asked.sets)
                more = f" ({without} without interval)" if without else ""
                line = f"| {case.name} | {rows:,} | {method}{more} | {100 * covered:.1f} % | "
                print(line + f"{100 * passed:.1f} % | {100 * alarmed:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
