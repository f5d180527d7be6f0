"""YAML is read as version 1.2 and people read it, and whatever a file holds, mlci understands the problem."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlci.config import Config, load_config
from mlci.config.source import parse_text, read_file, read_yaml
from mlci.core.errors import MlciError
from mlci.stages import STAGES

STAGE_INPUTS = {stage.name: stage.inputs for stage in STAGES}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("-.5", -0.5),
        ("+3", 3),
        ("3.", 3.0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        (".inf", math.inf),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z"),
        ("0.5.1", "0.5.1"),
        ("'3'", "3"),
        ("!!str 3", "3"),
        ("=", "="),
    ],
)
def test_scalars_are_those_of_version_1_2(text: str, value: Any) -> None:
    found = parse_text(text, "here")
    assert found == value
    assert type(found) is type(value)
    assert math.isnan(parse_text(".nan", "here"))


def test_every_key_and_item_has_its_line() -> None:
    value, lines = read_yaml("a:\n  b: 1\n  c:\n    - x\n    - d: 2\n", "here")
    assert value == {"a": {"b": 1, "c": ["x", {"d": 2}]}}
    assert lines == {"a": 1, "a.b": 2, "a.c": 3, "a.c.0": 4, "a.c.1": 5, "a.c.1.d": 5}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3", "key 'a' stands twice in here (line 3)"),
        ("a:\n  b: 1\n  b: 2", "key 'a.b' stands twice in here (line 3)"),
        ("a: [1", "here, line 1"),
        ("a: b: c", "here, line 1"),
        ("a:\n\t- b", "here, line 2"),
        ("? [a]\n: b", "a key in here (line 1) is not text"),
        ("a: &x [*x]", "nested too deeply"),
        ("a: *x", "undefined alias"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: !!python/name:os.system x", "is not known"),
        ("a: !!timestamp x", "is not known"),
        ("a: !custom x", "is not known"),
        ("a: !!int x", "here is not valid YAML"),
        ("a: !!bool x", "here is not valid YAML"),
        ("a: \0", "here is not valid YAML"),
        ("a: " + "9" * 5000, "here is not valid YAML"),
        ("[" * 3000, "here"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_place(text: str, says: str) -> None:
    with pytest.raises(MlciError) as caught:
        read_yaml(text, "here")
    assert caught.value.code == "config.unreadable"
    assert says in caught.value.message
    assert caught.value.hint


def test_aliases_that_multiply_do_not_fill_the_memory() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    with pytest.raises(MlciError, match="too large"):
        read_yaml(text, "here")


def test_a_file_that_is_no_utf8_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mlci.yaml"
    path.write_bytes("project: caf\xe9".encode("latin-1"))
    with pytest.raises(MlciError, match=r"mlci.yaml is not UTF-8 text"):
        read_file(path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)
keys = st.sampled_from(
    ["project", "data", "tracking", *STAGE_INPUTS, "label", "params", "gates", "metric", "files", "timeout"]
)
trees = st.recursive(
    values, lambda inner: st.dictionaries(keys | st.text(max_size=4), inner, max_size=4), max_leaves=12
)


def loaded(text: str, overrides: dict[str, str] | None = None) -> Config | MlciError:
    """Return the configuration, or the error that mlci understands; any other exception is a bug."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlci.yaml"
        path.write_text(text, "utf-8", errors="replace")
        try:
            return load_config(path, STAGE_INPUTS, {}, overrides)
        except MlciError as error:
            return error


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet="a0:-[]{}&*!|>'\"%@`#?,~. \n\t<=", max_size=30),
        trees.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True)),
    )
)
def test_no_text_ends_in_anything_but_an_error_that_mlci_understands(text: str) -> None:
    found = loaded(text)
    if isinstance(found, MlciError):
        assert found.code in ("config.unreadable", "config.unknown-key", "config.invalid")
        assert found.message
    else:
        assert all(found.explain(name).source for name in found.sections)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(alphabet="abgtes.0123-", max_size=12)
    | st.sampled_from(["train.params.a.b", "train.params", "compare-to-baseline.gates.0.metric"]),
    st.text(max_size=20),
    values,
)
def test_no_override_ends_in_anything_but_an_error_that_mlci_understands(
    key: str, text: str, params: Any
) -> None:
    found = loaded(yaml.safe_dump({"train": {"params": params}}), {key: text})
    assert isinstance(found, Config) or found.code.startswith("config.")
