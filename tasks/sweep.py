"""The sweep: wakes lanes whose wake-up was lost, and probes servers that were away."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from redis.exceptions import ConnectionError, TimeoutError

from ireserve_mattermost.lanes import OVERDUE_MS
from tasks.app import app
from tasks.attachments.probe import trouble_of_store
from tasks.attachments.store import AttachmentStore
from tasks.failures import LoggedError, SendFailedError
from tasks.licences.circuit import Reach
from tasks.mattermost import MattermostError
from tasks.outbound.outcomes import hand_over_due
from tasks.outbound.redraw import redraw_overdue
from tasks.replies.giving_receipts import wake_late_receipts
from tasks.replies.open_replies import wake_open_replies
from tasks.runtime import Runtime, current_runtime
from tasks.watch.installations import name_of
from tasks.watch.signs import note_sweep, note_sweeper
from tasks.watch.store_looks import begin_look, end_look, only_look

log = structlog.get_logger(__name__)


# Every few seconds: its events would bury everything else in Flower.
@app.task(name="mattermost.sweep", send_events=False)
def sweep() -> str:
    """Wake what has been waiting for too long; safe to run twice at the same time.

    Raises:
        SweepFailedError: a part of it broke; the others have run.
    """
    return sweep_once(current_runtime())


class SweepFailedError(LoggedError):
    """Parts of the sweep broke, which the text names; the log says by what."""


def sweep_once(runtime: Runtime) -> str:
    """Run each part of the sweep, and note that it ran if none of them broke."""
    parts: dict[str, Callable[[Runtime], int]] = {
        "servers probed": send_probes,
        "licences woken": wake_overdue,
        "replies woken": wake_open_replies,
        "cards asked for": redraw_overdue,
        "receipts woken": wake_late_receipts,
        "outcomes told": hand_over_due,
    }
    done = {name: _run(runtime, name, part) for name, part in parts.items()}
    broken = [name for name, count in done.items() if count is None]
    if broken:
        raise SweepFailedError(f"not done: {', '.join(broken)}")
    # A database that is away has broken a part above. Who waits for the sweep reads who it was.
    note_sweeper(runtime.redis, name_of(runtime.database))
    note_sweep(runtime.redis)
    return ", ".join(f"{count} {name}" for name, count in done.items())


def _run(runtime: Runtime, name: str, part: Callable[[Runtime], int]) -> int | None:
    """Return what the part counts; None: it broke, which must not cost the others."""
    try:
        return part(runtime)
    except (ConnectionError, TimeoutError):
        # Redis is away, and with it all that the sweep looks at.
        raise
    except Exception as error:  # noqa: BLE001
        # The edge of the process. The error's text may hold anything, its name does not.
        log.error("sweep_part_failed", part=name, error=type(error).__name__)
        return None


def send_probes(runtime: Runtime) -> int:
    """Have the servers asked that have been away; return how many."""
    probes = runtime.circuits.take_due_probes()
    for licence_id in probes:
        probe_server.delay(licence_id)
    return len(probes)


def wake_overdue(runtime: Runtime) -> int:
    """Publish a wake-up for each licence that has overdue lanes; return how many were."""
    return sum(
        runtime.lanes.revive(licence_id, overdue_ms=OVERDUE_MS)
        for licence_id in runtime.lanes.licences()
    )


@app.task(name="mattermost.look_at_store", send_events=False)
def look_at_store() -> str:
    """Try the attachment store, and note what was found: health and metrics tell of it."""
    return look_at_store_once(current_runtime())


def look_at_store_once(runtime: Runtime) -> str:
    """Try the store, unless this process is at it; return what was found, in one word."""
    with only_look() as is_only:
        return _look_at_store(runtime) if is_only else "the last look has not ended"


def _look_at_store(runtime: Runtime) -> str:
    begin_look(runtime.redis)
    reason = trouble_of_store(AttachmentStore(runtime.settings.attachments_url), "worker")
    if reason is not None:
        log.error("store_takes_no_file", reason=reason.value)
    end_look(runtime.redis, takes_files=reason is None)
    return "takes files" if reason is None else reason.value


@app.task(name="mattermost.probe_server")
def probe_server(licence_id: str) -> str:
    """Ask a server that was away whether it is back; if so, let the licence's messages go on."""
    runtime = current_runtime()
    try:
        licence = runtime.licences.access(licence_id)
    except SendFailedError as error:
        log.info("server_not_probed", licence_id=licence_id, reason=error.reason.value)
        return f"not probed: {error.reason.value}"
    try:
        runtime.clients.of(licence).ping()
    except MattermostError as error:
        if runtime.circuits.note(licence_id, error) is Reach.AWAY:
            log.info("server_still_away", licence_id=licence_id, reason=error.reason.value)
            return f"still away: {error.reason.value}"
    runtime.circuits.close(licence_id)
    runtime.lanes.revive(licence_id, overdue_ms=0)
    log.info("server_is_back", licence_id=licence_id)
    return "back"
