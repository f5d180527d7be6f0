"""Whether two models came of the same training: same code, data, parameters and versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlci.core.files import sha256_text

if TYPE_CHECKING:
    import pandas as pd

TAG = "mlci.train.fingerprint"
_NO_MATTER = ("tracking.", "state ")


def training_digest(fingerprint: Mapping[str, str]) -> str | None:
    """Return one digest for all that a training depended on; None where nothing was recorded.

    Where the run is recorded changes no model, and what the training itself writes is its result.
    """
    parts = {name: value for name, value in fingerprint.items() if not name.startswith(_NO_MATTER)}
    return sha256_text(json.dumps(parts, sort_keys=True)) if parts else None


def same_answers(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Return whether two aligned tables hold the same predictions and probabilities, to the last bit."""
    names = [name for name in left.columns if str(name).startswith(("prediction", "probability"))]
    theirs = [name for name in right.columns if str(name).startswith(("prediction", "probability"))]
    return names == theirs and left[names].reset_index(drop=True).equals(right[names].reset_index(drop=True))
