"""The objects that describe the work on a message: its entry, what sending it needs, its posts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ireserve_mattermost.lanes import Lane, LaneEntry
from models import Database
from tasks.attachments import AttachmentSource
from tasks.failures import Settled, Waiting
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, Post
from tasks.outbound.ledger import Begun
from tasks.outbound.marks import Mark
from tasks.rendering import MissingMessages


@dataclass(frozen=True, slots=True)
class Head:
    """One of the first entries of a lane, as Redis holds it and parsed."""

    raw: bytes
    entry: LaneEntry


@dataclass(frozen=True, slots=True)
class Step:
    """The result of work on a lane's first entries.

    ``settled`` has the outcome of each entry in ``heads``, and the ledger has these outcomes too.
    ``waiting`` says that the entry after them must wait; None: it need not.
    """

    heads: list[Head]
    settled: list[Settled]
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """The message's lane and licence, and the means to send it.

    ``extend`` extends the lane's lock and is called before each request. ``extend_for_files`` is
    called before each step of a file's transfer. ``send_by`` is the latest time to send a post.
    See ``MessageClock``. ``expired``: the message has waited for ``HOLD_S``, and fails instead of
    waiting again. ``tells_outcomes``: i-Reserve is told of failures and of threads.
    """

    lane: Lane
    licence: LicenceAccess
    client: MattermostClient
    database: Database
    attachments: AttachmentSource
    extend: Callable[[], None]
    extend_for_files: Callable[[], None]
    send_by: Callable[[], float]
    task_id: str
    enqueued_at_ms: int
    expired: bool
    payload: dict[str, Any]
    tells_outcomes: bool


@dataclass(slots=True)
class Attempt:
    """One attempt to send a message: its row as it was begun, its mark and its posts.

    ``posts`` are the message's posts in Mattermost by part, in order. ``looks_for_missing``: the
    attempt looks for missing messages. ``missing`` are the missing messages that it has claimed,
    which its posts have to name.
    """

    begun: Begun
    mark: Mark
    posts: dict[str, Post] = field(default_factory=dict)
    looks_for_missing: bool = False
    missing: Sequence[MissingMessages] = ()
