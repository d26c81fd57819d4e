"""Refusals that an operator can fix, and wrong settings, arguments and entries."""

from __future__ import annotations

import json
import time
from typing import Any, cast

import pytest
import requests
from redis import Redis
from sqlalchemy import update
from structlog.testing import capture_logs

from ireserve_mattermost.lanes import PREFIX
from ireserve_mattermost.unreadable import UNREADABLE
from models import Licence
from tasks.outbound import parts
from tasks.rendering import render_reply
from tests.pages import ROOT
from tests.stage.stage import BOT, CHANNEL, TEAM, VISITOR, Stage

pytestmark = pytest.mark.one_database

PLACE = f"{TEAM}/{CHANNEL}"
SAMPLES = ROOT / "tests" / "samples"


def _detail(stage: Stage, key: str) -> str:
    return next(row.detail or "" for row in stage.ledger() if row.key == key)


def test_bot_that_is_not_a_member_is_told_to_be_invited(stage: Stage) -> None:
    """A 403 names the bot and the channel; after an invitation the next message is sent."""
    stage.start()
    me = stage.bot().get_me()
    admin = stage.stand_in.setup({})["admin"]["token"]
    _remove_from_channel(stage, admin, me.id)

    report = stage.reply("m1", "lost")
    stage.stand_in.setup({"bots": [{"username": BOT, "channels": [PLACE]}]})
    stage.reply("m2", "kept")

    assert [settled.reason for _, settled in report.failed] == ["not_a_member"]
    assert _detail(stage, "reply:m1") == "invite the bot @ireserve to channel ~webchat"
    assert stage.states()["reply:m2"] == ("sent", None)


def _remove_from_channel(stage: Stage, admin_token: str, user_id: str) -> None:
    answer = requests.delete(
        f"{stage.stand_in.url}/api/v4/channels/{stage.channel_id}/members/{user_id}",
        headers={"Authorization": f"Bearer {admin_token}"},
        timeout=5,
    )
    answer.raise_for_status()


def test_archived_channel_is_named(stage: Stage) -> None:
    """Posting to an archived channel fails with that reason, and works after unarchiving."""
    stage.start()
    stage.stand_in.setup({"channels": [{"team": TEAM, "name": CHANNEL, "archived": True}]})
    stage.reply("m1", "lost")
    stage.stand_in.setup({"channels": [{"team": TEAM, "name": CHANNEL}]})
    stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("failed", "channel_archived")
    assert stage.states()["reply:m2"] == ("sent", None)


def test_unknown_channel_is_told_from_a_missing_membership(stage: Stage) -> None:
    """The ledger distinguishes an unknown channel from a missing membership; both are a 403."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).values(default_channel_id="a" * 26))

    stage.start()

    assert stage.states()["root:1"] == ("failed", "channel_unknown")


def test_unregistered_licence_keeps_its_message(stage: Stage) -> None:
    """A message of an unregistered licence fails and keeps its payload."""
    stage.reply("m1", "early", licence_id="L9")

    (row,) = stage.ledger()

    assert (row.licence_id, row.state.value, row.reason) == ("L9", "failed", "licence_unknown")
    assert row.payload is not None
    assert row.payload["text"] == "early"


def test_disabled_licence_sends_nothing(stage: Stage) -> None:
    """A disabled licence's messages fail and are kept."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).values(enabled=False))

    stage.reply("m1", "hello")

    assert stage.states() == {"reply:m1": ("failed", "licence_disabled")}
    assert stage.posts_sent() == []


def test_unreadable_token_is_told_with_its_cure(stage: Stage) -> None:
    """If a licence's token cannot be decrypted, its message fails, and the detail says the cure."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).values(bot_token_encrypted="damaged"))

    stage.reply("m1", "hello")

    assert stage.states() == {"reply:m1": ("failed", "token_unreadable")}
    assert "ENCRYPTION_KEYS" in _detail(stage, "reply:m1")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"sender_role": "robot"}, "sender_role", id="unknown role"),
        pytest.param({"sent_at": "yesterday"}, "sent_at", id="not a time"),
        pytest.param({"attachments": [{"name": "a"}]}, "attachments.0", id="no source"),
        pytest.param(
            {"attachments": [{"name": "a", "url": "https://x", "path": "y"}]},
            "attachments.0",
            id="two sources",
        ),
        pytest.param({"text": ""}, "text", id="nothing to send"),
        pytest.param({"text": 5}, "text", id="not a text"),
        pytest.param({"text": ["x"]}, "text", id="a list for a text"),
    ],
)
def test_wrong_argument_fails_and_names_the_field(
    stage: Stage, change: dict[str, Any], field: str
) -> None:
    """A message with a wrong argument fails and names the field, and the next message is sent."""
    lane = stage.append(
        "reply", **{"conversation_id": "c1", "message_id": "m1", "text": "x", **VISITOR, **change}
    )
    stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("failed", "invalid_arguments")
    assert field in _detail(stage, "reply:m1")
    assert stage.states()["reply:m2"] == ("sent", None)
    assert stage.runtime.lanes.head(lane) is None


def test_argument_of_a_later_version_is_left_out(
    stage: Stage,
) -> None:
    """An unknown argument is left out and logged."""
    with capture_logs() as logs:
        stage.append("reply", conversation_id="c1", message_id="m1", text="x", mood=1, **VISITOR)
        stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("sent", None)
    ignored = [line for line in logs if line["event"] == "unknown_arguments_ignored"]
    assert [line["names"] for line in ignored] == [["mood"]]


def test_longest_ids_fit_everywhere(stage: Stage) -> None:
    """Ids of 100 bytes, of which each needs percent-encoding, are stored and found again."""
    conversation_id, message_id = "é" * 50, "/" * 100

    stage.reply(message_id, "hello", conversation_id=conversation_id)
    report = stage.reply(message_id, "hello", conversation_id=conversation_id)

    assert str(report) == "1 known already"


def test_longer_id_is_kept_as_a_failed_message(stage: Stage) -> None:
    """A longer id has a substitute in the lane's name, and the payload keeps the whole id."""
    stage.reply("m1", "hello", conversation_id="é" * 51)

    (row,) = stage.ledger()
    assert (row.state.value, row.reason) == ("failed", "invalid_arguments")
    assert row.detail is not None
    assert row.detail.startswith("conversation_id: must have at most 100 bytes")
    assert row.payload is not None
    assert (row.payload["conversation_id"], row.payload["text"]) == ("é" * 51, "hello")


