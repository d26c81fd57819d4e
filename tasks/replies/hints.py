"""Hints: the bot tells a member that a post outside of any thread reaches no visitor.

A member gets at most one hint a day, since the team also talks in the channel. The row is written
before the hint is posted. So a worker that is killed loses a hint, but never posts it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models import Conversation, Database, Hint, ReplyMode, utc_now
from tasks.licences.access import LicenceAccess
from tasks.licences.circuit import Reach
from tasks.mattermost import MattermostError, Post, RefusedError
from tasks.outbound.marks import PROPS_KEY
from tasks.replies.authors import Members
from tasks.replies.colleagues import Colleagues
from tasks.replies.content import PostText
from tasks.replies.known_reply import RECEIPT_DELAY
from tasks.replies.meaning import is_by_webhook, is_of_a_person
from tasks.runtime import Runtime

log = structlog.get_logger(__name__)

# A member gets no second hint within this time.
HINT_INTERVAL = timedelta(days=1)
# If the channel's conversations have been quiet for longer, a post is talk among colleagues.
ACTIVE_FOR = timedelta(days=1)
# An older post, which catch-up finds after an outage, needs no hint any more.
MAX_POST_AGE = timedelta(hours=1)
# The most posts whose texts one look reads: a channel gets fewer in the minute between two looks.
MAX_POSTS_READ = 20
# The most hints that are posted at once; the next run posts the others.
BATCH = 10

_HINTS = cast(Table, Hint.__table__)
_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_members = Members()
_colleagues = Colleagues()


def plan_hint(
    runtime: Runtime,
    licence: LicenceAccess,
    posts: Sequence[Post],
    *,
    extend: Callable[[], None],
) -> datetime | None:
    """Write down which posts get a hint; return when the last hint is due, None if no post does.

    ``extend`` is called before each request.

    Raises:
        MattermostError: the server could not be asked for a post or its author.
    """
    is_wanted = licence.hints and licence.reply_mode is not ReplyMode.ALERTS
    found = [post for post in posts if is_wanted and _may_be_an_answer(runtime, licence, post)]
    if not found:
        return None
    with runtime.database.reading() as connection:
        found = [post for post in found if _is_worth_a_hint(connection, licence.id, post)]
    found = found[:MAX_POSTS_READ]
    dues = [
        _claim(runtime.database, licence.id, post)
        for post in found
        if _is_for_a_visitor(runtime, licence, post, extend)
    ]
    return max(filter(None, dues), default=None)


def _may_be_an_answer(runtime: Runtime, licence: LicenceAccess, post: Post) -> bool:
    """Return whether a person seems to have written the post, outside of threads and lately."""
    if post.root_id or post.delete_at_ms or post.original_id:
        return False
    if post.user_id == licence.bot_user_id or not is_of_a_person(post) or is_by_webhook(post):
        return False
    now_ms = runtime.clients.of(licence).answer_headers.now_ms()
    return now_ms - post.create_at_ms < MAX_POST_AGE.total_seconds() * 1_000


def _is_worth_a_hint(connection: Connection, licence_id: str, post: Post) -> bool:
    """Return whether a conversation of the channel is active and the author had no hint lately."""
    now = utc_now()
    is_alive = select(Conversation.id).where(
        Conversation.licence_id == licence_id,
        Conversation.channel_id == post.channel_id,
        Conversation.root_post_id.is_not(None),
        Conversation.last_active_at > now - ACTIVE_FOR,
    )
    had_one = select(Hint.member_id).where(
        Hint.licence_id == licence_id,
        Hint.member_id == post.user_id,
        Hint.decided_at > now - HINT_INTERVAL,
    )
    return (
        connection.execute(is_alive.limit(1)).first() is not None
        and connection.execute(had_one).first() is None
    )


def _is_for_a_visitor(
    runtime: Runtime, licence: LicenceAccess, post: Post, extend: Callable[[], None]
) -> bool:
    """Return whether the post may be meant for a visitor.

    A bot's post is not, and neither is a post that would be a note in a thread.
    """
    client = runtime.clients.of(licence)
    extend()
    try:
        # A look keeps posts without their texts, so the text is read here.
        text = PostText.for_licence(client.get_post(post.id).message, licence)
        extend()
        member = _members.find(client, licence_id=licence.id, user_id=post.user_id)
    except RefusedError:
        # The post is gone, or the bot may not see who wrote it: in doubt there is no hint.
        return False
    if member is None or member.is_bot or text.begins_a_note or text.visitor_text is None:
        return False
    extend()
    return not _colleagues.has_any(client, text.mentions, licence_id=licence.id)


def _claim(database: Database, licence_id: str, post: Post) -> datetime | None:
    """Return when the post's hint is due; None: its author had another one within the day."""
    now = utc_now()
    values = {
        "channel_id": post.channel_id,
        "post_id": post.id,
        "due_at": now + RECEIPT_DELAY,
        "decided_at": now,
    }
    with database.autocommit() as connection:
        insert = _INSERTS[connection.dialect.name](_HINTS)
        claim = insert.values(licence_id=licence_id, member_id=post.user_id, **values)
        claim = claim.on_conflict_do_update(
            index_elements=["licence_id", "member_id"],
            set_=values,
            where=_HINTS.c.decided_at <= now - HINT_INTERVAL,
        )
        due_at: datetime | None = connection.scalar(claim.returning(_HINTS.c.due_at))
    return due_at


def give_due_hints(runtime: Runtime, licence: LicenceAccess) -> int:
    """Post the hints that are due; return how many."""
    count = 0
    for channel_id, post_id in _take_due(runtime.database, licence.id):
        try:
            with runtime.shares.message(licence.id):
                runtime.clients.of(licence).create_post(
                    channel_id=channel_id,
                    root_id=post_id,
                    message=licence.locale.wording.hint,
                    props={PROPS_KEY: {"hint": "1"}},
                )
        except MattermostError as error:
            ids = {"licence_id": licence.id, "post_id": post_id, "correlation_id": post_id}
            log.warning("hint_not_given", reason=error.reason.value, **ids)
            if runtime.circuits.note(licence.id, error) is not Reach.REACHED:
                break
        else:
            count += 1
    return count


def _take_due(database: Database, licence_id: str) -> list[tuple[str, str]]:
    """Take the hints that are due, each once; return the channel and the post of each."""
    is_due = (Hint.licence_id == licence_id, Hint.due_at <= utc_now())
    due = select(Hint.member_id, Hint.channel_id, Hint.post_id).where(*is_due).limit(BATCH)
    with database.reading() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return []
    with database.connection() as connection:
        rows = connection.execute(due.with_for_update(skip_locked=True)).all()
        taken = Hint.member_id.in_([row.member_id for row in rows])
        done = update(Hint).where(Hint.licence_id == licence_id, taken).values(due_at=None)
        connection.execute(done)
    return [(row.channel_id, row.post_id) for row in rows]
