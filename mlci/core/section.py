"""One section of mlci.yaml, or a part of one: the base of all typed inputs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from mlci.core.names import kebab


class Inputs(BaseModel):
    """The inputs of one section of mlci.yaml. Keys are written in kebab-case."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=kebab,
        populate_by_name=True,
        defer_build=True,
        allow_inf_nan=False,
    )
