"""Licences on the command line: show, switch and remove, with notifications and webhook tokens."""

from __future__ import annotations

import pytest
from redis import Redis
from sqlalchemy import select

from demo.mattermost import NEWEST
from ireserve_mattermost.lanes import Lane
from models import (
    Conversation,
    NotificationChannel,
    Reply,
    ReplyAttachment,
    ReplySource,
    ReplyState,
    User,
    WebhookToken,
)
from tests.operators import Operator
from tests.stage.rows import counts, stored
from tests.stage.stage import BOT, CHANNEL, LICENCE, TEAM, Stage

pytestmark = pytest.mark.one_database


def test_licences_are_listed_and_shown_without_secrets(stage: Stage, operator: Operator) -> None:
    """List and show have all settings and the server's limits, without secrets."""
    operator.json("licence", "notify", LICENCE, "booking", "--off")

    (listed,) = operator.json("licence", "list")["licences"]
    details = operator.json("licence", "show", LICENCE)["licence"]

    assert details.items() >= listed.items()
    assert listed == {
        "id": LICENCE,
        "enabled": True,
        "server_url": stage.stand_in.url,
        "team": TEAM,
        "channel": CHANNEL,
        "bot": BOT,
        "mention": "",
        "names": "header",
        "note_prefixes": "note: notitie: notiz:",
        "reply_mode": "all",
        "reply_prefixes": "reply: antwoord: antwort: r:",
        "reply_pause_s": 0,
        "receipts": "all",
        "hints": True,
        "language": "en",
        "time_zone": "UTC",
        "server_version": NEWEST,
        "collapsed_threads": "always_on",
        "max_post_size": 16_383,
        "max_file_size_bytes": 104_857_600,
    }
    assert details["webhook_tokens"] == 0
    assert details["notifications"] == [{"type": "booking", "channel": CHANNEL, "enabled": False}]
    assert BOT in operator.run("licence", "show", LICENCE).stdout


def test_licence_is_disabled_and_enabled(stage: Stage, operator: Operator) -> None:
    """A licence is disabled and enabled, and enabling it again changes nothing."""
    operator.json("licence", "disable", LICENCE)
    off = stored(stage).enabled
    operator.json("licence", "enable", LICENCE)
    operator.json("licence", "enable", LICENCE)

    assert (off, stored(stage).enabled) == (False, True)


def test_removed_licence_leaves_nothing_behind(
    stage: Stage, operator: Operator, redis_url: str
) -> None:
    """Removing a licence removes its rows, files and waiting messages."""
    stage.start()
    stage.reply("m1", "sent")
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m2", "fails")
    stage.append("reply", conversation_id="c1", message_id="m3", text="waits")
    (stage.store / "L1").mkdir()
    (stage.store / "L1" / "file").write_bytes(b"x")
    with stage.runtime.database.transaction() as session:
        session.add(User(licence_id=LICENCE, user_id="u", email="a@example.com", name="A"))
        session.add(WebhookToken(licence_id=LICENCE, token_hash="h"))
        session.add(
            NotificationChannel(
                licence_id=LICENCE, notification_type="t", channel_id="c", channel_name="c"
            )
        )
        row = session.scalars(select(Conversation.id)).one()
        session.add(
            Reply(
                licence_id=LICENCE,
                post_id="p",
                conversation_row=row,
                state=ReplyState.RECORDED,
                source=ReplySource.WEBHOOK,
                attachments=[
                    ReplyAttachment(
                        file_id="f", position=0, name="n", content_type="t", size_bytes=1,
                        path="L1/file",
                    )
                ],
            )
        )  # fmt: skip

    asked = operator.run("licence", "remove", LICENCE, stdin="n\n")
    kept = stored(stage).id
    answer = operator.json("licence", "remove", LICENCE, "--yes")

    assert (asked.exit_code, kept) == (1, LICENCE)
    assert "1 conversations, 1 replies and 1 files" in asked.output
    assert answer == {
        "licence": LICENCE,
        "conversations": 1,
        "replies": 1,
        "files": 1,
        "payloads": 1,
        "waiting": 1,
        "threads": 0,
    }
    assert set(counts(stage).values()) == {0}
    assert not (stage.store / "L1" / "file").exists()
    with Redis.from_url(redis_url) as redis:
        assert [key for key in redis.scan_iter("*") if b"lane:" in key] == []
    assert stage.runtime.lanes.head(Lane.of_conversation(LICENCE, "c1")) is None


