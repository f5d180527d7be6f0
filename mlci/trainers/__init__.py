"""Ways to get a model: one file of this folder for each, named like the key of `train` that asks for it."""

from mlci.core.ports import Trainer
from mlci.core.registry import Registry

TRAINERS: Registry[Trainer] = Registry("mlci.trainers", "trainer")
