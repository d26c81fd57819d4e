"""How the message at the head of a lane ended: settled, or waiting."""

from __future__ import annotations

from dataclasses import dataclass

from models import DeliveryState


@dataclass(frozen=True, slots=True)
class Settled:
    """The message is done with: its entry can be removed from the lane."""

    key: str
    task_id: str
    state: DeliveryState
    reason: str | None = None
    detail: str | None = None
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The message stays at the head of its lane, which is left alone for so many seconds."""

    key: str
    seconds: float
    reason: str
