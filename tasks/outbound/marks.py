"""Marks: how our posts are found again, and how Mattermost itself refuses a double.

Each post carries its message's key in ``props``, which Mattermost keeps and returns with every
read. The key is derived from the message alone, so that even a worker that knows nothing of an
earlier attempt recognises what it left behind.
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
# Half of a SHA-256: far beyond any chance of two messages with one key.
_DIGEST_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Mark:
    """What the posts of one message carry. A message of several posts numbers them as parts."""

    digest: str

    @classmethod
    def of(cls, lane: Lane, key: str) -> Self:
        """Return the mark of the message with this key in its lane."""
        return cls(hashlib.sha256(f"{lane}\0{key}".encode()).hexdigest()[:_DIGEST_LENGTH])

    def props(self, part: str, **more: Any) -> dict[str, Any]:
        """Return the props of one part; ``more`` is kept beside the key."""
        return {PROPS_KEY: {"key": self.digest, "part": part, **more}}

    def pending_post_id(
        self, *, bot_user_id: str, secret: str, root_post_id: str, part: str
    ) -> str:
        """Return the id by which Mattermost recognises the same request for 30 s.

        It must not be guessable: a member who knew it could make the server return another post.
        A new root makes a new id, for the same text under a new root is a new post.
        """
        text = f"{self.digest}\0{root_post_id}\0{part}".encode()
        return (
            f"{bot_user_id}:{hmac.digest(secret.encode(), text, 'sha256').hex()[:_DIGEST_LENGTH]}"
        )

    def parts_among(self, posts: Iterable[Post], *, bot_user_id: str) -> dict[str, Post]:
        """Return our message's posts by part; only the bot can have made one."""
        found: dict[str, Post] = {}
        for post in posts:
            mark = mark_of(post)
            is_ours = post.user_id == bot_user_id and mark.get("key") == self.digest
            if is_ours and not post.delete_at_ms:
                found.setdefault(str(mark.get("part")), post)
        return found


def mark_of(post: Post) -> dict[str, Any]:
    """Return our mark on the post, or {} if we did not write it."""
    mark = post.props.get(PROPS_KEY)
    return mark if isinstance(mark, dict) else {}
