"""Plots as data: what a picture of a verdict would show, for any face or tool that draws."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from mlci.core.results import SCHEMA_VERSION, Word


class Series(Word):
    """The points of one line, or of one set of marks; `x`, `y`, `low`, `high` and `labels` have one entry a point."""

    name: str = Field(description="Whose points these are: baseline, candidate, change.")
    x: list[float] = Field([])
    y: list[float] = Field([])
    low: list[float] | None = Field(None, description="Lower bounds of x in a forest, else of y.")
    high: list[float] | None = None
    rows: list[int] | None = Field(None, description="Rows behind each point.")
    labels: list[str] | None = Field(None, description="Name of each point, such as a slice.")
    verdicts: list[str] | None = Field(None, description="Verdict in words on each point.")

    @model_validator(mode="after")
    def _equal_lengths(self) -> Self:
        given = [self.x, self.y or None, self.low, self.high, self.rows, self.labels, self.verdicts]
        lengths = {len(values) for values in given if values is not None}
        if len(lengths) > 1:
            raise ValueError(f"a series has lists of several lengths: {sorted(lengths)}")
        return self


class Plot(Word):
    """One picture: what its axes say, its series, and a line to compare with."""

    kind: Literal["forest", "roc", "precision-recall", "calibration", "residuals"]
    title: str
    x: str = Field(description="What the x axis says, with its unit.")
    y: str = Field("", description="What the y axis says; empty in a forest, whose rows are named.")
    metric: str | None = Field(None, description="The metric that a forest is about.")
    about: str | None = Field(
        None, description="The class against all others, or the label of several, that curves are about."
    )
    limit: float | None = Field(None, description="Where the gate's limit lies, on the x axis of a forest.")
    series: list[Series]


class Plots(Word):
    """All pictures of one verdict."""

    schema_version: str = SCHEMA_VERSION
    plots: list[Plot]
