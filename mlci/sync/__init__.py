"""Everything that is derived from the stages' inputs: wrappers for CI systems and reference pages.

Adding a generated thing is adding one file to this folder, with an attribute `kind`.
"""

from __future__ import annotations

from mlci.core.registry import Registry
from mlci.sync._tree import Kind

KINDS: Registry[Kind] = Registry("mlci.sync", "kind")
