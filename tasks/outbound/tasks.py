"""The work of a worker that is woken for a message, and the task that shows a failure."""

from __future__ import annotations

from typing import Any, cast

import structlog
from celery import Task
from celery.utils import uuid
from celery.worker.request import Request
from kombu.exceptions import OperationalError

from ireserve_mattermost.keys import lane_of
from ireserve_mattermost.lanes import Lane
from ireserve_mattermost.message_task import MessageTask, entry_of, ids_of
from ireserve_mattermost.wake_ups import APPENDED_HEADER, DRAIN_LICENCE, shown
from tasks.app import app
from tasks.failures import DeliveryFailedError, Settled
from tasks.outbound.drain import DrainReport, enter, serve
from tasks.runtime import current_runtime

log = structlog.get_logger(__name__)


@app.task(name=DRAIN_LICENCE, bind=True)
def drain_licence(self: Task[..., Any], licence_id: str) -> str:
    """Send what is due for a licence; this task is published as a further wake-up."""
    runtime, task_id = current_runtime(), self.request.id or uuid()
    return _outcome(serve(runtime, enter(runtime, licence_id, wake_id=task_id)), task_id)


@app.task(name="mattermost.message_failed")
def message_failed(*, lane: str, key: str, reason: str, detail: str) -> None:
    """Show in Flower that a message failed while the task of another message drained its lane.

    Raises:
        DeliveryFailedError: always, so that Flower shows a failed task.
    """
    raise DeliveryFailedError(f"{reason}: {key} in {lane}: {detail}", reason)


class MaskedRequest(Request):
    """A task in a worker, whose arguments events and logs do not show.

    A Celery message from our package holds ids only. This class masks the arguments of tasks that
    other programs send by name.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self._request_dict.get(APPENDED_HEADER):  # type: ignore[attr-defined]
            self._argsrepr, self._kwargsrepr = "()", shown(ids_of(self._by_name()))

    def _by_name(self) -> dict[str, Any]:
        try:
            return cast("MessageTask", self.task).by_name(tuple(self.args), self.kwargs)
        except TypeError:
            # The arguments are wrong: the task fails with this error when it runs.
            return dict(self.kwargs)


def serve_licence_of(task: MessageTask) -> str:
    """Send what is due for the message's licence.

    A message that another program sent by the task's name is put into its lane first.
    """
    request = task.request
    task_id = request.id or uuid()
    payload = dict(request.kwargs or {})
    if not (request.headers or {}).get(APPENDED_HEADER):
        payload = task.by_name(tuple(request.args or ()), payload)
        entry = entry_of(task.kind, payload, task_id)
        current_runtime().lanes.append(lane_of(task.kind, payload), entry)
    licence_id = lane_of(task.kind, payload).licence_id
    runtime = current_runtime()
    return _outcome(serve(runtime, enter(runtime, licence_id, wake_id=task_id)), task_id)


MessageTask.work = staticmethod(serve_licence_of)
MessageTask.Request = MaskedRequest  # type: ignore[assignment]


def _outcome(report: DrainReport, task_id: str | None) -> str:
    """Return what was done, as Flower shows it.

    A task also sends messages of other tasks, which may have ended already. Flower shows a failed
    task for each of these messages that failed.

    Raises:
        DeliveryFailedError: the task's own message has failed.
    """
    show_failures(report, except_of=task_id)
    for lane, settled in report.failed:
        if settled.task_id == task_id:
            message_failed(**_failure(lane, settled))
    return str(report)


def show_failures(report: DrainReport, *, except_of: str | None = None) -> None:
    """Publish a failing task for each message that failed, except for the message of one task."""
    for lane, settled in report.failed:
        if settled.task_id == except_of:
            continue
        try:
            app.send_task(
                message_failed.name,
                kwargs=_failure(lane, settled),
                argsrepr="()",
                kwargsrepr=_shown(lane, settled),
            )
        except OperationalError:
            # The ledger and the log have the failure.
            log.warning("failure_not_shown", lane=str(lane), key=settled.key)


def _shown(lane: Lane, settled: Settled) -> str:
    subject = "notification_type" if lane.family == "n" else "conversation_id"
    return shown({"licence_id": lane.licence_id, subject: lane.subject, "key": settled.key})


def _failure(lane: Lane, settled: Settled) -> dict[str, str]:
    return {
        "lane": str(lane),
        "key": settled.key,
        "reason": settled.reason or "",
        "detail": settled.detail or "",
    }
