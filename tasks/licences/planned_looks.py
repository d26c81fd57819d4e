"""When a licence is looked at again: what is due at about the same time shares a look."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock

# What is due within this time shares a look, so that a burst does not make one for each.
SLOT_S = 0.2
# Behind the slot, so that no rounding makes a look come before what it is for.
MARGIN_S = 0.02
# Looks that are remembered; the oldest one is forgotten.
MAX_LOOKS = 10_000


class PlannedLooks:
    """The looks that this process has planned."""

    def __init__(self) -> None:
        self._planned: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._mutex = Lock()

    def plan(self, licence_id: str, *, due_at: datetime, now: datetime) -> datetime | None:
        """Return when to look at what is due then; None: a look at that time is planned."""
        slot = math.ceil(max(due_at, now).timestamp() / SLOT_S)
        with self._mutex:
            if (licence_id, slot) in self._planned:
                return None
            self._planned[licence_id, slot] = None
            if len(self._planned) > MAX_LOOKS:
                self._planned.popitem(last=False)
        return datetime.fromtimestamp(slot * SLOT_S + MARGIN_S, UTC)
