"""The addresses for later answers to slash commands."""

import threading
import time
from typing import Generic, TypeVar

from demo.mattermost.ids import new_id

_Place = TypeVar("_Place")


class LaterAnswers(Generic[_Place]):
    """For each address, the place of its command and the number of its uses."""

    def __init__(self) -> None:
        """Begin with no addresses."""
        self._lock = threading.Lock()
        self._places: dict[str, tuple[float, int, _Place]] = {}

    def begin(self, place: _Place, *, for_s: float) -> str:
        """Make a new address that is valid for these seconds; return its id."""
        response_id = new_id()
        with self._lock:
            self._places[response_id] = (time.monotonic() + for_s, 0, place)
        return response_id

    def use(self, response_id: str) -> tuple[_Place, int] | None:
        """Return the place and the number of this use; None for an unknown or expired address."""
        with self._lock:
            ends_at, uses, place = self._places.get(response_id, (0.0, 0, None))
            if place is None or ends_at < time.monotonic():
                return None
            self._places[response_id] = (ends_at, uses + 1, place)
        return place, uses + 1
