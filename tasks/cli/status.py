"""``status``: the state of each licence."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from redis import Redis
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Conversation, Delivery, DeliveryKind, DeliveryState, Licence, Reply
from tasks.cli.installation import Installation
from tasks.cli.licence.registration import no_licence
from tasks.cli.output import show
from tasks.cli.tables import table
from tasks.licences.circuit import Circuits, CircuitState
from tasks.licences.waiting_limit import read_limit
from tasks.outbound.resending import CAN_BE_RESENT, count_of_unregistered
from tasks.replies.open_replies import IS_OPEN
from tasks.replies.unowned_files import count_unowned
from tasks.replies.unrecorded import IS_GIVEN_UP
from tasks.watch.backlog import Backlog, read_backlogs
from tasks.watch.last_times import read_last_times
from tasks.watch.removals import Removals, read_removals
from tasks.watch.tallies import Tallies

# The messages that people wrote; a root post is only the place for them.
MESSAGES = (DeliveryKind.REPLY, DeliveryKind.NOTIFICATION)

# An index of their own finds the few open replies. To group by the column itself, SQLite would read
# the whole table in the order of another index. An expression prevents that.
_OF_REPLY = Reply.licence_id.concat("")
_SENT = DeliveryState.SENT.value

Where: TypeAlias = ColumnElement[bool]
Of: TypeAlias = ColumnElement[str] | InstrumentedAttribute[str]


@dataclass(frozen=True, slots=True)
class LicenceStatus:
    """The state of one licence.

    ``failed`` counts messages that can be sent again. ``replies_given_up`` counts the open replies
    that are no longer tried automatically. ``mirrored`` and the last times are since Redis was
    emptied.
    """

    licence: str
    enabled: bool
    server_version: str
    collapsed_threads: str
    circuit: str
    conversations: int = 0
    mirrored: int = 0
    failed: int = 0
    replies_open: int = 0
    replies_given_up: int = 0
    last_out_at: datetime | None = None
    last_in_at: datetime | None = None
    waiting: Backlog = field(default_factory=Backlog)


def status(licence_id: str | None) -> None:
    """Show the state of LICENCE, or of each licence."""
    parts = Installation()
    with parts.database.snapshot() as session:
        found = read_status(session, parts.redis, licence_id)
        to_remove = count_unowned(session)
        unregistered = count_of_unregistered(session) if licence_id is None else {}
    if licence_id is not None and not found:
        raise no_licence(licence_id)
    headings = (
        "licence", "enabled", "server", "threads", "circuit", "conversations", "mirrored",
        "waiting", "in lanes", "oldest waiting", "failed", "replies open", "given up",
        "last out", "last in",
    )  # fmt: skip
    rows = table(headings, [_row(each) for each in found])
    removals, most = read_removals(parts.redis), read_limit(parts.redis)
    show(
        {
            "licences": [asdict(each) for each in found],
            "unregistered": unregistered,
            "waiting_limit": most,
            "retention": {**asdict(removals), "files_to_remove": to_remove},
        },
        rows if found else "No licence yet.",
        *[
            f"Licence {each} is not registered: failed {count}. See failed {each}."
            for each, count in unregistered.items()
        ],
        f"At most {most} messages may wait for one licence.",
        _sentence(removals, to_remove),
    )


def _sentence(removals: Removals, to_remove: int) -> str:
    ran = "never" if removals.ran_at is None else f"{removals.ran_at:%Y-%m-%d %H:%M} UTC"
    counts = ", ".join(f"{kind} {count}" for kind, count in removals.removed.items())
    return f"Retention last ran: {ran}. Removed: {counts}. Files still to be removed: {to_remove}."


def _row(status: LicenceStatus) -> list[object]:
    waiting = status.waiting
    return [
        status.licence, status.enabled, status.server_version or "not asked yet",
        status.collapsed_threads or "not told", status.circuit, status.conversations,
        status.mirrored, waiting.messages, waiting.lanes, waiting.oldest_at, status.failed,
        status.replies_open, status.replies_given_up, status.last_out_at, status.last_in_at,
    ]  # fmt: skip


def read_status(session: Session, redis: Redis, licence_id: str | None) -> list[LicenceStatus]:
    """Return the state of the licence, or of each licence."""
    said = (Licence.server_version, Licence.collapsed_threads)
    licences = select(Licence.id, Licence.enabled, *said).order_by(Licence.id)
    if licence_id is not None:
        licences = licences.where(Licence.id == licence_id)
    found = session.execute(licences).all()
    names = [each for each, *_ in found]
    # An index of the tables has these counts, except for that of mirrored messages. There may be
    # millions of those, so their count is in Redis.
    counts = {
        "conversations": _counts(session, Conversation.licence_id),
        "mirrored": _mirrored(redis),
        "failed": _counts(session, Delivery.licence_id, *CAN_BE_RESENT),
        "replies_open": _counts(session, _OF_REPLY, IS_OPEN),
        "replies_given_up": _counts(session, _OF_REPLY, *IS_GIVEN_UP),
    }
    last = read_last_times(redis, names)
    circuits = Circuits(redis).states(names)
    backlogs = read_backlogs(redis)
    return [
        LicenceStatus(
            licence=each,
            enabled=enabled,
            server_version=version,
            collapsed_threads=threads,
            circuit=_word(circuits[each]),
            last_out_at=last.sent_at.get(each),
            last_in_at=last.recorded_at.get(each),
            waiting=backlogs.get(each, Backlog()),
            **{name: count[each] for name, count in counts.items()},
        )
        for each, enabled, version, threads in found
    ]


def _word(circuit: CircuitState) -> str:
    if circuit.is_open:
        return "open"
    return "paused" if circuit.blocks(datetime.now(UTC).timestamp()) else "closed"


def _mirrored(redis: Redis) -> Counter[str]:
    """Return how many messages of each licence were sent since Redis was emptied."""
    tallies = Tallies(redis).read()
    return Counter(
        {
            licence_id: sum(tally.messages[kind.value, _SENT] for kind in MESSAGES)
            for licence_id, tally in tallies.items()
        }
    )


def _counts(session: Session, of: Of, *where: Where) -> Counter[str]:
    """Return how many matching rows each licence has."""
    rows = session.execute(select(of, func.count()).where(*where).group_by(of)).all()
    return Counter({row[0]: row[1] for row in rows})
