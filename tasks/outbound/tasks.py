"""The public tasks: what i-Reserve enqueues; and the tasks that wake a lane or show a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from celery.utils import uuid
from kombu.exceptions import OperationalError

from tasks.app import APPENDED_HEADER, MessageTask, app, append_message, producer_lanes
from tasks.failures import DeliveryFailedError
from tasks.lanes import Lane
from tasks.messages import lane_of

if TYPE_CHECKING:
    from tasks.failures import Settled
    from tasks.outbound.drain import DrainReport

log = structlog.get_logger(__name__)


@app.task(base=MessageTask, bind=True, name="mattermost.create_root_post", kind="root")
def create_root_post(
    self: MessageTask,
    licence_id: str | int,
    conversation_id: str | int,
    *,
    visitor_name: str,
    page_url: str | None = None,
    started_at: str | None = None,
) -> str:
    """Start a conversation's thread: a root post with its id, the visitor and the page.

    ``started_at`` is ISO 8601 (UTC when it names no zone). A conversation has one root post,
    however often this is called.
    """
    return _deliver(self)


@app.task(base=MessageTask, bind=True, name="mattermost.post_reply", kind="reply")
def post_reply(
    self: MessageTask,
    licence_id: str | int,
    conversation_id: str | int,
    *,
    message_id: str | int,
    sender_name: str,
    sender_role: str,
    text: str = "",
    attachments: Any = (),
    sent_at: str | None = None,
    origin_post_id: str | None = None,
) -> str:
    """Post a message of the conversation into its thread, once for each ``message_id``.

    ``sender_role`` is "visitor" or "agent". An attachment is ``{"name", "url"}`` or
    ``{"name", "path"}``, optionally with ``content_type``. With ``origin_post_id`` the message came
    from Mattermost in the first place: nothing is posted.
    """
    return _deliver(self)


@app.task(base=MessageTask, bind=True, name="mattermost.send_notification", kind="notification")
def send_notification(
    self: MessageTask,
    licence_id: str | int,
    *,
    notification_type: str,
    text: str,
    title: str | None = None,
    fields: Any = None,
    color: str | None = None,
    url: str | None = None,
    notification_id: str | int | None = None,
) -> str:
    """Post a notification in the channel mapped to its type, or else in the default channel.

    ``fields`` maps titles to values. ``color`` is "good", "warning", "danger" or "#rrggbb". The
    same ``notification_id`` of a type is posted once; without one each call posts.
    """
    return _deliver(self)


@app.task(base=MessageTask, bind=True, name="mattermost.sync_user", kind="user")
def sync_user(
    self: MessageTask,
    licence_id: str | int,
    *,
    user_id: str | int,
    email: str,
    name: str,
    active: bool = True,
) -> str:
    """Store a user of i-Reserve, new or changed: replies are recorded under who has their e-mail.

    The newest call for a ``user_id`` wins. A deactivated one (``active=False``) is nobody's author.
    """
    return _deliver(self)


@app.task(name="mattermost.drain_lane")
def drain_lane(lane: str) -> str:
    """Send what waits in a lane; the sweep wakes it when a wake-up was lost."""
    return _drain(Lane.parse(lane), task_id=None)


@app.task(name="mattermost.message_failed")
def message_failed(*, lane: str, key: str, reason: str, detail: str) -> None:
    """Show a message in red that failed while the task of another one was at its lane.

    Raises:
        DeliveryFailedError: always; that is what shows it.
    """
    raise DeliveryFailedError(f"{key} in {lane}: {reason}: {detail}", reason)


def _deliver(task: MessageTask) -> str:
    """Drain the lane that the task's message is in, after putting it there if nobody has yet."""
    request = task.request
    task_id = request.id or uuid()
    payload = task.by_name(tuple(request.args or ()), dict(request.kwargs or {}))
    if not (request.headers or {}).get(APPENDED_HEADER):
        append_message(producer_lanes(), task.kind, payload, task_id)
    return _drain(lane_of(task.kind, payload), task_id=task_id)


def _drain(lane: Lane, *, task_id: str | None) -> str:
    # Imported where it is used: i-Reserve imports these tasks only to call `.delay()`, and needs
    # neither the database nor the client for that.
    from tasks.outbound.drain import drain
    from tasks.runtime import current_runtime

    return _outcome(drain(current_runtime(), lane), task_id)


def _outcome(report: DrainReport, task_id: str | None) -> str:
    """Return what was done, as Flower shows it.

    A task drains whatever is in the lane: messages of other tasks, which may be over already. Each
    that failed gets a red entry of its own.

    Raises:
        DeliveryFailedError: the task's own message has failed.
    """
    show_failures(report, except_of=task_id)
    for lane, settled in report.failed:
        if settled.task_id == task_id:
            message_failed(**_failure(lane, settled))
    return str(report)


def show_failures(report: DrainReport, *, except_of: str | None = None) -> None:
    """Give each message that failed a red entry of its own, but for that of one task."""
    for lane, settled in report.failed:
        if settled.task_id == except_of:
            continue
        try:
            message_failed.delay(**_failure(lane, settled))
        except OperationalError:
            # The ledger has it and the log too.
            log.warning("failure_not_shown", lane=str(lane), key=settled.key)


def _failure(lane: Lane, settled: Settled) -> dict[str, str]:
    return {
        "lane": str(lane),
        "key": settled.key,
        "reason": settled.reason or "",
        "detail": settled.detail or "",
    }
