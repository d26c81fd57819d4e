"""Plan looks at licences; work that is due at about the same time shares one look."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock

# Work that is due within this time shares a look, so that a burst of work needs few looks.
SLOT_S = 0.2
# A look comes this long after its slot, so that rounding cannot put it before the work is due.
MARGIN_S = 0.02
# How many looks are remembered. The oldest look is forgotten first.
MAX_LOOKS = 10_000


class PlannedLooks:
    """The looks that this process has planned, safe to share between threads."""

    def __init__(self) -> None:
        self._planned: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._mutex = Lock()

    def plan(self, licence_id: str, *, due_at: datetime, now: datetime) -> datetime | None:
        """Return when to look for work that is due at ``due_at``; None: a look is planned."""
        slot = math.ceil(max(due_at, now).timestamp() / SLOT_S)
        with self._mutex:
            if (licence_id, slot) in self._planned:
                return None
            self._planned[licence_id, slot] = None
            if len(self._planned) > MAX_LOOKS:
                self._planned.popitem(last=False)
        return datetime.fromtimestamp(slot * SLOT_S + MARGIN_S, UTC)
