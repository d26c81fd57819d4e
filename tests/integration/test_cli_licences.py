"""Licences on the command line: add, show, edit, switch and remove, with their webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select

from demo.mattermost import NEWEST
from ireserve_mattermost.lanes import Lane
from models import (
    Base,
    Conversation,
    Licence,
    Names,
    NotificationChannel,
    Reply,
    ReplyAttachment,
    ReplySource,
    ReplyState,
    User,
    WebhookToken,
    hash_token,
)
from tasks.licences.access import Licences
from tests.operators import Operator, environment_of
from tests.stage.stage import BOT, CHANNEL, LICENCE, TEAM, Stage

pytestmark = pytest.mark.one_database

CALLBACK = "https://booking.example.com/mattermost/replies"


@pytest.fixture
def operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """The operator of the stage's installation."""
    environment_of(stage.runtime.settings, monkeypatch)
    return Operator(stage.runtime.settings)


@pytest.fixture
def tokens(stage: Stage, tmp_path: Path) -> dict[str, str]:
    """Files with the tokens of the bot, of an administrator and of a member."""
    admin = stage.stand_in.setup({})["admin"]["token"]
    found = {"bot": stage.bot_token, "admin": admin, "member": stage.user_token}
    for name, token in found.items():
        (tmp_path / name).write_text(token + "\n")
    return {name: str(tmp_path / name) for name in found}


def add(operator: Operator, stage: Stage, tokens: dict[str, str], *words: str) -> Any:
    """Add a second licence on the same server."""
    result = operator.json(
        "licence", "add", "L2", "--url", stage.stand_in.url, "--team", TEAM,
        "--channel", CHANNEL, "--token-file", tokens["bot"], *words,
    )  # fmt: skip
    assert [each for each in tokens.values() if Path(each).read_text().strip() in str(result)] == []
    return result


def make_private(stage: Stage) -> None:
    """Make the channel private."""
    stage.stand_in.setup({"channels": [{"team": TEAM, "name": CHANNEL, "type": "P"}]})


def hooks(stage: Stage) -> list[Any]:
    """Return the outgoing webhooks on the server."""
    return list(stage.stand_in.backend.state.hooks.values())


def stored(stage: Stage, licence_id: str = LICENCE) -> Licence:
    """Return the licence's row."""
    with stage.runtime.database.transaction() as session:
        return session.get_one(Licence, licence_id)


