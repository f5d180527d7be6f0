"""The policy: what in mlci.yaml decides how a model is judged and where it goes, and who may change it unseen: nobody.

In a pull request the rules are those of the commit that it is based on; what the request would change is said first.
"""

from mlci.policy.compare import compare, digest, headline, in_words
from mlci.policy.rules import rules_of, take_over
from mlci.policy.under_review import NOT_HELD, policy_here, policy_under, rules_in_force

__all__ = [
    "NOT_HELD",
    "compare",
    "digest",
    "headline",
    "in_words",
    "policy_here",
    "policy_under",
    "rules_in_force",
    "rules_of",
    "take_over",
]
