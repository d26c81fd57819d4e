"""Messages that a server refuses, and their rows in the ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from models import Delivery
from tests.stage.stage import Stage


def fail(stage: Stage, *message_ids: str, conversation_id: str = "c1") -> None:
    """Let these messages fail, because the server refuses them."""
    for message_id in message_ids:
        stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
        stage.reply(message_id, f"text of {message_id}", conversation_id)


def change(stage: Stage, key: str, **values: Any) -> None:
    """Change columns of a message's row."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.key == key).values(**values))


def id_of(stage: Stage, key: str) -> int:
    """Return the id of a message's row."""
    return next(row.id for row in stage.ledger() if row.key == key)
