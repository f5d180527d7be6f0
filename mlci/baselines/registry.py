"""A baseline in the model registry: models:/NAME@ALIAS or models:/NAME/VERSION."""

from __future__ import annotations

import time

from mlci.core.ports import Baseline, BaselineRequest, ModelVersion


class RegistryBaseline:
    """The version that an alias names now, with the predictions that were recorded with its run."""

    def claims(self, text: str) -> bool:
        """Return whether the text is a model URI."""
        return text.startswith("models:/")

    def identity(self, request: BaselineRequest) -> str:
        """Return the version that the URI names, looked up without importing MLflow where possible."""
        found = request.open_tracker().peek(request.text)
        if found is None:
            return "none yet"
        return f"version {found}" if isinstance(found, str) else f"unknown at {time.time_ns()}"

    def fetch(self, request: BaselineRequest) -> Baseline | None:
        """Return the version's predictions and model; None when no version has this name or alias."""
        tracker = request.open_tracker()
        version = tracker.find(request.text)
        if version is None:
            return None
        predictions = None
        if version.run_id:
            predictions = tracker.fetch_artifact(
                version.run_id, "predictions/predictions.parquet", request.work / "recorded"
            )
        return Baseline(
            label=_label(request.text, version),
            predictions=predictions,
            evaluation_digest=version.tags.get("mlci.data.evaluate.sha256"),
            model=lambda: tracker.fetch_model(version, request.work / "model"),
            model_digest=version.tags.get("mlci.train.model.sha256"),
            details={
                "name": version.name,
                "version": version.version,
                "run_id": version.run_id,
                "commit": version.tags.get("mlci.git.commit"),
                "evaluation_uses": version.tags.get("mlci.evaluation.uses"),
                "training": version.tags.get("mlci.train.fingerprint"),
            },
        )


def _label(text: str, version: ModelVersion) -> str:
    return f"{text} → version {version.version}" if "@" in text else text


source = RegistryBaseline()
