"""The check of the round trip: the bot posts, and Mattermost calls our webhook for the post."""

from __future__ import annotations

import time

from redis import Redis
from redis.exceptions import RedisError

from tasks.checks.check import Check, failed, passed, skipped
from tasks.mattermost import MattermostClient, MattermostError
from tasks.mattermost.exchange import Stopping
from tasks.outbound.marks import PROPS_KEY
from tasks.rendering.wording import Wording
from tasks.watch.seen_posts import has_seen

NAME = "round trip"
# Mattermost calls within a second. A busy server or a slow proxy may take this time.
WAIT_S = 15.0
POLL_S = 0.05

_CURE = (
    "Check that the web process runs, that the webhook's callback URL and token are right, and "
    "that AllowedUntrustedInternalConnections on the server names the web process' host if its "
    "address is an internal one. Mattermost itself must trust the web process' certificate: our "
    "CA_BUNDLE does not tell it whom to trust."
)


def check_round_trip(
    client: MattermostClient,
    redis: Redis,
    *,
    channel_id: str,
    wording: Wording,
    stopping: Stopping,
    wait_s: float = WAIT_S,
) -> Check:
    """Post as the bot, wait for the webhook's call, and delete the post.

    Raises:
        MattermostError: the post could not be made.
    """
    if stopping.is_set():
        return skipped(NAME, "the doctor was broken off")
    post = client.create_post(
        channel_id=channel_id, message=wording.round_trip, props={PROPS_KEY: {"round_trip": True}}
    )
    try:
        seconds = _wait(redis, post.id, wait_s, stopping)
    except RedisError:
        return failed(NAME, "Redis cannot be asked for the webhook's call", "Check REDIS_URL.")
    finally:
        is_gone = _remove(client, post.id)
    if not is_gone:
        return failed(NAME, f"the test post {post.id} could not be deleted", "Delete it by hand.")
    if seconds is None:
        return failed(NAME, f"no webhook told of the post within {wait_s:.0f} s", _CURE)
    return passed(NAME, f"the webhook told of the post after {seconds:.2f} s")


def _remove(client: MattermostClient, post_id: str) -> bool:
    try:
        client.delete_post(post_id)
    except MattermostError:
        return False
    return True


def _wait(redis: Redis, post_id: str, wait_s: float, stopping: Stopping) -> float | None:
    started = time.monotonic()
    while time.monotonic() - started < wait_s and not stopping.is_set():
        if has_seen(redis, post_id):
            return time.monotonic() - started
        time.sleep(POLL_S)
    return None
