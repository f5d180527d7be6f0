"""A baseline that is only a predictions file: for models that live elsewhere."""

from __future__ import annotations

from mlci.core.errors import MlciError
from mlci.core.ports import Baseline, BaselineRequest

_SUFFIXES = (".parquet", ".pq", ".csv", ".tsv")


class PredictionsBaseline:
    """A table of key, label, prediction and probabilities, made by any tool."""

    def claims(self, text: str) -> bool:
        """Return whether the text is the path of a table."""
        return text.lower().endswith(_SUFFIXES) and ":/" not in text and not text.startswith("git:")

    def identity(self, request: BaselineRequest) -> str:
        """Return the file's digest."""
        path = request.root / request.text
        return request.digests.of(path) if path.is_file() else "missing"

    def fetch(self, request: BaselineRequest) -> Baseline | None:
        """Return the file; raises MlciError `baseline.missing`, since a path is no first run."""
        path = request.root / request.text
        if not path.is_file():
            raise MlciError(
                "baseline.missing",
                f"the baseline '{request.text}' does not exist",
                "make the file, or name models:/NAME@ALIAS, where a first run has no baseline yet",
            )
        return Baseline(label=request.text, predictions=path)


source = PredictionsBaseline()
