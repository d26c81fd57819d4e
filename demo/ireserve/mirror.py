"""Look up how far the web chat's messages are on their way to Mattermost.

A host need not do this. The demo's page reads the package's own tables and circuit to show it.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from redis import Redis
from sqlalchemy import select

from ireserve_mattermost.keys import key_of, lane_of
from models import Conversation, Database, Delivery, DeliveryState
from tasks.licences.circuit import Circuits


class Passage(StrEnum):
    """How far one message is.

    ``waiting``: the server cannot be reached, and the message was not tried. ``unsettled``: the
    message was sent, but the answer was lost; Mattermost will be asked for the post.
    """

    SENDING = "sending"
    WAITING = "waiting"
    UNSETTLED = "unsettled"
    SENT = "sent"
    FAILED = "failed"


_BEGUN = {
    DeliveryState.SENDING: Passage.SENDING,
    DeliveryState.UNSETTLED: Passage.UNSETTLED,
    DeliveryState.HELD: Passage.WAITING,
    DeliveryState.SENT: Passage.SENT,
    DeliveryState.FAILED: Passage.FAILED,
    DeliveryState.SKIPPED: Passage.SENT,
}


class Mirror:
    """A reader of the package's database and Redis."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self._database = database
        self._circuits = Circuits(redis)

    def passages(
        self, licence_id: str, conversation_id: str, message_ids: Collection[str]
    ) -> dict[str, Passage]:
        """Return the passage of each of these messages of one conversation, by id."""
        if not message_ids:
            return {}
        begun = self._begun(licence_id, conversation_id)
        is_open = self._circuits.state(licence_id).is_open
        not_begun = Passage.WAITING if is_open else Passage.SENDING
        return {message_id: begun.get(_key(message_id), not_begun) for message_id in message_ids}

    def thread(self, licence_id: str, conversation_id: str) -> str | None:
        """Return the id of the conversation's current root post; None if it has none yet."""
        with self._database.transaction() as session:
            return session.scalar(
                select(Conversation.root_post_id).where(
                    Conversation.licence_id == licence_id,
                    Conversation.conversation_id == conversation_id,
                )
            )

    def _begun(self, licence_id: str, conversation_id: str) -> dict[str, Passage]:
        ids = {"licence_id": licence_id, "conversation_id": conversation_id}
        in_lane = Delivery.lane == str(lane_of("reply", ids))
        with self._database.transaction() as session:
            rows = session.execute(select(Delivery.key, Delivery.state).where(in_lane))
            return {row.key: _BEGUN[row.state] for row in rows}


def _key(message_id: str) -> str:
    return key_of("reply", {"message_id": message_id}, task_id="")
