"""Scores a model that cannot be loaded here: in the project's Python, or in the model's own environment."""

from __future__ import annotations

from mlci.elsewhere.ways import Asked, Way, score_where_it_loads

__all__ = ["Asked", "Way", "score_where_it_loads"]
