"""Wake-ups: the Celery messages that let a worker look at what is written down.

Published by the task's name, so that what wakes a worker need not import what the worker runs. A
wake-up that is lost costs seconds: the sweep finds the lane, or the reply, in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from ireserve_mattermost.wake_ups import shown
from tasks.app import app

log = structlog.get_logger(__name__)

RESOLVE_REPLY = "mattermost.resolve_reply"
GIVE_RECEIPTS = "mattermost.give_receipts"


def wake_replies(
    reply_ids: Sequence[int],
    *,
    licence_ids: Iterable[str],
    publisher: Celery = app,
    at: datetime | None = None,
) -> bool:
    """Let a worker resolve these replies, which are committed, at that time or now.

    ``licence_ids`` are for Flower alone: whose replies they are. False: the sweep does it later.
    """
    names = ", ".join(sorted(set(licence_ids)))
    return _publish(publisher, RESOLVE_REPLY, at, names=names, reply_ids=list(reply_ids))


def wake_receipts(licence_id: str, *, at: datetime | None = None) -> bool:
    """Let a worker mark the licence's posts at that time, or now; False: the sweep is next."""
    return _publish(app, GIVE_RECEIPTS, at, names=licence_id, licence_id=licence_id)


def _publish(
    publisher: Celery, name: str, at: datetime | None, *, names: str, **kwargs: str | list[int]
) -> bool:
    ids = shown({**kwargs, "licence_id": names})
    try:
        publisher.send_task(name, kwargs=kwargs, eta=at, argsrepr="()", kwargsrepr=ids)
    except OperationalError:
        # Its text may hold the broker's address with a password.
        log.warning("wake_up_not_published", **kwargs)
        return False
    return True
