"""Both models on today's evaluation rows, for commands that ask about a policy without judging a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlci.baselines import source_of
from mlci.core.errors import MlciError
from mlci.core.stage import Context
from mlci.stages._baseline_rows import baseline_table, candidate_file
from mlci.stages.compare_to_baseline import CompareInputs, baseline_request, baseline_text, judged_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class BothModels:
    """Predictions on the evaluation rows, in their order; None where a model has none, and why."""

    rows: pd.DataFrame
    candidate: pd.DataFrame | None
    baseline: pd.DataFrame | None
    label: str
    problems: tuple[MlciError, ...] = ()


def both_models(inputs: CompareInputs, context: Context) -> BothModels:
    """Return what the last training and the baseline say about today's rows.

    `context.work` is a folder that is thrown away. A model that cannot be had is a problem that is
    told, and no error. Raises MlciError when the evaluation rows themselves are not in order.
    """
    from mlci import predictions

    rows = judged_rows(inputs, context)
    problems: list[MlciError] = []
    candidate = baseline = None
    try:
        candidate = predictions.answers(candidate_file(context), rows, context.data, "candidate")
    except MlciError as error:
        problems.append(error)
    text = label = baseline_text(inputs, context)
    try:
        found = source_of(text).fetch(baseline_request(text, context))
        if found is None:
            raise MlciError("baseline.missing", f"there is no {text} yet", "deploy a first version")
        label = found.label
        table = baseline_table(inputs, context, found)
        baseline = predictions.align(table, rows, context.data, "baseline")
    except MlciError as error:
        problems.append(error)
    return BothModels(rows, candidate, baseline, label, tuple(problems))
