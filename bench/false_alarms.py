"""How often whole policies stop a model that is as good, and let one pass that is worse by the margin.

    python bench/false_alarms.py [--sets 1000] [--trainings 300] [--rows 500 2000 10000]

Prints the tables of docs/verdict-coverage.md. Equally good models are simulated, and real: one scikit-learn
model trained with two seeds on half of the digits or the breast-cancer data, asked about the other half.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier

from mlci.stats.compare import compare
from mlci.stats.comparison import Comparison
from mlci.stats.decision import no_worse_than
from mlci.stats.multiplicity import decide_slices
from mlci.stats.scores import Scores
from mlci.stats.slices import Column

MARGIN = 0.01
"""The margin of the gate that `mlci init` writes, on accuracy."""
APART = 0.08
"""Share of rows on which simulated models disagree."""
Pair = tuple[Scores, Scores]


@dataclass(frozen=True)
class Outcome:
    """What each policy said of one pair of models."""

    point: bool
    point_of_slices: bool
    alarmed: bool
    uncorrected: bool
    unclear: bool
    passed: bool
    point_passed: bool


def simulated(generator: np.random.Generator, rows: int, worse: float = 0.0) -> Pair:
    """Return two classifiers that are right on 90 % of rows; the candidate loses `worse` of them."""
    label, luck = generator.integers(0, 2, rows), generator.random(rows)
    lost = (APART + worse) / 2
    both_wrong = luck > 0.94
    before = np.where(both_wrong | ((luck >= lost) & (luck < APART)), 1 - label, label)
    after = np.where(both_wrong | (luck < lost), 1 - label, label)
    return Scores(label, before, None, (0, 1)), Scores(label, after, None, (0, 1))


def trained(load: Callable[..., tuple[np.ndarray, np.ndarray]], seed: int) -> Pair:
    """Return one model trained with two seeds on a random half of real rows, on the other half."""
    features, label = load(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(label))
    train, evaluate = order[: len(order) // 2], order[len(order) // 2 :]
    classes = tuple(np.unique(label).tolist())
    models = []
    for own in (2 * seed, 2 * seed + 1):
        model = RandomForestClassifier(30, random_state=own).fit(features[train], label[train])
        models.append(Scores(label[evaluate], model.predict(features[evaluate]), None, classes))
    return models[0], models[1]


def judged(pair: Pair, slices: int, generator: np.random.Generator) -> Outcome:
    """Return what a point gate and mlci's gates say, on all rows and on slices drawn at random."""
    rows = pair[0].rows
    names = [f"slice={number}" for number in range(slices)]
    columns = [Column(generator.integers(0, slices, rows), names)] if slices else []
    found = compare(["accuracy"], *pair, slices=columns)
    everywhere = found["accuracy", None]
    parts: dict[str, Comparison] = {name: found["accuracy", name] for name in names}
    overall = no_worse_than(everywhere, MARGIN)
    families = [
        decide_slices(parts, MARGIN, correction=correction).decisions.values() if parts else ()
        for correction in ("holm", "none")
    ]
    failed = [overall.verdict == "failed" or any(one.verdict == "failed" for one in f) for f in families]
    point = [part.gain < 0 for part in parts.values() if part.problem is None]
    return Outcome(
        point=everywhere.gain < 0,
        point_of_slices=everywhere.gain < 0 or any(point),
        alarmed=failed[0],
        uncorrected=failed[1],
        unclear=overall.verdict == "inconclusive" and not failed[0],
        passed=overall.verdict == "passed" and not failed[0],
        point_passed=everywhere.gain >= -MARGIN,
    )


def share(outcomes: list[Outcome], name: str) -> str:
    """Return how often something was so, with the error that chance leaves."""
    count, total = sum(getattr(outcome, name) for outcome in outcomes), len(outcomes)
    smoothed = (count + 0.5) / (total + 1)
    return f"{100 * count / total:.1f} ± {100 * (smoothed * (1 - smoothed) / total) ** 0.5:.1f} %"


def equals(sets: int, trainings: int, sizes: list[int]) -> Iterator[tuple[str, int, int, list[Outcome]]]:
    """Yield what was said of equally good models, for each data set and number of slices."""
    for rows in sizes:
        for slices in (0, 10, 50):
            generator = np.random.default_rng([1, rows, slices])
            pairs = (simulated(generator, rows) for _ in range(sets))
            yield "simulated", rows, slices, [judged(pair, slices, generator) for pair in pairs]
    for name, load in (("breast cancer", load_breast_cancer), ("digits", load_digits)):
        real = [trained(load, seed) for seed in range(trainings)]
        for slices in (0, 10) if real else ():
            generator = np.random.default_rng([2, slices])
            yield name, real[0][0].rows, slices, [judged(pair, slices, generator) for pair in real]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--trainings", type=int, default=300)
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 2000, 10_000])
    asked = parser.parse_args()
    print("| models | rows | slices | `new >= old` fails | the same on slices too | mlci fails", end=" ")
    print("| without Holm | mlci is unclear |\n|:--|--:|--:|--:|--:|--:|--:|--:|")
    names = ("point", "point_of_slices", "alarmed", "uncorrected", "unclear")
    for models, rows, slices, outcomes in equals(asked.sets, asked.trainings, asked.rows):
        shares = " | ".join(share(outcomes, name) for name in names)
        print(f"| {models} | {rows:,} | {slices} | {shares} |", flush=True)
    print(f"\n| rows | `new >= old - {MARGIN}` passes | mlci passes | mlci fails |\n|--:|--:|--:|--:|")
    for rows in asked.rows:
        generator = np.random.default_rng([3, rows])
        pairs = (simulated(generator, rows, MARGIN) for _ in range(asked.sets))
        outcomes = [judged(pair, 0, generator) for pair in pairs]
        shares = " | ".join(share(outcomes, name) for name in ("point_passed", "passed", "alarmed"))
        print(f"| {rows:,} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
