"""The card on a conversation's root post, as a member sees it."""

from __future__ import annotations

from tests.stage.stage import Stage

QUESTION = "Is het huis nog vrij?"


def root_of(stage: Stage) -> tuple[str, str]:
    """Return the message of the only root post, and the line of its card."""
    (root,) = [post for post in stage.channel_posts() if not post.root_id]
    (attachment,) = root.props["attachments"]
    return root.message, attachment["text"]
