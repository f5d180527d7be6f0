"""The policy: what in mlci.yaml decides how a model is judged and where it goes, and who may change it unseen: nobody.

In a pull request the rules are those of the commit that it is based on; what the request would change is said first.
"""

from mlci.policy.compare import compare, digest, headline, in_words
from mlci.policy.rules import Rules, rules_of, take_over

__all__ = ["Rules", "compare", "digest", "headline", "in_words", "rules_of", "take_over"]
