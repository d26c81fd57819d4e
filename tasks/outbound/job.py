"""One message's way through this worker: what sending it takes, and what has been sent of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from models import Database, DeliveryState
from tasks.attachments import AttachmentSource
from tasks.failures import SendFailedError, UndecidedError
from tasks.lanes import Lane
from tasks.licences.access import LicenceAccess
from tasks.mattermost import MattermostClient, MattermostError, Post, RateLimitedError
from tasks.outbound import ledger
from tasks.outbound.ledger import Begun
from tasks.outbound.marks import Mark


@dataclass(frozen=True, slots=True)
class Job:
    """The message's lane and licence, and the means to send it.

    ``extend`` keeps the lane ours: it is called before each request. ``expired`` says that the
    message has waited so long that it fails rather than waits again.
    """

    lane: Lane
    licence: LicenceAccess
    client: MattermostClient
    database: Database
    attachments: AttachmentSource
    extend: Callable[[], None]
    task_id: str
    enqueued_at_ms: int
    expired: bool
    payload: dict[str, Any]


@dataclass(slots=True)
class Attempt:
    """One try at a message: its row as it was begun, its mark, and the posts that are there."""

    begun: Begun
    mark: Mark
    posts: list[Post] = field(default_factory=list)


@contextmanager
def accounted(job: Job, attempt: Attempt) -> Iterator[None]:
    """Write into the ledger how the attempt ended if it did not end well, and raise on.

    Raises:
        RateLimitedError, UndecidedError: the message waits in its lane.
        SendFailedError, MattermostError: it has failed.
    """
    try:
        yield
    except (RateLimitedError, UndecidedError) as error:
        if job.expired:
            failure = SendFailedError(error.reason, f"{_detail(error)} It waited too long.")
            _fail(job, attempt, failure)
            raise failure from error
        _set_aside(job, attempt, error)
        raise
    except (SendFailedError, MattermostError) as error:
        _fail(job, attempt, error)
        raise


def _fail(job: Job, attempt: Attempt, error: SendFailedError | MattermostError) -> None:
    with job.database.connection() as connection:
        ledger.mark_failed(
            connection,
            attempt.begun.id,
            reason=error.reason.value,
            detail=_detail(error),
            payload=job.payload,
        )


def _set_aside(job: Job, attempt: Attempt, error: RateLimitedError | UndecidedError) -> None:
    with job.database.connection() as connection:
        ledger.set_aside(
            connection,
            attempt.begun.id,
            state=_waiting_state(attempt, error),
            reason=error.reason.value,
            detail=_detail(error),
            post_count=max(len(attempt.posts), attempt.begun.post_count),
        )


def _waiting_state(attempt: Attempt, error: RateLimitedError | UndecidedError) -> DeliveryState:
    if isinstance(error, UndecidedError):
        if error.sent_off:
            return DeliveryState.UNSETTLED
        return attempt.begun.before or DeliveryState.SENDING
    # What is partly there must be looked for; of the rest nothing has arrived.
    untouched = not attempt.posts and not attempt.begun.must_look
    return DeliveryState.HELD if untouched else DeliveryState.SENDING


def _detail(error: SendFailedError | UndecidedError | MattermostError) -> str:
    return str(error) if isinstance(error, MattermostError) else error.detail
