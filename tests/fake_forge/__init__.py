"""A forge on loopback that behaves as GitHub and GitLab do, and refuses what they would refuse."""

from fake_forge.records import ACTIONS, REPOSITORY, Account, Fault, PullRequest, Request
from fake_forge.server import FakeForge

__all__ = ["ACTIONS", "REPOSITORY", "Account", "FakeForge", "Fault", "PullRequest", "Request"]
