"""Late posts: posts that come into a thread with a time before the last look.

A post that is attached to a thread or imported keeps its old time, so no list of changes has it.
Therefore some looks also compare the channel's newest posts with the inbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from models import utc_now
from tasks.licences.access import LicenceAccess
from tasks.mattermost import Allowance, AllowanceSpentError, MattermostClient, Post
from tasks.replies.changed_replies import unknown_replies
from tasks.replies.channel_changes import PAGE_SIZE, slim
from tasks.replies.live_channels import LiveChannel
from tasks.replies.look_notes import LookNotes
from tasks.replies.meaning import why_ignored
from tasks.runtime import Runtime

# The age up to which a post is taken in late, if its channel was active within the same time. An
# older post may have been recorded, and its reply removed by retention.
LATE_BY = timedelta(days=1)
# Only one look in this many compares posts, since that reads a whole page of the channel.
EVERY_LOOKS = 5
# The client asks for a page with large posts in parts; these are the limits of one comparison.
MAX_REQUESTS = 20
MAX_BYTES = 16 * 1024 * 1024


def late_posts(
    runtime: Runtime,
    licence: LicenceAccess,
    channel: LiveChannel,
    *,
    since_ms: int,
    on_page: Callable[[], None],
) -> list[Post]:
    """Return replies from before ``since_ms`` that are not in the inbox, if it is time to look.

    Raises:
        MattermostError: the server cannot be asked, or refuses.
    """
    notes = LookNotes(runtime.redis, licence.id)
    every_s = EVERY_LOOKS * runtime.settings.catch_up_interval_s
    is_quiet = channel.last_active_at is None or channel.last_active_at < utc_now() - LATE_BY
    if is_quiet or not notes.may_look_for_late_posts(channel.id, every_s=every_s):
        return []
    on_page()
    page = _newest(runtime.clients.of(licence), channel.id)
    old = _replies_before(page, since_ms, bot_user_id=licence.bot_user_id)
    with runtime.database.reading() as connection:
        unknown = unknown_replies(connection, licence.id, old)
    fresh = notes.note_late_posts([post.id for post in unknown]) if unknown else set()
    return [post for post in unknown if post.id in fresh]


def _newest(client: MattermostClient, channel_id: str) -> list[Post]:
    with Allowance(requests=MAX_REQUESTS, size_bytes=MAX_BYTES).running():
        try:
            return client.get_posts_page(channel_id, per_page=PAGE_SIZE)
        except AllowanceSpentError:
            return []


def _replies_before(page: Sequence[Post], since_ms: int, *, bot_user_id: str) -> list[Post]:
    oldest_ms = round((utc_now() - LATE_BY).timestamp() * 1_000)
    return [
        slim(post)
        for post in page
        if oldest_ms < post.create_at_ms
        and post.update_at_ms <= since_ms
        and why_ignored(post, bot_user_id=bot_user_id) is None
    ]
