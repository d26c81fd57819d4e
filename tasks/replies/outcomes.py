"""How an attempt at a reply ended: one event in the log and one count for each outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from tasks.replies.known_reply import KnownReply
from tasks.watch.tallies import Tallies

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
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


# What the metrics count: a reply that waits or that another worker has is not at its end.
_COUNTED = frozenset(
    {Outcome.RECORDED, Outcome.EDITED, Outcome.DELETED, Outcome.IGNORED, Outcome.GIVEN_UP}
)


@dataclass(frozen=True, slots=True)
class Ending:
    """An outcome, and what it leaves to do.

    ``reply`` is the row as it is now, None when it is gone. ``reason`` is a word, ``detail`` a
    sentence for the operator. ``answers``: the conversation's card says something else now.
    """

    outcome: Outcome
    reply: KnownReply | None = None
    reason: str | None = None
    detail: str | None = None
    answers: bool = False


def note(tallies: Tallies, reply: KnownReply, ending: Ending) -> None:
    """Log the outcome, and count it."""
    ids = {"reply_id": reply.id, "post_id": reply.post_id, "licence_id": reply.licence_id}
    if ending.outcome in _EVENTS:
        _EVENTS[ending.outcome](ids, ending)
    if ending.outcome in _COUNTED:
        tallies.count_reply(reply.licence_id, reply.source, ending.outcome.value)


# Each by its whole name, so that a search finds it. What could not be told (``UNTOLD``) is in the
# log by then, and so is an error that was not foreseen.
_EVENTS: Mapping[Outcome, Callable[[dict[str, Any], Ending], object]] = {
    Outcome.RECORDED: lambda ids, _: log.info("reply_recorded", **ids),
    Outcome.EDITED: lambda ids, _: log.info("reply_edited", **ids),
    Outcome.UNCHANGED: lambda ids, _: log.info("reply_unchanged", **ids),
    Outcome.DELETED: lambda ids, _: log.info("reply_deleted", **ids),
    Outcome.IGNORED: lambda ids, end: log.info("post_ignored", reason=end.reason, **ids),
    Outcome.EMPTY: lambda ids, _: log.info("reply_empty", **ids),
    Outcome.PAUSED: lambda ids, _: log.info("reply_paused", **ids),
    Outcome.WAITING: lambda ids, end: log.warning("reply_waits", reason=end.reason, **ids),
    Outcome.GIVEN_UP: lambda ids, end: log.error(
        "reply_not_recorded", reason=end.reason, detail=end.detail, **ids
    ),
    Outcome.HANDED_OVER: lambda ids, _: log.info("reply_handed_over", **ids),
    Outcome.BUSY: lambda ids, _: log.info("reply_busy", **ids),
    Outcome.LOST: lambda ids, _: log.warning("reply_lost", **ids),
    Outcome.GONE: lambda ids, _: log.info("reply_gone", **ids),
}
