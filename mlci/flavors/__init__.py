"""Loads models: one file of this folder for each format that a model can be saved in."""

from mlci.flavors._find import FLAVORS, find_model, load_model

__all__ = ["FLAVORS", "find_model", "load_model"]