def counts(stage: Stage) -> dict[str, int]:
    """Return the number of rows in each table that belongs to licences."""
    with stage.runtime.database.transaction() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def test_webhook_is_made_with_an_administrators_token(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """With an administrator's token, the webhook is made and its token stored."""
    answer = add(
        operator, stage, tokens, "--admin-token-file", tokens["admin"], "--callback-url", CALLBACK
    )

    (hook,) = hooks(stage)
    with stage.runtime.database.transaction() as session:
        (token,) = session.scalars(select(WebhookToken))
    assert (hook.channel_id, hook.callback_urls) == (stage.channel_id, (CALLBACK,))
    assert (hook.display_name, hook.content_type) == ("i-Reserve replies", "application/json")
    assert (token.licence_id, token.token_hash) == ("L2", hash_token(hook.token))
    assert answer["webhook"] == {"state": "ready", "id": hook.id, "fields": {}}
    assert hook.token not in str(answer)


def test_adding_again_makes_no_second_webhook(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """Adding a licence again makes no second webhook, which would double the calls."""
    words = ("--admin-token-file", tokens["admin"], "--callback-url", CALLBACK)

    first = add(operator, stage, tokens, *words)
    second = add(operator, stage, tokens, *words)

    assert len(hooks(stage)) == 1
    assert first["webhook"] == second["webhook"]


def test_without_that_token_the_fields_to_fill_in_are_told(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """Without that token, the output names the fields to fill in, and the next command."""
    answer = add(operator, stage, tokens, "--callback-url", CALLBACK)

    assert hooks(stage) == []
    assert answer["webhook"] == {
        "state": "to_do",
        "id": None,
        "fields": {
            "Title": "i-Reserve replies",
            "Content Type": "application/json",
            "Channel": CHANNEL,
            "Trigger Words": "(leave empty)",
            "Callback URLs": CALLBACK,
        },
    }
    assert "licence webhook L2" in " ".join(answer["next"])


def test_private_channel_is_told_to_live_by_catch_up(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """For a private channel no webhook is made, and the output says so."""
    make_private(stage)

    answer = add(
        operator, stage, tokens, "--admin-token-file", tokens["admin"], "--callback-url", CALLBACK
    )

    assert answer["webhook"]["state"] == "catch_up"
    assert "catch-up" in answer["next"][0]
    assert hooks(stage) == []


def test_token_that_may_not_make_webhooks_stores_nothing(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """If Mattermost refuses the webhook, its reason is shown and no licence is stored."""
    answer = operator.json(
        "licence", "add", "L2", "--url", stage.stand_in.url, "--team", TEAM, "--channel", CHANNEL,
        "--token-file", tokens["bot"], "--admin-token-file", tokens["member"],
        "--callback-url", CALLBACK, exit_code=1,
    )  # fmt: skip

    assert "permission_missing" in answer["error"]
    assert counts(stage)["licences"] == 1


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


def test_edit_changes_what_is_given_alone(stage: Stage, operator: Operator) -> None:
    """An edit changes only the given options, and asks Mattermost only for a new place."""
    stage.stand_in.set_fault("down")
    before = operator.json("licence", "show", LICENCE)["licence"]

    operator.json(
        "licence",
        "edit",
        LICENCE,
        *("--note-prefixes", "intern:"),
        *("--replies", "explicit"),
        *("--reply-prefixes", "gast:"),
        *("--reply-pause", "1m"),
        *("--receipts", "notes"),
        *("--hints", "off"),
        *("--language", "nl"),
        *("--time-zone", "europe/amsterdam"),
    )

    after = operator.json("licence", "show", LICENCE)["licence"]
    changed = {name for name in after if after[name] != before[name]}
    new = {
        "note_prefixes": "intern:",
        "reply_mode": "explicit",
        "reply_prefixes": "gast:",
        "reply_pause_s": 60,
        "receipts": "notes",
        "hints": False,
        **{"language": "nl", "time_zone": "Europe/Amsterdam"},
    }
    assert after.items() >= new.items()
    assert changed == {*new, "updated_at"}


def test_wrong_time_zone_is_named_with_the_nearest_and_changes_nothing(
    stage: Stage, operator: Operator
) -> None:
    """A wrong time zone changes nothing, and the error offers the nearest one."""
    before = operator.json("licence", "show", LICENCE)

    result = operator.run("licence", "edit", LICENCE, "--time-zone", "Amsterdam")

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: Invalid value for '--time-zone': no time zone is named 'Amsterdam'; "
        "the nearest are: Europe/Amsterdam"
    )
    assert operator.json("licence", "show", LICENCE) == before


def test_mode_is_given_when_a_licence_is_added(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """The mode can be set when a licence is added, so that no reply is public by mistake."""
    added = add(operator, stage, tokens, "--replies", "explicit", "--reply-pause", "10s")

    assert (added["licence"]["reply_mode"], added["licence"]["reply_pause_s"]) == ("explicit", 10)


@pytest.mark.parametrize(
    "setting",
    [("--replies", "alerts"), ("--language", "nl"), ("--time-zone", "Europe/Amsterdam")],
    ids=lambda setting: setting[0],
)
def test_new_setting_is_drawn_on_the_cards_of_live_conversations(
    stage: Stage, operator: Operator, setting: tuple[str, str]
) -> None:
    """The sweep redraws live cards after a new setting, if cards show that setting."""
    stage.start("c1")
    stage.start("c2")
    stage.update(1, "c2", state="closed")

    def to_be_drawn() -> list[str]:
        waits = Conversation.card_changed_at.is_not(None)
        with stage.runtime.database.snapshot() as session:
            return list(session.scalars(select(Conversation.conversation_id).where(waits)))

    operator.json("licence", "edit", LICENCE, "--reply-pause", "10s")
    before = to_be_drawn()
    operator.json("licence", "edit", LICENCE, *setting)

    assert (before, to_be_drawn()) == ([], ["c1"])


def test_mention_and_names_reach_what_sends(stage: Stage, operator: Operator) -> None:
    """A worker uses a new mention within its cache's time, and the mention can be removed."""

    def sending() -> tuple[str, Names]:
        access = Licences(stage.runtime.database, stage.runtime.licences._keyring).access(LICENCE)
        return access.mention, access.names

    before = sending()
    operator.json(
        "licence", "edit", LICENCE, "--mention", "@Anna", "--mention", "bert", "--names", "author"
    )
    told = sending()
    operator.json("licence", "edit", LICENCE, "--no-mention")

    assert before == ("", Names.HEADER)
    assert told == ("@anna @bert", Names.AUTHOR)
    assert sending() == ("", Names.AUTHOR)


def test_licence_without_a_mention_is_told_what_that_means(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """Without a mention, one line names the command to set it."""
    without = add(operator, stage, tokens)
    again = add(operator, stage, tokens, "--mention", "@channel")
    kept = add(operator, stage, tokens)

    assert [step for step in without["next"] if "licence edit L2 --mention" in step] != []
    assert [step for step in again["next"] if "--mention" in step] == []
    assert (again["licence"]["mention"], kept["licence"]["mention"]) == ("@channel", "@channel")


def test_edit_moves_a_disabled_licence_and_leaves_it_disabled(
    stage: Stage, operator: Operator
) -> None:
    """An edit moves a disabled licence to a channel checked with the stored token."""
    stage.stand_in.setup(
        {
            "channels": [{"team": TEAM, "name": "second"}],
            "bots": [{"username": BOT, "channels": [f"{TEAM}/second"]}],
        }
    )
    operator.json("licence", "disable", LICENCE)

    operator.json("licence", "edit", LICENCE, "--channel", "~second")

    assert stored(stage).default_channel_name == "second"
    assert not stored(stage).enabled


def test_edit_that_would_not_work_changes_nothing(stage: Stage, operator: Operator) -> None:
    """An edit that fails its checks changes nothing and shows the cure."""
    answer = operator.json("licence", "edit", LICENCE, "--channel", "nowhere", exit_code=1)

    (finding,) = [each for each in answer["checks"] if each["state"] == "fail"]
    assert finding["name"] == "channel ~nowhere"
    assert stored(stage).default_channel_name == CHANNEL


def test_new_token_is_stored_encrypted(stage: Stage, operator: Operator, tmp_path: Path) -> None:
    """A new token is read from the file, checked and stored encrypted."""
    made = stage.stand_in.setup(
        {"bots": [{"username": "newbot", "channels": [f"{TEAM}/{CHANNEL}"]}]}
    )
    token = made["bots"]["newbot"]["token"]
    (tmp_path / "new").write_text(token)

    result = operator.run("licence", "edit", LICENCE, "--token-file", str(tmp_path / "new"))

    access = Licences(stage.runtime.database, stage.runtime.licences._keyring).access(LICENCE)
    assert (access.token, access.bot_username) == (token, "newbot")
    assert f"@newbot posts from now on, in the place of @{BOT}" in result.output
    assert token not in result.output


def test_licence_is_disabled_and_enabled(stage: Stage, operator: Operator) -> None:
    """Disable and enable print the state, and can be repeated."""
    operator.json("licence", "disable", LICENCE)
    off = stored(stage).enabled
    operator.json("licence", "enable", LICENCE)
    operator.json("licence", "enable", LICENCE)

    assert (off, stored(stage).enabled) == (False, True)


def test_removed_licence_leaves_nothing_behind(
    stage: Stage, operator: Operator, redis_url: str
) -> None:
    """Removing a licence removes its rows, files and waiting messages, and no other's."""
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
    """Each command about an unknown licence says so in one line."""
    answer = operator.json("licence", *words, exit_code=1)

    assert "no licence 'L9' is registered" in answer["error"]


@pytest.mark.parametrize(
    ("url", "token", "named"),
    [("ftp://x", "x" * 26, "server URL must look like"), ("http://x", "a b", "letters and digits")],
)
def test_what_cannot_be_an_address_or_a_token_is_one_line(
    operator: Operator, url: str, token: str, named: str
) -> None:
    """An impossible address or token is refused in one line, without being shown."""
    answer = operator.json(
        "licence", "add", "L2", "--url", url, "--team", "t", "--channel", "c", "--token-file", "-",
        stdin=token, exit_code=1,
    )  # fmt: skip

    assert named in answer["error"]
    assert token not in answer["error"]
