"""The root post as a card: its contents, and how the card is kept up to date.

The card is written whole from the database, and never read back. A change of the conversation is
stored first. If a worker dies before the root post shows the change, the sweep draws the card.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import select, update

from models import Conversation, ConversationState, Licence, ReplyMode, User
from tasks.failures import UndecidedError
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostError, RefusedError
from tasks.outbound.endings import is_caused_by_entry
from tasks.outbound.job import Job
from tasks.outbound.marks import Mark
from tasks.outbound.threads import Thread, note_drawn
from tasks.rendering import Card, CardState, render_card

log = structlog.get_logger(__name__)

# A root post is one post.
ROOT_PART = "1"
# With these props each root post has its own header with the bot's picture, even directly after
# another root post.
HEAD_LINE = {"from_webhook": "true", "use_user_icon": "true"}
# The error's id when the time for editing a post's message is over. Its props may still be changed.
TOO_LATE_TO_EDIT = "api.post.update_post.permissions_time_limit.app_error"

_STATES = {
    ConversationState.CLOSED: CardState.CLOSED,
    ConversationState.SNOOZED: CardState.SNOOZED,
    ConversationState.TAKEN: CardState.TAKEN,
}


@dataclass(frozen=True, slots=True)
class RootDraft:
    """The contents that a root post has to show."""

    message: str
    attachment: dict[str, Any]

    @property
    def digest(self) -> str:
        """The hash of the contents; two drafts with the same contents have the same digest."""
        text = json.dumps([self.message, self.attachment], sort_keys=True)
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]

    @property
    def props(self) -> dict[str, Any]:
        """The root post's props that Mattermost interprets."""
        return {**HEAD_LINE, "attachments": [self.attachment]}


def draft_root(thread: Thread, licence: LicenceAccess) -> RootDraft:
    """Return the contents that this thread's root post has to show."""
    card, locale = _card(thread, licence), licence.locale
    message, attachment = render_card(card, locale=locale, max_length=licence.max_post_size)
    return RootDraft(message, attachment)


def root_mark_data(thread: Thread) -> dict[str, Any]:
    """Return the data that a root post keeps in its mark."""
    return {"conversation_id": thread.conversation_id}


def draw(job: Job, thread: Thread) -> Thread:
    """Draw the root post if it is out of date; return the updated thread.

    If the card cannot be drawn, the message does not fail: the next change or the sweep draws it.

    Raises:
        LockLostError: another worker holds the lane.
        UndecidedError: the time for the message is over.
    """
    if thread.root_post_id is None or not thread.is_to_be_drawn:
        return thread
    try:
        return _draw(job, thread)
    except UndecidedError:
        raise
    except Exception as error:
        if not is_caused_by_entry(error):
            raise
        # An error of the card must not fail the message. The error's text may hold a name.
        kind = type(error).__name__
        log.error("card_broke", conversation_id=thread.conversation_id, error=kind)
        return thread


def _draw(job: Job, thread: Thread) -> Thread:
    thread = _with_username(job, thread)
    draft = draft_root(thread, job.licence)
    digest = draft.digest
    try:
        if digest != thread.card_digest:
            job.extend()
            _patch(job, thread, draft)
    except MattermostError as error:
        reason = error.reason.value
        log.warning("card_not_drawn", conversation_id=thread.conversation_id, reason=reason)
        if not isinstance(error, RefusedError):
            # The database still has the card as not drawn. This batch does not try it again.
            return replace(thread, card_digest=digest, card_changed_at=None)
        # The server would refuse the same card again. The next change tries another card.
    with job.database.connection() as connection:
        return note_drawn(connection, thread, digest)


def _patch(job: Job, thread: Thread, draft: RootDraft) -> None:
    mark = Mark.of(job.lane, thread.root_key).props(ROOT_PART, **root_mark_data(thread))
    # The server replaces all props, so `from_bot`, which the server itself set, is sent again.
    props = {"from_bot": "true", **draft.props, **mark}
    message = draft.message if job.licence.allows_edits else None
    try:
        job.client.patch_post(thread.root_post_id or "", message=message, props=props)
    except RefusedError as error:
        if error.error_id != TOO_LATE_TO_EDIT:
            raise
        _note_limit(job)
        unsigned = draft_root(thread, replace(job.licence, allows_edits=False))
        job.client.patch_post(
            thread.root_post_id or "", props={**props, "attachments": [unsigned.attachment]}
        )


def _note_limit(job: Job) -> None:
    """Record that the server limits the time for edits; catch-up records when it no longer does."""
    log.warning("messages_not_editable", licence_id=job.licence.id)
    with job.database.transaction() as session:
        session.execute(
            update(Licence).where(Licence.id == job.licence.id).values(allows_edits=False)
        )


def _with_username(job: Job, thread: Thread) -> Thread:
    """Return the thread with its assignee's username, asking Mattermost at most once."""
    if thread.assignee_user_id is None or thread.assignee_username is not None:
        return thread
    wanted = select(User.email).where(
        User.licence_id == job.licence.id, User.user_id == thread.assignee_user_id, User.active
    )
    with job.database.snapshot() as session:
        email = session.scalar(wanted)
    job.extend()
    try:
        username = job.client.find_username(email) if email else ""
    except MattermostError as error:
        log.info("assignee_not_found", licence_id=job.licence.id, reason=error.reason.value)
        return thread
    with job.database.transaction() as session:
        session.execute(
            update(Conversation)
            .where(Conversation.id == thread.conversation_row)
            .where(Conversation.assignee_user_id == thread.assignee_user_id)
            .values(assignee_username=username)
        )
    return replace(thread, assignee_username=username)


def _card(thread: Thread, licence: LicenceAccess) -> Card:
    state = state_of(thread)
    since = {
        CardState.WAITING: thread.waiting_since,
        CardState.ANSWERED: thread.answered_at,
    }.get(state, thread.state_at)
    is_open = state in {CardState.WAITING, CardState.ANSWERED}
    return Card(
        conversation_id=thread.conversation_id,
        visitor_name=thread.visitor_name or "",
        state=state,
        since=since,
        waiting_since=thread.waiting_since if state is CardState.TAKEN else None,
        question=thread.subject or thread.question,
        assignee=thread.assignee_name,
        assignee_username=thread.assignee_username,
        reply_prefix=licence.wanted_prefix,
        is_for_alerts=licence.reply_mode is ReplyMode.ALERTS,
        # A member who is mentioned follows the thread from then on. A root post without a question
        # mentions no member.
        mention=licence.mention if is_open and thread.question else "",
        page_url=thread.page_url,
        page_title=thread.page_title,
        conversation_url=thread.conversation_url,
        started_at=thread.started_at,
        fields=[(title, value) for title, value in thread.fields or ()],
        continues=thread.number > 1,
        is_signed=licence.allows_edits,
    )


def state_of(thread: Thread) -> CardState:
    """Return the state of the conversation that the root post has to show."""
    if thread.state in _STATES:
        return _STATES[thread.state]
    if thread.assignee_user_id or thread.assignee_name:
        return CardState.TAKEN
    if thread.waiting_since:
        return CardState.WAITING
    return CardState.ANSWERED if thread.answered_at else CardState.NEW
