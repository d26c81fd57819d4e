"""Create a post exactly once: look for posts of an earlier attempt, post, and look again if needed.

Every kind of post that must exist once goes through ``find_earlier`` and ``post_marked``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ireserve_mattermost.lanes import LockLostError
from tasks.failures import SendFailedError, UndecidedError
from tasks.mattermost import (
    FileInfo,
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    Post,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.mattermost.exchange import SendTooLateError
from tasks.outbound.job import Attempt, Job
from tasks.outbound.refusals import explain_refusals
from tasks.outbound.undecided import stopped_error, undecided_error

# A post that the server is still making usually exists within a moment. Mattermost recognises the
# request for 30 s. If the post does not exist by then, the server has given it up.
BEING_MADE_S = 30.0
FIRST_LOOK_S = 2.0
# The error's id if two first replies of a thread collide. The server has not stored this reply, so
# that it can be posted again. Other errors of the database have this id too: look for the post.
NOTHING_STORED = "app.post.save.app_error"
# How far before the message's beginning a channel's newest posts are searched: our clock and the
# server's may differ.
CLOCK_MARGIN = timedelta(minutes=5)
PAGE_SIZE = 200
# At most 20,000 posts are searched: no channel that people read has more in five minutes.
MAX_PAGES = 100

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a message's posts: a thread or, without a root post, a channel."""

    channel_id: str
    root_post_id: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A post to create: one part of a message.

    ``props`` are props that Mattermost interprets. ``mark_data`` is stored in the post's mark.
    """

    part: str
    message: str = ""
    files: Sequence[FileInfo] = ()
    props: Mapping[str, Any] = field(default_factory=dict)
    mark_data: Mapping[str, Any] = field(default_factory=dict)


def find_earlier(job: Job, attempt: Attempt, place: Place) -> None:
    """Add the posts of earlier attempts to ``attempt``; do not look for a new message.

    Raises:
        UndecidedError: the server cannot be asked now.
        SendFailedError: a request was sent, its answer was lost, and its post does not exist.
    """
    begun = attempt.begun
    if not begun.must_look:
        return
    found = _look(lambda: _find(job, attempt, place), because=None, sent_off=False)
    # The existing posts decide an attempt whose answer was lost. If there is one more than was
    # known then, the post has arrived, and the posts after it were not tried. Otherwise it failed.
    if begun.is_unsettled and len(found) <= begun.post_count:
        reason = Reason(begun.reason or Reason.TIMEOUT)
        if reason is Reason.BEING_MADE:
            raise _still_being_made()
        raise SendFailedError(
            reason, "It was sent off, the answer was lost, and it is not in Mattermost."
        )
    attempt.posts.update(found)


def _still_being_made() -> UndecidedError:
    """Return the error that asks for a last look when the server forgets the request.

    Its reason is no longer ``being_made``, so that the next look is the last.
    """
    return UndecidedError(
        Reason.SERVER_ERROR,
        "The server said that it was making the post, and it is not there yet.",
        look_again_s=BEING_MADE_S - FIRST_LOOK_S,
        sent_off=True,
        cause=OutcomeUnknownError(Reason.BEING_MADE),
    )


def post_marked(job: Job, attempt: Attempt, place: Place, draft: Draft) -> Post:
    """Return the draft's post from ``attempt``, or create it and add it to ``attempt``.

    Raises:
        UndecidedError: it is not known yet whether the post was created.
        SendFailedError, MattermostError: the post was not created.
    """
    if draft.part not in attempt.posts:
        attempt.posts[draft.part] = _post_once(job, attempt, place, draft)
    return attempt.posts[draft.part]


def _post_once(job: Job, attempt: Attempt, place: Place, draft: Draft) -> Post:
    """Create the draft's post and return it, also if the server's answer was lost."""
    try:
        return _post(job, attempt, place, draft)
    except NotSentError as error:
        if error.reason is Reason.STOPPED:
            raise stopped_error(error) from None
        raise
    except OutcomeUnknownError as error:
        found = _look(lambda: _find(job, attempt, place), because=error, sent_off=True)
        if draft.part in found:
            return found[draft.part]
        if place.root_post_id and error.error_id == NOTHING_STORED:
            return _post(job, attempt, place, draft)
        if error.reason is Reason.TIMEOUT:
            raise undecided_error(error, sent_off=True) from None
        if error.reason is Reason.BEING_MADE:
            raise undecided_error(error, sent_off=True, look_again_s=FIRST_LOOK_S) from None
        raise


def _post(job: Job, attempt: Attempt, place: Place, draft: Draft) -> Post:
    job.extend()
    try:
        return _create(job, attempt, place, draft)
    except SendTooLateError:
        # This process was paused in between, and another worker may hold the lane by now.
        raise LockLostError("the worker stood still directly before it sent a message") from None


def _create(job: Job, attempt: Attempt, place: Place, draft: Draft) -> Post:
    with explain_refusals(job, place.channel_id):
        return job.client.create_post(
            channel_id=place.channel_id,
            root_id=place.root_post_id,
            message=draft.message,
            file_ids=[file.id for file in draft.files],
            props={**draft.props, **attempt.mark.props(draft.part, **draft.mark_data)},
            pending_post_id=attempt.mark.pending_post_id(
                bot_user_id=job.licence.bot_user_id,
                secret=job.licence.token,
                root_post_id=place.root_post_id,
                part=draft.part,
            ),
            send_by=job.send_by(),
        )


def _look(find: Callable[[], _Found], *, because: MattermostError | None, sent_off: bool) -> _Found:
    """Return the result of ``find``.

    Raises:
        UndecidedError: the server cannot be asked now.
    """
    try:
        return find()
    except (NotSentError, OutcomeUnknownError, RateLimitedError) as error:
        raise undecided_error(because or error, sent_off=sent_off, question=error) from None


def _find(job: Job, attempt: Attempt, place: Place) -> dict[str, Post]:
    """Return the message's existing posts by part."""
    if place.root_post_id:
        return _find_in_thread(job, attempt, place.root_post_id)
    return _find_in_channel(job, attempt, place.channel_id, attempt.begun.started_at)


def _find_in_thread(job: Job, attempt: Attempt, root_post_id: str) -> dict[str, Post]:
    """Return the message's posts in the thread by part; none if the thread was deleted."""
    job.extend()
    try:
        posts = job.client.get_thread(root_post_id, on_page=job.extend)
    except RefusedError as error:
        if error.reason is Reason.NOT_FOUND:
            return {}
        raise
    return attempt.mark.parts_among(posts, bot_user_id=job.licence.bot_user_id)


def _find_in_channel(
    job: Job, attempt: Attempt, channel_id: str, begun_at: datetime
) -> dict[str, Post]:
    """Return the message's posts by part among the channel's posts since the message was begun."""
    oldest_ms = round((begun_at - CLOCK_MARGIN).timestamp() * 1_000)
    for page in range(MAX_PAGES):
        job.extend()
        posts = job.client.get_posts_page(channel_id, page=page, per_page=PAGE_SIZE)
        found = attempt.mark.parts_among(posts, bot_user_id=job.licence.bot_user_id)
        if found:
            return found
        if len(posts) < PAGE_SIZE or posts[-1].create_at_ms < oldest_ms:
            break
    return {}
