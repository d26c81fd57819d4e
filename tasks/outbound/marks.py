"""Marks, by which our posts are found again and Mattermost itself refuses duplicates.

Each post holds its message's key in ``props``, which Mattermost stores and returns. The key is
computed from the message alone. So a worker recognises the posts of an earlier attempt, even
without knowing about that attempt.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from ireserve_mattermost.lanes import Lane
from tasks.mattermost import Post

PROPS_KEY = "ireserve"
# Half of a SHA-256: two messages practically never have the same key.
_DIGEST_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of a message's posts. The posts of one message differ by their part."""

    digest: str

    @classmethod
    def of(cls, lane: Lane, key: str) -> Self:
        """Return the mark of the message with this key in its lane."""
        return cls(hashlib.sha256(f"{lane}\0{key}".encode()).hexdigest()[:_DIGEST_LENGTH])

    def props(self, part: str, **more: Any) -> dict[str, Any]:
        """Return the props of one part; ``more`` is stored in the mark too."""
        return {PROPS_KEY: {"key": self.digest, "part": part, **more}}

    def pending_post_id(
        self, *, bot_user_id: str, secret: str, root_post_id: str, part: str
    ) -> str:
        """Return the id by which Mattermost recognises the same request for 30 s.

        The id must not be guessable: a member who knew it could make the server return another
        post. A new root post gives a new id, since the same text under a new root is a new post.
        """
        text = f"{self.digest}\0{root_post_id}\0{part}".encode()
        return (
            f"{bot_user_id}:{hmac.digest(secret.encode(), text, 'sha256').hex()[:_DIGEST_LENGTH]}"
        )

    def parts_among(self, posts: Iterable[Post], *, bot_user_id: str) -> dict[str, Post]:
        """Return the message's posts by part; posts of other users than the bot are ignored."""
        found: dict[str, Post] = {}
        for post in posts:
            mark = mark_of(post)
            is_ours = post.user_id == bot_user_id and mark.get("key") == self.digest
            if is_ours and not post.delete_at_ms:
                found.setdefault(str(mark.get("part")), post)
        return found


def mark_of(post: Post) -> dict[str, Any]:
    """Return our mark in the post's props, or {} if it has none."""
    mark = post.props.get(PROPS_KEY)
    return mark if isinstance(mark, dict) else {}
