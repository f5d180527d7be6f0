"""The ways to name a model version."""

from __future__ import annotations

import pytest

from mlci.core.errors import MlciError
from mlci.trackers._model_uri import ModelUri, parse_model_uri


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("models:/churn@champion", ModelUri("churn", "alias", "champion")),
        ("models:/churn/3", ModelUri("churn", "version", "3")),
        ("models:/churn/003", ModelUri("churn", "version", "3")),
        ("models:/churn/latest", ModelUri("churn", "latest", "")),
        ("models:/churn@latest", ModelUri("churn", "latest", "")),
        ("models:/a b.c-d'e@x-1", ModelUri("a b.c-d'e", "alias", "x-1")),
        ("models:/me@home@x", ModelUri("me@home", "alias", "x")),
    ],
)
def test_names_of_versions(uri: str, expected: ModelUri) -> None:
    assert parse_model_uri(uri) == expected


@pytest.mark.parametrize(
    "uri",
    ["", "churn", "models:/churn", "models:/churn@", "models:/churn/Staging", "models://churn/3",
     "models:/a/b/3", "models:/churn/3\n", "runs:/abc/model", "models:/churn/-1", "models:/churn/٣"],
)  # fmt: skip
def test_other_text_is_refused(uri: str) -> None:
    with pytest.raises(MlciError) as caught:
        parse_model_uri(uri)
    assert caught.value.code == "config.invalid"
    assert "models:/name@alias" in caught.value.hint
