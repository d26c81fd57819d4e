"""One message's way through this worker: what sending it takes, and what has been sent of it."""

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
    """One of the first entries of a lane: as it stands in Redis, and what it says."""

    raw: bytes
    entry: LaneEntry


@dataclass(frozen=True, slots=True)
class Step:
    """What was done at the head of a lane: how these entries ended, and whether the next waits.

    An entry that is settled is so in the ledger; ``settled`` has one for each of ``heads``.
    """

    heads: list[Head]
    settled: list[Settled]
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """The message's lane and licence, and the means to send it.

    ``extend`` keeps the lane ours: it is called before each request, and ``extend_for_files``
    before each step of a file; ``send_by`` is looked at before a post goes out. See
    ``MessageClock``. ``expired`` says that the message has waited for ``HOLD_S``: it fails rather
    than waits again. ``tells_outcomes``: i-Reserve wants to hear of failures and of threads.
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
    """One try at a message: its row as it was begun, its mark, and the posts that are there.

    ``posts`` has them by part, in their order. ``missing`` is what the thread
    lacks and they name, if it looks for that.
    """

    begun: Begun
    mark: Mark
    posts: dict[str, Post] = field(default_factory=dict)
    looks_for_missing: bool = False
    missing: Sequence[MissingMessages] = ()
