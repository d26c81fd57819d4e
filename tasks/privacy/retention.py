"""Retention: what is older than the installation keeps it is removed, in small steps."""

from __future__ import annotations

import structlog

from tasks.app import app
from tasks.attachments.store import AttachmentStore
from tasks.replies.unowned_files import Keeper, remove_unowned
from tasks.runtime import Runtime, current_runtime

log = structlog.get_logger(__name__)


# Every minute: its events would bury everything else in Flower.
@app.task(name="mattermost.remove_expired", send_events=False)
def remove_expired() -> str:
    """Remove files that no reply has; safe to run twice at the same time."""
    return f"{remove_files(current_runtime())} files removed"


def remove_files(runtime: Runtime) -> int:
    """Remove the files that no reply has, as far as the store lets it; return how many."""
    store = AttachmentStore(runtime.settings.attachments_url)
    done = remove_unowned(Keeper(runtime.database, store, runtime.locks))
    if done.files or done.failed:
        log.info("files_removed", count=done.files, failed=done.failed)
    return done.files
