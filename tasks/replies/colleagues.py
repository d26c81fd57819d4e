"""Find out whether a name at the beginning of a post is a colleague's."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import structlog

from tasks.mattermost import MattermostClient, MattermostError, Reason, RefusedError

log = structlog.get_logger(__name__)

# How long a new or a removed colleague goes unnoticed.
CACHE_S = 30.0
# Enough for the names that are mentioned within that time; the one longest unused is dropped first.
MAX_NAMES = 1_000


class Colleagues:
    """The names that all servers were asked about, kept for ``CACHE_S``."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[float, bool]] = OrderedDict()
        self._mutex = Lock()

    def has_any(self, client: MattermostClient, names: Sequence[str], *, licence_id: str) -> bool:
        """Return whether one of the names is a user's; True when the server cannot be asked."""
        return any(
            self._has(client, name, licence_id=licence_id) for name in map(_spellings, names)
        )

    def _has(self, client: MattermostClient, spellings: Sequence[str], *, licence_id: str) -> bool:
        try:
            return any(self._is_user(client, name, licence_id) for name in spellings)
        except MattermostError as error:
            # In doubt a post is a note.
            log.warning("mention_not_resolved", licence_id=licence_id, reason=error.reason.value)
            return True

    def _is_user(self, client: MattermostClient, name: str, licence_id: str) -> bool:
        key = (licence_id, name)
        with self._mutex:
            known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < CACHE_S:
            return known[1]
        is_user = _ask(client, name)
        with self._mutex:
            self._known[key] = (time.monotonic(), is_user)
            self._known.move_to_end(key)
            if len(self._known) > MAX_NAMES:
                self._known.popitem(last=False)
        return is_user


def _spellings(name: str) -> Sequence[str]:
    """Return the name, and the name without signs at its end, as Mattermost tries both."""
    bare = name.rstrip("._-")
    return (name, bare) if bare != name else (name,)


def _ask(client: MattermostClient, name: str) -> bool:
    try:
        client.get_user_by_username(name)
    except RefusedError as error:
        if error.reason is Reason.NOT_FOUND:
            return False
        raise
    return True
