"""What a model needs is read from the files that MLflow writes beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlci.core.errors import MlciError
from mlci.elsewhere.requirements import Needs, needs_of


def test_requirements_without_mlflow_for_a_file_that_opens_without_it(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "# made by MLflow\n--index-url x\nmlflow==3.1\nscikit-learn==1.6.1  # why\nskops==0.13.0\npandas<3\n"
    )
    (tmp_path / "python_env.yaml").write_text("python: 3.10.4\n")
    packages = ("scikit-learn==1.6.1", "skops==0.13.0", "pandas<3", "pyarrow")
    assert needs_of(tmp_path, "skops") == Needs("3.10", packages)
    assert "mlflow==3.1" in needs_of(tmp_path, "python_function").packages
    assert needs_of(tmp_path, "pickle").packages[-1] == "cloudpickle"


def test_conda_is_read_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text(
        "dependencies:\n- python=3.12.1\n- pip<=24\n- pip:\n  - mlflow\n  - lightgbm==4.5\n"
    )
    assert needs_of(tmp_path, "python_function") == Needs(
        "3.12", ("mlflow", "lightgbm==4.5", "pandas", "pyarrow")
    )


@pytest.mark.parametrize("line", ["evil @ https://example.org/evil.whl", "git+ssh://host/x", "./wheel.whl"])
def test_a_package_named_by_an_address_is_not_fetched(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"pandas\n{line}\n")
    with pytest.raises(MlciError, match="by its address") as caught:
        needs_of(tmp_path, "skops")
    assert caught.value.code == "baseline.environment"


def test_a_model_without_requirements_says_so(tmp_path: Path) -> None:
    with pytest.raises(MlciError, match=r"neither requirements\.txt nor conda\.yaml"):
        needs_of(tmp_path, "skops")
