"""Which of our bot's posts a webhook told of: kept in Redis for the doctor's round trip."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import PREFIX

# How long the note about a webhook for our own post is kept: the doctor's round trip takes seconds.
SEEN_FOR_S = 60


def note_own_posts(redis: Redis, post_ids: Sequence[str]) -> None:
    """Note that a webhook told of these posts of our bot, if Redis answers."""
    with suppress(RedisError), redis.pipeline(transaction=False) as pipeline:
        for post_id in post_ids:
            pipeline.set(_key(post_id), 1, ex=SEEN_FOR_S)
        pipeline.execute()


def has_seen(redis: Redis, post_id: str) -> bool:
    """Return whether a webhook has told of this post of our bot."""
    return bool(redis.exists(_key(post_id)))


def _key(post_id: str) -> str:
    return f"{PREFIX}seen:{post_id}"
