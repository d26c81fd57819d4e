"""Send a post once: when the answer is lost, look for the post before deciding anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from tasks.failures import SendFailedError, UndecidedError
from tasks.mattermost import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    Post,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.outbound.job import Job
from tasks.outbound.ledger import Begun
from tasks.outbound.marks import Mark

# A server that did not answer within 20 s may still be at work on the post: when it is not there
# at once, it is looked for a second time after as long again.
LOOK_AGAIN_S = 20.0
# A channel's newest posts are read back to this long before the message was begun, for our clock
# and the server's may differ.
CLOCK_MARGIN = timedelta(minutes=5)
PAGE_SIZE = 200
# 20,000 posts: a channel so busy within five minutes is not one that people read.
MAX_PAGES = 100

_Found = TypeVar("_Found")


def post_once(create: Callable[[], Post], find: Callable[[], Post | None]) -> Post:
    """Return the post that ``create`` made, also when its answer was lost on the way.

    Raises:
        UndecidedError: the post was sent off and cannot be looked for yet.
        MattermostError: it was not made.
    """
    try:
        return create()
    except OutcomeUnknownError as error:
        found = look(find, because=error, sent_off=True)
        if found is not None:
            return found
        if error.reason is Reason.TIMEOUT:
            raise _undecided(error, sent_off=True) from None
        raise


def look(find: Callable[[], _Found], *, because: MattermostError | None, sent_off: bool) -> _Found:
    """Return what ``find`` finds.

    Raises:
        UndecidedError: the server cannot be asked now.
    """
    try:
        return find()
    except (NotSentError, OutcomeUnknownError, RateLimitedError) as error:
        raise _undecided(because or error, sent_off=sent_off) from None


def _undecided(error: MattermostError, *, sent_off: bool) -> UndecidedError:
    return UndecidedError(
        error.reason,
        f"{error} Whether it arrived is not known yet.",
        look_again_s=LOOK_AGAIN_S,
        sent_off=sent_off,
        cause=error,
    )


def did_not_arrive(begun: Begun) -> SendFailedError:
    """Return the failure of a message that was sent off and, now that we can look, is not there."""
    return SendFailedError(
        Reason(begun.reason or Reason.TIMEOUT),
        "It was sent off, the answer was lost, and it is not in Mattermost.",
    )


def find_in_thread(job: Job, mark: Mark, root_post_id: str) -> dict[str, Post]:
    """Return the message's posts in the thread, by part; none if the thread is gone."""
    job.extend()
    try:
        posts = job.client.get_thread(root_post_id)
    except RefusedError as error:
        if error.reason is Reason.NOT_FOUND:
            return {}
        raise
    return mark.parts_among(posts, bot_user_id=job.licence.bot_user_id)


def find_in_channel(job: Job, mark: Mark, channel_id: str, begun_at: datetime) -> dict[str, Post]:
    """Return the message's posts among those that the channel got since it was begun."""
    oldest_ms = round((begun_at - CLOCK_MARGIN).timestamp() * 1_000)
    for page in range(MAX_PAGES):
        job.extend()
        posts = job.client.get_posts_page(channel_id, page=page, per_page=PAGE_SIZE)
        found = mark.parts_among(posts, bot_user_id=job.licence.bot_user_id)
        if found:
            return found
        if len(posts) < PAGE_SIZE or posts[-1].create_at_ms < oldest_ms:
            break
    return {}
