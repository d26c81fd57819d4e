"""Messages that fail and are missing in their thread, and the lines that say so."""

from __future__ import annotations

import re
from typing import Any

from ireserve_mattermost.lanes import Lane
from models import Delivery
from tests.stage.stage import LICENCE, Stage

LANE = Lane.of_conversation(LICENCE, "c1")
AGENT = {"sender_name": "Anna", "sender_role": "agent"}


def fail(stage: Stage, message_id: str, fault: str = "plugin_rejection", **more: Any) -> None:
    """Let a message of the conversation fail with a reason."""
    made = stage.stand_in.set_fault(fault, scope="posts", times=1)
    stage.reply(message_id, "lost", **more)
    stage.stand_in.clear_faults(made.id)
    assert stage.states()[f"reply:{message_id}"][0] == "failed"


def told(stage: Stage) -> list[str]:
    """Return each line in the channel about missing messages, without times."""
    lines = "\n".join(post.message for post in stage.channel_posts()).splitlines()
    times = re.compile(r"; \d.*?\)")
    return [times.sub(")", line) for line in lines if line.startswith("⚠️")]


def row_of(stage: Stage, message_id: str) -> Delivery:
    """Return a message's delivery."""
    (row,) = [row for row in stage.ledger() if row.key == f"reply:{message_id}"]
    return row
