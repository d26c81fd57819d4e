"""The sweep: wakes lanes whose wake-up was lost, and probes servers that did not answer."""

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
from tasks.outbound.outcomes import publish_due
from tasks.outbound.redraw import redraw_overdue
from tasks.replies.giving_receipts import wake_late_receipts
from tasks.replies.open_replies import wake_open_replies
from tasks.runtime import Runtime, current_runtime
from tasks.watch.installations import name_of
from tasks.watch.last_sweeps import note_sweep, note_sweeper
from tasks.watch.store_looks import begin_look, end_look, only_look

log = structlog.get_logger(__name__)


# Without events, because the sweep runs every 5 s and would fill Flower's list.
@app.task(name="mattermost.sweep", send_events=False)
def sweep() -> str:
    """Wake everything that has waited too long; two sweeps may run at the same time.

    Raises:
        SweepFailedError: a part has failed; the other parts have run.
    """
    return sweep_once(current_runtime())


class SweepFailedError(LoggedError):
    """Parts of the sweep have failed; the text names the parts, and the log has the errors."""


def sweep_once(runtime: Runtime) -> str:
    """Run each part of the sweep, and note the time of the sweep if every part succeeded.

    Raises:
        SweepFailedError: a part has failed; the other parts have run.
    """
    parts: dict[str, Callable[[Runtime], int]] = {
        "servers probed": send_probes,
        "licences woken": wake_overdue,
        "replies woken": wake_open_replies,
        "cards asked for": redraw_overdue,
        "receipts woken": wake_late_receipts,
        "outcomes told": publish_due,
    }
    done = {name: _run(runtime, name, part) for name, part in parts.items()}
    broken = [name for name, count in done.items() if count is None]
    if broken:
        raise SweepFailedError(f"not done: {', '.join(broken)}")
    # If the database does not answer, a part above has failed. The database's name is noted first,
    # because the doctor waits for the time and then reads the name.
    note_sweeper(runtime.redis, name_of(runtime.database))
    note_sweep(runtime.redis)
    return ", ".join(f"{count} {name}" for name, count in done.items())


def _run(runtime: Runtime, name: str, part: Callable[[Runtime], int]) -> int | None:
    """Return the part's count; None if the part has failed, so that the other parts still run."""
    try:
        return part(runtime)
    except (ConnectionError, TimeoutError):
        # Redis cannot be reached, and every part needs Redis.
        raise
    except Exception as error:  # noqa: BLE001
        # An error ends only its own part. Only the error's class is logged, because its text may
        # hold personal data.
        log.error("sweep_part_failed", part=name, error=type(error).__name__)
        return None


def send_probes(runtime: Runtime) -> int:
    """Enqueue a probe for each server whose next probe is due; return how many."""
    probes = runtime.circuits.take_due_probes()
    for licence_id in probes:
        probe_server.delay(licence_id)
    return len(probes)


def wake_overdue(runtime: Runtime) -> int:
    """Publish a wake-up for each licence that has overdue lanes; return how many licences."""
    return sum(
        runtime.lanes.revive(licence_id, overdue_ms=OVERDUE_MS)
        for licence_id in runtime.lanes.licences()
    )


@app.task(name="mattermost.look_at_store", send_events=False)
def look_at_store() -> str:
    """Try the attachment store, and note the result for the health page and the metrics."""
    return look_at_store_once(current_runtime())


def look_at_store_once(runtime: Runtime) -> str:
    """Try the store, unless this process is already trying it; return the result in words."""
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
    """Ask a server that did not answer whether it is back; if so, wake the licence's lanes."""
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
