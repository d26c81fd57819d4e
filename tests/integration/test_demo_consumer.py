"""The demo's consumer of replies follows the rules of docs/integrating.md."""

from __future__ import annotations

import itertools
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery.signals import task_prerun
from celery.utils.dispatch import Signal
from redis import Redis

from demo.ireserve import consumer
from demo.ireserve.configuration import Channel, Configuration
from demo.ireserve.store import Message, MessageState, Store
from ireserve_mattermost.messages import parse_message
from ireserve_mattermost.testing import outcome, team_reply

LICENCE, CONVERSATION = "licence-7", "conversation-1042"
POST = "4xp9fdt7pbgium38k0k6w9oxea"


@pytest.fixture
def store(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """i-Reserve's store, which the consumer finds through the environment."""
    place = Configuration(
        store=tmp_path / "ireserve.db",
        attachments=tmp_path,
        channels={LICENCE: Channel("", "")},
        stand_in_url=None,
        commands=tmp_path / "ireserve-mattermost",
    )
    for name, value in place.to_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(consumer.app.conf, "broker_url", redis_url)
    monkeypatch.setattr(consumer.app, "_pool", None)
    monkeypatch.setattr(consumer.app.amqp, "_producer_pool", None)
    store = Store(place.store)
    store.create()
    return store


def send_reply(**changes: Any) -> None:
    """Send a reply to i-Reserve's task, as the package does."""
    consumer.record_reply(**team_reply(**changes))


def messages(store: Store) -> list[Message]:
    """Return i-Reserve's messages of the conversation."""
    return store.messages(LICENCE, CONVERSATION)


REVISIONS: tuple[Callable[[], None], ...] = (
    lambda: send_reply(reply_id=5, plain_text="At 14:00."),
    lambda: send_reply(reply_id=5, event="edited", revision=2, plain_text="At 15:00."),
    lambda: send_reply(reply_id=5, event="edited", revision=3, plain_text="At 16:00."),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_newest_revision_stays_in_whatever_order_they_come(
    store: Store, order: tuple[int, ...]
) -> None:
    """The newest revision stays, in whatever order and however often revisions come."""
    for number in (*order, *order):
        REVISIONS[number]()

    assert [message.plain_text for message in messages(store)] == ["At 16:00."]


def test_a_reply_that_comes_again_under_a_new_number_is_one(store: Store) -> None:
    """A reply that comes again with a new id, as after a restored backup, stays one message."""
    send_reply(reply_id=5, revision=4, event="edited", plain_text="At 14:00.")
    send_reply(reply_id=9, plain_text="At 14:00.")
    send_reply(reply_id=5, revision=4, event="edited", plain_text="At 14:00.")
    send_reply(reply_id=9, revision=2, event="deleted", text=None, plain_text=None)

    [message] = messages(store)
    assert (message.reply_id, message.state, message.text) == (9, MessageState.DELETED, "")


def test_outcomes_are_kept_once_each_and_by_their_time(store: Store) -> None:
    """Each outcome is stored once, and outcomes are listed in the order of their times."""
    link = {"event": "thread_linked", "outcome_id": "o1", "permalink": "https://chat/1"}
    later = {**link, "outcome_id": "o3", "permalink": "https://chat/2"}
    failed = {"outcome_id": "o2", "message_id": "m1", "reason": "unreachable"}
    outcomes = [
        outcome(**later, at="2026-05-01T14:00:00+00:00"),
        outcome(**failed, at="2026-05-01T13:00:00+00:00"),
        outcome(**link, at="2026-05-01T12:00:00+00:00"),
    ]
    for each in (*outcomes, *outcomes):
        consumer.record_outcome(**each, mood="calm")

    kept = store.outcomes(LICENCE, CONVERSATION)
    assert [(each.event, each.reason or each.permalink) for each in kept] == [
        ("thread_linked", "https://chat/1"),
        ("failed", "unreachable"),
        ("thread_linked", "https://chat/2"),
    ]


def test_order_is_by_time_and_then_by_number(store: Store) -> None:
    """Messages are ordered by time and reply id, and an edit moves none."""
    for number, post in ((7, "p7"), (6, "p6")):
        send_reply(reply_id=number, post_id=post)
    send_reply(reply_id=8, post_id="p8", posted_at="2026-05-01T11:00:00+00:00")
    send_reply(reply_id=6, post_id="p6", event="edited", revision=2)

    assert [message.reply_id for message in messages(store)] == [8, 6, 7]


def test_a_reply_that_becomes_a_note_leaves_the_visitors_sight(store: Store) -> None:
    """The visitor sees a reply only while the reply is no note."""
    seen = []
    for revision, visibility in enumerate(("public", "internal", "public"), 1):
        send_reply(event="edited", revision=revision, visibility=visibility)
        seen.append(len(store.visible_to_visitor(LICENCE, CONVERSATION)))

    assert seen == [1, 0, 1]


def test_unknown_keywords_are_ignored(store: Store) -> None:
    """Unknown keywords of a later version are ignored."""
    consumer.record_reply(**team_reply(), mood="calm", thread={"a": 1})

    assert [message.post_id for message in messages(store)] == [POST]


def test_a_reply_is_not_sent_back(store: Store, redis_url: str) -> None:
    """The consumer enqueues a reply with the id of its post, and enqueues no deletion."""
    send_reply(
        text="",
        plain_text="",
        visibility="internal",
        attachments=[{"name": "a.png", "path": None, "reason": "gone"}],
    )
    send_reply(event="deleted", revision=2)

    with Redis.from_url(redis_url) as redis:
        [published] = redis.lrange("mattermost", 0, -1)
    [licence_id, conversation_id], arguments, _ = json.loads(
        b64decode(json.loads(published)["body"])
    )
    message = parse_message(
        "reply", {"licence_id": licence_id, "conversation_id": conversation_id, **arguments}
    )
    assert (message.origin_post_id, message.is_internal) == (POST, True)
    assert (message.text, message.attachments) == ("", ())


def test_a_store_that_is_away_is_tried_again(store: Store, tmp_path: Path) -> None:
    """If the store is away, Celery retries the task until the reply is stored."""
    (tmp_path / "ireserve.db").unlink()
    runs = itertools.count()

    def come_back(**_: Any) -> None:
        if next(runs) == 2:
            store.create()

    with connected(task_prerun, come_back):
        consumer.record_reply.apply(kwargs=team_reply())

    assert [message.post_id for message in messages(store)] == [POST]
    assert next(runs) == 3


@contextmanager
def connected(signal: Signal, receiver: Callable[..., None]) -> Iterator[None]:
    """Call the receiver at each of these signals of Celery in the block."""
    signal.connect(receiver, weak=False)
    try:
        yield
    finally:
        signal.disconnect(receiver)