def test_notifications_are_listed(stage: Stage, operator: Operator) -> None:
    """Each mapped notification type is listed with its channel, in order."""
    operator.json("licence", "notify", LICENCE, "status", "--off")
    mapped = operator.json("licence", "notify", LICENCE, "booking", f"~{CHANNEL}")

    listed = operator.json("licence", "notify", LICENCE, "--list")

    assert mapped == {"licence": "L1", "type": "booking", "channel": CHANNEL, "enabled": True}
    assert listed["notifications"] == [
        {"type": "booking", "channel": CHANNEL, "enabled": True},
        {"type": "status", "channel": CHANNEL, "enabled": False},
    ]


def test_webhook_tokens_are_taken_rotated_and_forgotten(stage: Stage, operator: Operator) -> None:
    """An old token stays valid until the rotation is finished, and no token is printed."""
    first, second = "1" * 26, "2" * 26

    answers = [
        operator.json("licence", "webhook", LICENCE, "--token-file", "-", stdin=first),
        operator.json("licence", "webhook", LICENCE, stdin=second),
        operator.json("licence", "webhook", LICENCE, "--finish"),
        operator.json("licence", "webhook", LICENCE, "--forget", "--token-file", "-", stdin=first),
        operator.json("licence", "webhook", LICENCE, "--forget", "--token-file", "-", stdin=second),
    ]

    assert [answer["tokens"] for answer in answers] == [1, 1, 1, 0, 1]
    assert [token for token in (first, second) if token in str(answers)] == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["edit", LICENCE], id="nothing to change"),
        pytest.param(["edit", LICENCE, "--note-prefixes", "x" * 201], id="too long"),
        pytest.param(["edit", LICENCE, "--mention", "@here"], id="mention of no member"),
        pytest.param(["edit", LICENCE, "--mention", ""], id="empty mention"),
        pytest.param(["edit", LICENCE, "--mention", "a", "--no-mention"], id="mention and none"),
        pytest.param(["edit", LICENCE, "--names", "both"], id="unknown way of names"),
        pytest.param(["edit", LICENCE, "--receipts", "some"], id="unknown receipts"),
        pytest.param(["edit", LICENCE, "--replies", "some"], id="unknown mode of replies"),
        pytest.param(["edit", LICENCE, "--reply-prefixes", "r" * 201], id="prefixes too long"),
        pytest.param(["edit", LICENCE, "--reply-prefixes", ""], id="no reply prefix"),
        pytest.param(["edit", LICENCE, "--reply-prefixes", "x: !r"], id="prefix is a command"),
        pytest.param(["edit", LICENCE, "--reply-prefixes", "Note:"], id="prefix of a note"),
        pytest.param(
            ["edit", LICENCE, "--replies", "explicit", "--note-prefixes", "r:"],
            id="note with the prefix of a reply",
        ),
        pytest.param(["edit", LICENCE, "--reply-pause", "61"], id="pause too long"),
        pytest.param(["edit", LICENCE, "--reply-pause", "2m"], id="pause of minutes"),
        pytest.param(["edit", LICENCE, "--reply-pause", "-1"], id="pause below nothing"),
        pytest.param(["edit", LICENCE, "--reply-pause", "soon"], id="pause that is no time"),
        pytest.param(["notify", LICENCE], id="no type"),
        pytest.param(["notify", LICENCE, "t", "c", "--off"], id="channel and off"),
        pytest.param(["notify", LICENCE, "t", "--list"], id="type and list"),
        pytest.param(["notify", LICENCE, "t" * 101, "c"], id="type too long"),
        pytest.param(["webhook", LICENCE, "--finish", "--forget"], id="finish and forget"),
        pytest.param(["remove", LICENCE, "--json"], id="json cannot ask"),
        pytest.param(
            ["add", "L2", "--url", "http://x", "--team", "t", "--channel", "c",
             "--admin-token-file", "-"],
            id="administrator without an address",
        ),
    ],
)  # fmt: skip
def test_wrong_use_ends_with_two(operator: Operator, words: list[str]) -> None:
    """Wrong use ends with exit code 2."""
    assert operator.run("licence", *words).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["show", "L9"], ["edit", "L9", "--receipts", "all"], ["disable", "L9"], ["enable", "L9"],
        ["remove", "L9", "--yes"], ["notify", "L9", "--list"], ["notify", "L9", "t", "--off"],
        ["webhook", "L9", "--finish"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_unknown_licence_is_one_line(operator: Operator, words: list[str]) -> None:
    """Each command about an unknown licence ends with one line that names the licence."""
    assert "no licence 'L9' is registered" in operator.error("licence", *words)
