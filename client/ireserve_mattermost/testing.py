"""Help for i-Reserve's own tests: the messages it enqueued, and arguments for its own tasks.

with recording() as enqueued:
    my_code_under_test()
assert enqueued[0].arguments["text"] == "Hello"
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from ireserve_mattermost.lanes import Lane, LaneEntry
from ireserve_mattermost.message_task import use_lanes
from ireserve_mattermost.messages import parse_message

_TASKS = {
    "root": "create_root_post",
    "reply": "post_reply",
    "conversation": "update_conversation",
    "notification": "send_notification",
    "user": "sync_user",
}


@dataclass(frozen=True)
class Recorded:
    """A call of ``.delay()``: the task's name, its arguments by name, and its context."""

    task: str
    arguments: Mapping[str, Any]
    context: Mapping[str, str]


class _Recorder:
    """Lanes that record the appended messages, without Redis."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []

    def append(self, lane: Lane, entry: LaneEntry, *, wake: str = "") -> bool:
        # Write and read the entry, so that a test sees what JSON changes or refuses.
        written = LaneEntry.load(b"0:" + entry.dump())
        parse_message(written.kind, written.payload)
        self.recorded.append(Recorded(_TASKS[written.kind], written.payload, written.context))
        return False


@contextmanager
def recording() -> Iterator[list[Recorded]]:
    """Yield a list to which each ``.delay()`` adds a call; Redis is not needed.

    Arguments that a worker would refuse are refused by ``.delay()`` itself.

    Raises:
        InvalidMessageError: by ``.delay()``; the message names the fields and their rules.
    """
    recorder = _Recorder()
    before = use_lanes(recorder)
    try:
        yield recorder.recorded
    finally:
        use_lanes(before)


def team_reply(**changes: Any) -> dict[str, Any]:
    """Return example arguments for the task that ``REPLY_TASK`` names, with these changes.

    record_reply(**team_reply(event="edited", revision=2, text="At 15:00."))
    """
    reply: dict[str, Any] = {
        "reply_id": 1,
        "event": "recorded",
        "revision": 1,
        "licence_id": "licence-7",
        "conversation_id": "conversation-1042",
        "post_id": "4xp9fdt7pbgium38k0k6w9oxea",
        "visibility": "public",
        "author_user_id": "user-7",
        "author_name": "Anna",
        "text": "At 14:00.",
        "plain_text": "At 14:00.",
        "posted_at": "2026-05-01T12:00:00+00:00",
        "attachments": [],
    }
    return _changed("a team's reply", reply, changes)


def outcome(**changes: Any) -> dict[str, Any]:
    """Return example arguments for the task that ``OUTCOME_TASK`` names, with these changes.

    record_outcome(**outcome(event="thread_linked", permalink="https://..."))
    """
    told: dict[str, Any] = {
        "outcome_id": "3f2b8c1e-6d0a-4c58-9f1e-0b7a5d2c9e44",
        "event": "failed",
        "at": "2026-05-01T12:00:00+00:00",
        "licence_id": "licence-7",
        "conversation_id": "conversation-1042",
        "message_id": None,
        "notification_type": None,
        "notification_id": None,
        "user_id": None,
        "kind": None,
        "key": None,
        "task_id": None,
        "reason": None,
        "detail": None,
        "root_post_id": None,
        "permalink": None,
    }
    return _changed("an outcome", told, changes)


def _changed(what: str, told: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(changes) - set(told))
    if unknown:
        raise TypeError(f"{what} has no {unknown[0]!r}: it has {', '.join(told)}")
    return {**told, **changes}
