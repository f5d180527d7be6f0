"""Turns a report into text: one file of this folder for each format."""

from mlci.core.ports import Reporter
from mlci.core.registry import Registry

REPORTERS: Registry[Reporter] = Registry("mlci.reporters", "reporter")
