"""Versions code and data: one file of this folder for each system."""
