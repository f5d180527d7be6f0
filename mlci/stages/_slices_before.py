"""Slices that are gone: those that the baseline was judged on, or that are declared, and that have no rows today."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlci.core.inputs import DataInputs
from mlci.core.ports import Baseline
from mlci.core.results import Check
from mlci.core.slice_rules import columns_of, label_of
from mlci.slicing import Sliced, sizes, sliced
from mlci.stages._slice_checks import presence
from mlci.stages.compare_to_baseline import CompareInputs


def presence_checks(
    inputs: CompareInputs,
    data: DataInputs,
    today: Sequence[Sliced],
    baseline: Baseline | None,
    where: str | None,
) -> list[Check]:
    """Return the check that no judged slice is gone; none where no gate judges slices, or nothing is known.

    Slices before are those with at least `minimum-rows` rows among the rows that the baseline was judged
    on: below that it was not judged there either. Quantile bins move with the rows and are not looked for.
    """
    gates = [gate for gate in inputs.gates if gate.sliced]
    judged = [each for each in today if any(gate.judges(each.label) for gate in gates)]
    rows = sizes(judged)
    declared = [name for each in judged if each.declared for name in each.column.names]
    labels = {each.label for each in judged if not each.declared and not each.moves}
    before = {
        name: count for name, count in _before(data, labels, baseline).items() if count >= inputs.minimum_rows
    }
    gone = {name: count for name, count in before.items() if not rows.get(name)}
    missing = [name for name in declared if not rows[name]]
    known = len({*before, *declared})
    if not known:
        return []
    blocking = any(not gate.advisory for gate in gates)
    return [presence(gone, missing, known, blocking=blocking, where=where)]


def _before(data: DataInputs, labels: set[str], baseline: Baseline | None) -> dict[str, int]:
    """Return the slices of the rows that the baseline was judged on; none where these columns are not recorded."""
    from mlci.readers import read_columns, read_table

    recorded = None if baseline is None else baseline.judged_on or baseline.predictions
    if recorded is None or not Path(recorded).is_file():
        return {}
    present = set(read_columns(recorded))
    entries = [
        entry for entry in data.slices if label_of(entry) in labels and set(columns_of([entry])) <= present
    ]
    if not entries:
        return {}
    return sizes(sliced(entries, read_table(recorded, columns_of(entries))))
