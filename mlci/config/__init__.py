"""Finds, reads, validates and explains mlci.yaml."""

from mlci.config.load import Config, Replace, Value, find_file, load_config

__all__ = ["Config", "Replace", "Value", "find_file", "load_config"]
