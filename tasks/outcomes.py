"""How the message at the head of a lane ended: settled, or waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from models import DeliveryState


@dataclass(frozen=True, slots=True)
class Settled:
    """The message is done with: its entry can be removed from the lane.

    ``at_ms`` is when, in milliseconds since the epoch.
    """

    key: str
    task_id: str
    state: DeliveryState
    reason: str | None = None
    detail: str | None = None
    is_duplicate: bool = False
    at_ms: float = field(default_factory=lambda: time.time() * 1_000, compare=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The message stays at the head of its lane, which is left alone for so many seconds."""

    key: str
    seconds: float
    reason: str
    # Nobody may look at it sooner, whoever wakes the lane: the server may still be at work on it.
    is_unsettled: bool = False
