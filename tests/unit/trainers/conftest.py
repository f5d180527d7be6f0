"""Requests to a trainer for a small project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlci.core.files import Digests
from mlci.core.inputs import DataInputs
from mlci.core.ports import TrainRequest
from mlci.readers import read_table
from mlci.stages.train import TrainInputs

MakeRequest = Callable[..., TrainRequest]


@pytest.fixture
def make_request(tmp_path: Path) -> MakeRequest:
    """Make a request; `data` and `variables` are keyword arguments, all else is of the train section."""

    def make(
        data: dict[str, Any] | None = None, variables: dict[str, str] | None = None, **options: Any
    ) -> TrainRequest:
        work = tmp_path / f"work-{len(list(tmp_path.glob('work-*')))}"
        work.mkdir()
        given = {"train": "train.parquet", "evaluate": "evaluate.parquet", "label": "y", **(data or {})}
        return TrainRequest(
            root=tmp_path,
            work=work,
            data=DataInputs(**given),
            options=TrainInputs(**{"cross_validation": 0, **options}),
            variables=variables or {},
            digests=Digests(),
            say=lambda text: None,
            read=read_table,
        )

    return make


@pytest.fixture
def write_data(tmp_path: Path) -> Callable[[pd.DataFrame], None]:
    """Write a frame as training rows, and its first rows as evaluation rows."""

    def write(frame: pd.DataFrame) -> None:
        frame.to_parquet(tmp_path / "train.parquet", index=False)
        frame.head(10).to_parquet(tmp_path / "evaluate.parquet", index=False)

    return write
