"""The fixtures of this folder."""

from forge_jobs import forge, github_variables, gitlab_variables, mlci, side

__all__ = ["forge", "github_variables", "gitlab_variables", "mlci", "side"]
