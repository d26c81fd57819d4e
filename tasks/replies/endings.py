"""How an attempt at a reply ended: one event in the log and one count for each kind of end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from tasks.replies.known_reply import KnownReply
from tasks.watch.tallies import Tallies

log = structlog.get_logger(__name__)


class EndKind(StrEnum):
    """What became of a reply."""

    RECORDED = "recorded"
    EDITED = "edited"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    IGNORED = "ignored"
    EMPTY = "empty"
    WAITING = "waiting"
    PAUSED = "paused"
    GIVEN_UP = "given_up"
    HANDED_OVER = "handed over"
    UNTOLD = "untold"
    BUSY = "busy"
    LOST = "lost"
    GONE = "gone"


# The metrics count these. A reply that waits, or that another worker resolves, has no end yet.
_COUNTED = frozenset(
    {EndKind.RECORDED, EndKind.EDITED, EndKind.DELETED, EndKind.IGNORED, EndKind.GIVEN_UP}
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, and what is left to do.

    ``reply`` is the row as it is now, None when it is gone. ``reason`` is a word, ``detail`` a
    sentence for the operator. ``changes_card``: the conversation's card is to be drawn again.
    """

    kind: EndKind
    reply: KnownReply | None = None
    reason: str | None = None
    detail: str | None = None
    changes_card: bool = False


def note_ending(tallies: Tallies, reply: KnownReply, ending: Ending) -> None:
    """Log how the attempt ended, and count it."""
    ids = {"reply_id": reply.id, "post_id": reply.post_id, "licence_id": reply.licence_id}
    if ending.kind in _EVENTS:
        _EVENTS[ending.kind](ids, ending)
    if ending.kind in _COUNTED:
        tallies.count_reply(reply.licence_id, reply.source, ending.kind.value)


# Each event has its whole name here, so that a search finds it. ``UNTOLD`` has none, because
# ``hand_over`` has logged it.
_EVENTS: Mapping[EndKind, Callable[[dict[str, Any], Ending], object]] = {
    EndKind.RECORDED: lambda ids, _: log.info("reply_recorded", **ids),
    EndKind.EDITED: lambda ids, _: log.info("reply_edited", **ids),
    EndKind.UNCHANGED: lambda ids, _: log.info("reply_unchanged", **ids),
    EndKind.DELETED: lambda ids, _: log.info("reply_deleted", **ids),
    EndKind.IGNORED: lambda ids, end: log.info("post_ignored", reason=end.reason, **ids),
    EndKind.EMPTY: lambda ids, _: log.info("reply_empty", **ids),
    EndKind.PAUSED: lambda ids, _: log.info("reply_paused", **ids),
    EndKind.WAITING: lambda ids, end: log.warning("reply_waits", reason=end.reason, **ids),
    EndKind.GIVEN_UP: lambda ids, end: log.error(
        "reply_not_recorded", reason=end.reason, detail=end.detail, **ids
    ),
    EndKind.HANDED_OVER: lambda ids, _: log.info("reply_handed_over", **ids),
    EndKind.BUSY: lambda ids, _: log.info("reply_busy", **ids),
    EndKind.LOST: lambda ids, _: log.warning("reply_lost", **ids),
    EndKind.GONE: lambda ids, _: log.info("reply_gone", **ids),
}
