"""What is asked about a reply before it can be recorded: its post, and whose thread it is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, Post, Reason, RefusedError
from tasks.replies import rows
from tasks.replies.patience import PostponedError, Trouble
from tasks.replies.posts import Ignored, begins_a_thread
from tasks.replies.rows import Known
from tasks.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Job:
    """A reply at work, and the means to record it; ``extend`` keeps it ours."""

    runtime: Runtime
    licence: LicenceAccess
    client: MattermostClient
    known: Known
    extend: Callable[[], None]


class IgnoredError(Exception):
    """The post is no reply after all."""

    def __init__(self, why: Ignored) -> None:
        super().__init__(why.value)
        self.why = why


def ask_for_post(job: Job) -> Post:
    """Return the post, also when it was deleted.

    Raises:
        PostponedError: there is none, or it is missing on a replica that lags behind.
        MattermostError: the server could not say.
    """
    try:
        return job.client.get_post(job.known.post_id)
    except RefusedError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
    job.extend()
    # Asked like this the server names deleted posts as well, and what is missing on a replica only.
    found = job.client.get_posts_by_ids([job.known.post_id])
    if not found:
        raise PostponedError(
            Trouble.NOT_THERE, Reason.NOT_FOUND.value, "The server knows no such post."
        )
    return found[0]


def find_conversation(job: Job, post: Post) -> tuple[int, str]:
    """Return row and id of the conversation that the post belongs to, within this licence.

    Raises:
        PostponedError: its thread may still be linked to a conversation.
        IgnoredError: its thread is none of this licence's.
        MattermostError: the server could not say.
    """
    known = job.known
    if known.conversation_row is not None and known.conversation_id is not None:
        # The conversation may have another thread by now.
        return known.conversation_row, known.conversation_id
    with job.runtime.database.transaction() as session:
        found = rows.find_conversation(session, job.licence.id, post.root_id)
    if found is not None:
        return found.id, found.conversation_id
    if _will_be_linked(job, post.root_id):
        raise PostponedError(
            Trouble.UNLINKED,
            Ignored.UNKNOWN_THREAD.value,
            f"No conversation has the thread {post.root_id} yet.",
        )
    raise IgnoredError(Ignored.UNKNOWN_THREAD)


def _will_be_linked(job: Job, root_post_id: str) -> bool:
    """Say whether the thread may be one of ours whose worker died before it stored the link."""
    with job.runtime.database.transaction() as session:
        if not rows.has_conversation_without_thread(session, job.licence.id):
            return False
    job.extend()
    try:
        root = job.client.get_post(root_post_id)
    except RefusedError:
        return False
    return begins_a_thread(root, bot_user_id=job.licence.bot_user_id)
