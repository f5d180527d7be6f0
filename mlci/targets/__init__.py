"""Receives a deployment: one file of this folder for each place that a model can be put into service."""

from mlci.core.ports import Target
from mlci.core.registry import Registry

TARGETS: Registry[Target] = Registry("mlci.targets", "target")