def test_integers_are_accepted_as_ids(stage: Stage) -> None:
    """Integers as ids become text."""
    stage.reply(5, "hello", conversation_id=7)  # type: ignore[arg-type]

    assert stage.states() == {"reply:5": ("sent", None), "root:1": ("sent", None)}
    assert stage.conversation().conversation_id == "7"


def test_message_that_breaks_the_worker_fails_by_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error fails only its message, and the ledger's detail has no message text."""

    def broken(**arguments: Any) -> list[str]:
        if arguments["text"] == "secret words":
            raise RuntimeError(arguments["text"])
        return render_reply(**arguments)

    monkeypatch.setattr(parts, "render_reply", broken)

    stage.reply("m1", "secret words")
    stage.reply("m2", "kept")

    assert stage.states()["reply:m1"] == ("failed", "internal_error")
    assert stage.states()["reply:m2"] == ("sent", None)
    assert "secret" not in _detail(stage, "reply:m1")


def test_foreign_entry_is_set_aside(stage: Stage) -> None:
    """An entry that we did not write is set aside, and the lane's messages are sent."""
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="x", **VISITOR)
    with Redis.from_url(stage.runtime.settings.redis_url) as redis:
        redis.lpush(f"ireserve-mattermost:lane:{lane}", b"garbage")

        stage.reply("m2", "y")

        assert redis.lrange(UNREADABLE, 0, -1) == [b"garbage"]
    assert stage.states()["reply:m1"] == ("sent", None)


def test_version_can_be_rolled_back_with_messages_waiting(stage: Stage) -> None:
    """Entries of a later version are sent if readable, else set aside."""
    entries = json.loads((SAMPLES / "entries-of-a-later-version.json").read_text())
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="x", **VISITOR)
    for each in entries:
        raw = f"{round(time.time() * 1_000)}:{json.dumps(each['entry'])}"
        stage.runtime.redis.rpush(f"{PREFIX}lane:{lane}", raw)

    stage.reply("m2", "y")

    set_aside = [each["entry"] for each in entries if each["becomes"] == "set aside"]
    kept = cast("list[bytes]", stage.runtime.redis.lrange(UNREADABLE, 0, -1))
    assert [json.loads(raw.partition(b":")[2]) for raw in kept] == set_aside
    assert stage.states() == {
        "root:1": ("sent", None),
        "reply:m1": ("sent", None),
        "reply:n1": ("sent", None),
        "reply:m2": ("sent", None),
    }


@pytest.mark.parametrize(
    ("key", "task_id"),
    [("nul\0", "t1"), ("half \ud83d", "t1"), ("long task", "t" * 5_000), ("nul task", "t\0")],
)
def test_entry_whose_refusal_cannot_be_written_blocks_nothing(
    stage: Stage, key: str, task_id: str
) -> None:
    """An entry that no database can store is failed or set aside, and the others are sent."""
    stage.start()
    lane = stage.append("reply", conversation_id="c1", message_id="m1", text="x", **VISITOR)
    entry = {"v": 2, "kind": "reply", "key": key, "task_id": task_id, "arguments": {}}
    raw = f"{round(time.time() * 1_000)}:{json.dumps(entry)}".encode()
    with Redis.from_url(stage.runtime.settings.redis_url) as redis:
        redis.rpush(f"ireserve-mattermost:lane:{lane}", raw)
        stage.reply("m2", "y")
        set_aside = redis.lrange(UNREADABLE, 0, -1)

    assert stage.states()["reply:m1"] == ("sent", None)
    assert stage.states()["reply:m2"] == ("sent", None)
    failed = [known for known in stage.states() if known not in {"root:1", "reply:m1", "reply:m2"}]
    assert len(failed) + len(set_aside) == 1


@pytest.mark.parametrize("nasty", ["a\0b", "\ud83d half an emoji", "\u202e right to left"])
def test_characters_that_a_database_refuses_do_no_harm(stage: Stage, nasty: str) -> None:
    """NUL, lone surrogates and bidirectional controls break nothing."""
    stage.start(visitor_name=nasty, page_url=f"https://example.com/{nasty}")
    stage.reply("m1", nasty, sender_name=nasty)
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m2", nasty, sender_name=nasty)

    assert stage.states() == {
        "root:1": ("sent", None),
        "reply:m1": ("sent", None),
        "reply:m2": ("failed", "rejected_by_plugin"),
    }
