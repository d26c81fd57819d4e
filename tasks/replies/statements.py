"""The statements that each reply needs: built once, on tables, as mapped objects cost time."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, bindparam, case, literal, null, select, update

from models import Conversation, Reply, ReplyEvent

_REPLIES = cast(Table, Reply.__table__)
_CONVERSATIONS = cast(Table, Conversation.__table__)
_REPLY, _CONVERSATION = _REPLIES.c, _CONVERSATIONS.c

_COLUMNS = (
    _REPLY.id,
    _REPLY.licence_id,
    _REPLY.post_id,
    _REPLY.source,
    _REPLY.state,
    _REPLY.conversation_row,
    _CONVERSATION.conversation_id,
    _REPLY.author_user_id,
    _REPLY.author_name,
    _REPLY.text,
    _REPLY.plain_text,
    _REPLY.visibility,
    _REPLY.posted_at,
    _REPLY.post_update_at_ms,
    _REPLY.revision,
    _REPLY.is_taken_back,
    _REPLY.pending_event,
    _REPLY.received_at,
    _REPLY.next_attempt_at,
    _REPLY.attempts,
    _REPLY.paused_until,
    _REPLY.receipt,
    _REPLY.receipt_due_at,
)
BY_ID = (
    select(*_COLUMNS)
    .join_from(_REPLIES, _CONVERSATIONS, _CONVERSATION.id == _REPLY.conversation_row, isouter=True)
    .where(_REPLY.id.in_(bindparam("reply_ids", expanding=True)))
    .order_by(_REPLY.id)
)
_VALUES = (
    *("state", "conversation_row", "author_user_id", "author_name", "author_mattermost_id"),
    *("text", "plain_text", "visibility", "posted_at", "post_update_at_ms", "revision"),
    *("recorded_at", "attempts", "next_attempt_at", "receipt_due_at"),
)
RECORDED = (
    update(_REPLIES)
    .where(_REPLY.id == bindparam("row"))
    .values({name: bindparam(name) for name in _VALUES} | {"reason": null(), "detail": null()})
    .values(pending_event=ReplyEvent.RECORDED)
    .returning(_REPLY.pending_event)
)
# While i-Reserve has not been told of the reply, the event stays ``recorded``, else it is
# ``edited``. The database decides, since another worker may tell of the earlier version right now.
RECORDED_AGAIN = RECORDED.values(
    pending_event=case(
        (_REPLY.pending_event == ReplyEvent.RECORDED, _REPLY.pending_event),
        else_=literal(ReplyEvent.EDITED, _REPLY.pending_event.type),
    )
)
