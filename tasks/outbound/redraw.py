"""Draw cards without a new message: after a reply, and in the sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import Connection, Row, and_, bindparam, case, null, select, update
from sqlalchemy.orm import Session

from ireserve_mattermost.lanes import Lane, LaneEntry, TooManyError
from ireserve_mattermost.wake_ups import licence_wake_up
from models import Conversation, ConversationState, DeliveryKind, Licence, utc_now
from tasks.outbound.settlement import CLOCK_MARGIN
from tasks.runtime import Runtime

# The key of an entry that changes nothing, and makes the worker that drains the lane draw the card.
REDRAW_KEY = f"{DeliveryKind.CONVERSATION.value}:card"
# A card is usually drawn within two seconds. A change that is older than this was left behind.
OVERDUE = timedelta(seconds=10)
# The card of an older conversation is drawn with its next message.
LIVE = timedelta(days=1)
# How many cards the sweep handles at a time: work for a second.
AT_ONCE = 100

_IS_ANSWERED = and_(bindparam("is_answer"), Conversation.waiting_since < bindparam("before"))
# Built once, because it is executed for each reply.
_REPLIED = (
    update(Conversation)
    .where(Conversation.id == bindparam("row"))
    .values(
        last_active_at=bindparam("now"),
        waiting_since=case((_IS_ANSWERED, null()), else_=Conversation.waiting_since),
        answered_at=case((_IS_ANSWERED, bindparam("now")), else_=Conversation.answered_at),
        card_changed_at=case((_IS_ANSWERED, bindparam("now")), else_=Conversation.card_changed_at),
    )
    .returning(Conversation.card_changed_at)
)


def note_reply(
    connection: Connection, conversation_row: int, *, posted_at_ms: int, is_answer: bool
) -> bool:
    """Record the team's reply in the conversation; return whether it changes the card.

    ``is_answer``: the visitor gets the reply. A reply that was found late does not answer what the
    visitor has written since.
    """
    now = utc_now()
    before = datetime.fromtimestamp(posted_at_ms / 1_000, UTC) + CLOCK_MARGIN
    values = {"row": conversation_row, "before": before, "now": now, "is_answer": is_answer}
    return connection.scalar(_REPLIED, values) == now


def ask_for_card(runtime: Runtime, licence_id: str, conversation_id: str) -> bool:
    """Enqueue the drawing of a conversation's card; False: not possible now, the sweep does it."""
    wake_id, wake = licence_wake_up(licence_id)
    ids = {"licence_id": licence_id, "conversation_id": conversation_id}
    entry = LaneEntry(DeliveryKind.CONVERSATION, REDRAW_KEY, wake_id, ids)
    lane = Lane.of_conversation(licence_id, conversation_id)
    try:
        runtime.lanes.append(lane, entry, wake=wake)
    except (RedisError, TooManyError):
        return False
    return True


def redraw_overdue(runtime: Runtime) -> int:
    """Enqueue the drawing of cards that no worker draws; return how many.

    A card that could not be drawn for as long as a message may wait is left to the next message.
    """
    return sum(
        ask_for_card(runtime, licence_id, conversation_id)
        for licence_id, conversation_id in map(tuple, _overdue(runtime))
        if not runtime.circuits.state(licence_id).is_open
        and runtime.lanes.head(Lane.of_conversation(licence_id, conversation_id)) is None
    )


def redraw_live_cards(session: Session, licence_id: str) -> None:
    """Mark the cards of active conversations as changed, because the licence's settings changed.

    The sweep draws these cards within seconds. Other cards are drawn with their next message.
    """
    now = utc_now()
    live = update(Conversation).where(
        Conversation.licence_id == licence_id,
        Conversation.last_active_at > now - LIVE,
        Conversation.root_post_id.is_not(None),
        Conversation.state.is_distinct_from(ConversationState.CLOSED),
    )
    session.execute(live.values(card_changed_at=now))


def _overdue(runtime: Runtime) -> Sequence[Row[str, str]]:
    now, hold = utc_now(), timedelta(seconds=runtime.settings.hold_s)
    rows = (
        select(Conversation.licence_id, Conversation.conversation_id)
        .join(Licence, Licence.id == Conversation.licence_id)
        .where(
            Conversation.card_changed_at.between(now - hold - OVERDUE, now - OVERDUE),
            Conversation.root_post_id.is_not(None),
            Licence.enabled,
        )
        .order_by(Conversation.card_changed_at)
        .limit(AT_ONCE)
    )
    with runtime.database.reading() as connection:
        return connection.execute(rows).all()
