"""The comment of a change: one for all its models, kept up to date, written where the change is reviewed."""

from mlci.comments.sticky import MODES, Message, Mode, Posted, post

__all__ = ["MODES", "Message", "Mode", "Posted", "post"]
