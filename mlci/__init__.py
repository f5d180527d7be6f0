"""CI/CD for machine-learning repositories: one command per stage, one verdict per change."""

__version__ = "0.1.0"
