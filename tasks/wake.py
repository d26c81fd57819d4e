"""Publishes the wake-ups for replies and receipts: Celery messages that name a task and rows.

A wake-up has only the task's name, so that the publisher need not import the worker's code. A lost
wake-up costs seconds, until the sweep finds the same rows.
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
    """Wake a worker for these committed replies at the time ``at``; None: now.

    ``licence_ids`` are the replies' licences, for Flower alone. Return False if the broker is down:
    then the sweep wakes a worker later.
    """
    names = ", ".join(sorted(set(licence_ids)))
    return _publish(publisher, RESOLVE_REPLY, at, names=names, reply_ids=list(reply_ids))


def wake_receipts(licence_id: str, *, at: datetime | None = None) -> bool:
    """Wake a worker to mark the licence's posts at the time ``at``; None: now.

    Return False if the broker is down: then the sweep wakes a worker later.
    """
    return _publish(app, GIVE_RECEIPTS, at, names=licence_id, licence_id=licence_id)


def _publish(
    publisher: Celery, name: str, at: datetime | None, *, names: str, **kwargs: str | list[int]
) -> bool:
    ids = shown({**kwargs, "licence_id": names})
    try:
        publisher.send_task(name, kwargs=kwargs, eta=at, argsrepr="()", kwargsrepr=ids)
    except OperationalError:
        # The error's text may hold the broker's address with a password.
        log.warning("wake_up_not_published", **kwargs)
        return False
    return True
