"""Explains a verdict: how a gate came to it, and what changed on a slice."""

from __future__ import annotations

from mlci.explaining.explanation import Explanation, as_text
from mlci.explaining.gates import explain_gate
from mlci.explaining.slices import explain_slice

__all__ = ["Explanation", "as_text", "explain_gate", "explain_slice"]
