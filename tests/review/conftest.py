"""The fixtures of this folder."""

from conftest_review import forge, mlci

__all__ = ["forge", "mlci"]
