"""What a worker asks about a reply while it records it: the post, its thread and its author."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from models import Visibility
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, Member, Post, Reason, RefusedError
from tasks.outbound.marks import mark_of
from tasks.replies import owners
from tasks.replies.authors import Author, Members, author_of
from tasks.replies.backoff import PostponedError, Trouble
from tasks.replies.colleagues import Colleagues
from tasks.replies.content import PostText
from tasks.replies.known_reply import KnownReply, lacks_files
from tasks.replies.meaning import Facts, ThreadKind, begins_a_thread
from tasks.replies.owners import ThreadOwner
from tasks.runtime import Runtime

_members = Members()
_colleagues = Colleagues()


@dataclass(frozen=True, slots=True)
class ReplyJob:
    """A reply that is being recorded, and what that needs; ``extend`` keeps the reply's lock."""

    runtime: Runtime
    licence: LicenceAccess
    client: MattermostClient
    known: KnownReply
    extend: Callable[[], None]


def ask_for_post(job: ReplyJob) -> Post:
    """Return the post, even if it was deleted.

    Raises:
        PostponedError: there is no such post, or a replica that lags behind lacks it.
        MattermostError: the server could not say.
    """
    try:
        return job.client.get_post(job.known.post_id)
    except RefusedError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
    job.extend()
    # This request also returns deleted posts, and posts that are missing on a replica only.
    found = job.client.get_posts_by_ids([job.known.post_id])
    if not found:
        raise PostponedError(
            Trouble.NOT_THERE, Reason.NOT_FOUND.value, "The server knows no such post."
        )
    return found[0]


class PostFacts:
    """The facts about one post, each of which is asked for once, when it is first needed.

    Each may raise ``MattermostError`` if the server cannot answer.
    """

    def __init__(self, job: ReplyJob, post: Post) -> None:
        self._job = job
        self.post = post

    def for_rules(self) -> Facts:
        """Return the facts as the rules of ``meaning`` take them."""
        return Facts(
            self.post,
            self._job.licence.bot_user_id,
            recorded_at_ms=self._job.known.recorded_at_ms,
            now_ms=self._job.client.answer_headers.now_ms(),
            mode=self._job.licence.reply_mode,
            went_with_its_thread=self._went_with_its_thread,
            thread=lambda: self.thread,
            is_by_a_bot=lambda: self.member is not None and self.member.is_bot,
            is_a_note=lambda: self.post_text.begins_a_note or self._speaks_to_a_colleague(),
            is_a_command=lambda: self.post_text.begins_a_command,
            is_empty=lambda: self.post_text.is_blank and not self.post.file_ids,
            lacks_a_prefix=lambda: self.post_text.visitor_text is None,
            unchanged_visibility=self._unchanged_visibility,
        )

    def _went_with_its_thread(self) -> bool:
        """Return whether the post was deleted together with its root, which takes nothing back."""
        job = self._job
        if job.known.is_taken_back or not self.post.root_id:
            return False
        job.extend()
        roots = job.client.get_posts_by_ids([self.post.root_id])
        return any(root.delete_at_ms == self.post.delete_at_ms for root in roots)

    @cached_property
    def owner(self) -> ThreadOwner | None:
        """The conversation that the post belongs to, within this licence."""
        known = self._job.known
        if known.conversation_row is not None and known.conversation_id is not None:
            # The conversation may have got another thread since, so the root post is not looked up.
            return ThreadOwner(known.conversation_row, known.conversation_id)
        with self._job.runtime.database.reading() as connection:
            return owners.find_owner(connection, known.licence_id, self.post.root_id)

    @cached_property
    def thread(self) -> ThreadKind:
        """Whose thread the post is in."""
        if self.owner is not None:
            return ThreadKind.OF_A_CONVERSATION
        self._job.extend()
        try:
            root = self._job.client.get_post(self.post.root_id)
        except RefusedError:
            return ThreadKind.UNKNOWN
        return self._kind_of_thread(root)

    def _kind_of_thread(self, root: Post) -> ThreadKind:
        """Return the kind of a thread that no conversation has (yet, or any more)."""
        licence, mark = self._job.licence, mark_of(root)
        if root.user_id != licence.bot_user_id or "key" not in mark:
            return ThreadKind.UNKNOWN
        if not begins_a_thread(root, bot_user_id=licence.bot_user_id):
            return ThreadKind.NOTIFICATION
        conversation_id = str(mark["conversation_id"])
        with self._job.runtime.database.reading() as connection:
            # The worker may have died between the root and the link.
            is_unlinked = owners.waits_for_a_thread(connection, licence.id, conversation_id)
        return ThreadKind.UNLINKED if is_unlinked else ThreadKind.MOVED

    def _unchanged_visibility(self) -> Visibility | None:
        """Return who may read the recorded version; None: its text or files differ from the post's.

        So neither new settings of the licence nor a reaction to the post changes a reply.
        """
        known = self._job.known
        if known.text is None or known.text != self.post_text.text or lacks_files(known.files):
            return None
        has_same_files = {file.file_id for file in known.files} == set(self.post.file_ids)
        return known.visibility if has_same_files else None

    def _speaks_to_a_colleague(self) -> bool:
        job, names = self._job, self.post_text.mentions
        if names:
            job.extend()
        return _colleagues.has_any(job.client, names, licence_id=job.licence.id)

    @cached_property
    def member(self) -> Member | None:
        """The author's account; None when it does not exist any more."""
        job = self._job
        job.extend()
        return _members.find(job.client, licence_id=job.licence.id, user_id=self.post.user_id)

    @cached_property
    def author(self) -> Author:
        """Who wrote the post, as i-Reserve knows it."""
        with self._job.runtime.database.reading() as connection:
            return author_of(
                connection,
                self.member,
                licence_id=self._job.licence.id,
                mattermost_id=self.post.user_id,
            )

    @cached_property
    def post_text(self) -> PostText:
        """The post's text, read by the licence's settings."""
        return PostText.for_licence(self.post.message, self._job.licence)
