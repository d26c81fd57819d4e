"""Catch-up: ask Mattermost for changes that no webhook told of, and put them into the inbox.

Mattermost calls a webhook once for a new post, in public channels only, and not for edits or
deletions. So catch-up reads what has changed in each channel since the last look. Replies in
private channels come by catch-up alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from ireserve_mattermost.locks import LockLostError
from ireserve_mattermost.wake_ups import shown
from tasks.app import app
from tasks.failures import SendFailedError
from tasks.licences.access import LicenceAccess
from tasks.mattermost import (
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
)
from tasks.outbound.drain import leave, serve
from tasks.outbound.tasks import show_failures
from tasks.replies.live_channels import LiveChannel, channels_of, licences_with_threads
from tasks.replies.look import LookJob, look
from tasks.replies.server_settings import look_at_settings
from tasks.runtime import Runtime, current_runtime

log = structlog.get_logger(__name__)

Look: TypeAlias = Callable[[LookJob, LiveChannel], int]


@app.task(name="mattermost.collect_replies", send_events=False)
def collect_replies() -> str:
    """Start a look for each licence that has conversations; safe to run twice at the same time."""
    runtime = current_runtime()
    licences = licences_with_threads(runtime.database)
    for licence_id in licences:
        # A task that has not started when the next one is published is dropped.
        app.send_task(
            collect_licence.name,
            kwargs={"licence_id": licence_id},
            expires=runtime.settings.catch_up_interval_s,
            kwargsrepr=shown({"licence_id": licence_id}),
        )
    return f"{len(licences)} licences"


@app.task(name="mattermost.collect_licence", send_events=False)
def collect_licence(licence_id: str) -> str:
    """Collect what changed in one licence's channels, unless another worker does."""
    runtime = current_runtime()
    # Without a thread this run is skipped, not postponed: the next one finds the same changes.
    if not runtime.shares.enter(licence_id):
        return "the licence has its share of the threads"
    try:
        with runtime.locks.of_catch_up(licence_id) as lock:
            if lock is None:
                return "another worker is at it"
            return f"{collect(runtime, licence_id, on_page=lock.extend)} changes"
    except LockLostError:
        # The cursors stay where they were, so the other worker's look finds the same changes.
        log.warning("catch_up_lost", licence_id=licence_id)
        return "another worker has taken it over"
    finally:
        show_failures(serve(runtime, leave(runtime, licence_id)))


def collect(runtime: Runtime, licence_id: str, *, on_page: Callable[[], None]) -> int:
    """Put what changed in the licence's channels into the inbox; return how many posts."""
    licence = reachable_licence(runtime, licence_id)
    if licence is None:
        return 0
    job = LookJob(runtime, licence, on_page)
    result = look_at_each(job, channels_of(runtime.database, licence_id), look)
    if result.is_whole:
        on_page()
        look_at_settings(runtime.database, job.client, licence)
    return result.count


def reachable_licence(runtime: Runtime, licence_id: str) -> LicenceAccess | None:
    """Return the licence; None: it cannot be used, or its server may not be asked now."""
    try:
        licence = runtime.licences.access(licence_id)
    except SendFailedError as error:
        log.warning("catch_up_impossible", licence_id=licence_id, reason=error.reason.value)
        return None
    is_blocked = runtime.circuits.state(licence_id).blocks(time.time())
    return None if is_blocked else licence


@dataclass(frozen=True, slots=True)
class LookResult:
    """How many posts were put into the inbox, and whether the look came to its end."""

    count: int
    is_whole: bool


def look_at_each(job: LookJob, channels: Sequence[LiveChannel], look: Look) -> LookResult:
    """Look at these channels, one after the other.

    If a channel cannot be read (the bot was removed from it), the next one is read. If the server
    cannot be reached, the look ends; the cursors stay, so the next look finds the same changes.
    """
    circuits, licence_id = job.runtime.circuits, job.licence.id
    count = 0
    for channel in channels:
        try:
            count += look(job, channel)
        except (NotSentError, OutcomeUnknownError, RateLimitedError) as error:
            circuits.note(licence_id, error)
            log.warning("catch_up_broke_off", licence_id=licence_id, reason=error.reason.value)
            return LookResult(count, is_whole=False)
        except MattermostError as error:
            log.warning(
                "catch_up_failed",
                licence_id=licence_id,
                channel_id=channel.id,
                reason=error.reason.value,
            )
    circuits.note(licence_id, None)
    return LookResult(count, is_whole=True)
