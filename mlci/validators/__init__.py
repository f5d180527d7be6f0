"""Checks data against expectations: one file of this folder for each validation library."""

from mlci.core.ports import Validator
from mlci.core.registry import Registry

VALIDATORS: Registry[Validator] = Registry("mlci.validators", "validator")
