"""The commands for an installation: status, keys and the schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from demo.mattermost import NEWEST
from ireserve_mattermost import TooManyError
from models import Delivery, KeyRing, Licence, Reply
from models.keyring import new_key
from settings import get_settings
from tasks.mattermost import NotSentError, Reason
from tests.operators import Operator
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread

NEVER = "2000-01-01"


def test_status_of_a_quiet_licence(stage: Stage, operator: Operator) -> None:
    """The status of a licence without traffic has zeros, no times, and a closed circuit."""
    answer = operator.json("status")

    assert answer["licences"] == [
        {
            "licence": LICENCE,
            "enabled": True,
            "server_version": NEWEST,
            "collapsed_threads": "always_on",
            "circuit": "closed",
            "conversations": 0,
            "mirrored": 0,
            "failed": 0,
            "replies_open": 0,
            "replies_given_up": 0,
            "last_out_at": None,
            "last_in_at": None,
            "waiting": {"lanes": 0, "messages": 0, "oldest_at": None},
        }
    ]


def test_limit_of_what_waits_is_shown_set_and_taken_back(stage: Stage, operator: Operator) -> None:
    """The limit of waiting messages can be set, shown and reset, and works at once."""
    set_before = operator.json("limit")
    operator.run("limit", "1")
    stage.append("reply", conversation_id="c1", message_id="m1", text="fits")

    with pytest.raises(TooManyError, match="'L1'"):
        stage.append("reply", conversation_id="c1", message_id="m2", text="is one too many")

    assert set_before == {"limit": 100_000, "is_default": True}
    assert operator.json("status")["waiting_limit"] == 1
    assert operator.json("limit", "--default") == set_before
    stage.append("reply", conversation_id="c1", message_id="m2", text="fits again")


def test_status_counts_what_was_mirrored_waits_and_failed(stage: Stage, operator: Operator) -> None:
    """Status counts messages by outcome, and shows the last times of success."""
    thread = MirroredThread.open(stage)
    stage.reply("m1", "sent")
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m2", "fails")
    for message_id in ("m3", "m4"):
        stage.append("reply", conversation_id="c1", message_id=message_id, text="waits")
    stage.append("notification", notification_type="booking", text="waits")
    thread.recorded(thread.say("hello"))
    thread.receive(thread.say("not yet").id)

    (found,) = operator.json("status", LICENCE)["licences"]

    assert (found["conversations"], found["mirrored"], found["failed"]) == (1, 1, 1)
    # Two messages, a notification, and the card that the recorded reply has changed.
    assert (found["waiting"]["lanes"], found["waiting"]["messages"]) == (2, 4)
    # The recorded reply is open until i-Reserve has been told of it.
    assert found["replies_open"] == _open_replies(stage)
    moments = (found["last_out_at"], found["last_in_at"], found["waiting"]["oldest_at"])
    assert [moment for moment in moments if moment is None or moment < NEVER] == []


def _open_replies(stage: Stage) -> int:
    with stage.runtime.database.transaction() as session:
        rows = session.scalars(select(Reply)).all()
    return len([row for row in rows if row.state == "received" or row.pending_event])


def test_status_shows_an_open_circuit(stage: Stage, operator: Operator) -> None:
    """Status shows an open circuit."""
    for _ in range(3):
        stage.runtime.circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))

    table = operator.run("status", LICENCE).stdout

    row = table.splitlines()[1].split()
    assert row[:5] == [LICENCE, "yes", NEWEST, "always_on", "open"]


def test_failures_of_a_licence_that_is_not_registered_are_told(
    stage: Stage, operator: Operator
) -> None:
    """Failures of an unregistered licence have their own line, and the doctor fails."""
    stage.start()
    with stage.runtime.database.transaction() as session:
        session.execute(
            update(Delivery).values(licence_id="typo", state="failed", payload={"a": 1})
        )

    status, table = operator.json("status"), operator.run("status").stdout
    found = operator.findings(exit_code=1)["unregistered"]

    assert (status["unregistered"], operator.json("status", LICENCE)["unregistered"]) == (
        {"typo": 1},
        {},
    )
    assert "Licence typo is not registered: failed 1. See failed typo." in table
    assert (found[0], "typo (1)" in found[1]) == ("fail", True)


def test_status_of_an_unknown_licence_is_an_error(operator: Operator) -> None:
    """The status of an unknown licence is an error."""
    assert "no licence 'L9'" in operator.json("status", "L9", exit_code=1)["error"]


def test_keys_are_rotated(
    stage: Stage, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rotation the new key alone decrypts every token."""
    old = stage.runtime.settings.encryption_keys[0].get_secret_value()
    new = operator.json("keys", "new")["key"]
    monkeypatch.setenv("ENCRYPTION_KEYS", f"{new},{old}")
    get_settings.cache_clear()

    answer = operator.json("keys", "rotate")

    with stage.runtime.database.transaction() as session:
        encrypted = session.scalars(select(Licence.bot_token_encrypted)).one()
    assert answer == {"rotated": 1}
    assert KeyRing([new]).decrypt(encrypted) == stage.bot_token


def test_rotation_without_the_old_key_changes_nothing(
    stage: Stage, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation without the old key names the licence and changes nothing."""
    monkeypatch.setenv("ENCRYPTION_KEYS", new_key())
    get_settings.cache_clear()

    answer = operator.json("keys", "rotate", exit_code=1)

    with stage.runtime.database.transaction() as session:
        encrypted = session.scalars(select(Licence.bot_token_encrypted)).one()
    assert f"licence '{LICENCE}'" in answer["error"]
    assert stage.runtime.licences._keyring.decrypt(encrypted) == stage.bot_token


def test_schema_is_checked_and_upgraded(stage: Stage, operator: Operator) -> None:
    """Check and upgrade print the revision; only a check of an old schema ends with exit code 1."""
    upgraded = operator.json("db", "upgrade")
    current = operator.json("db", "check")
    with stage.runtime.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    behind = operator.json("db", "check", exit_code=1)

    assert upgraded == current
    assert current["is_current"]
    assert (behind["current"], behind["is_current"]) == ("0001", False)


@pytest.mark.parametrize(
    ("words", "needs_redis"),
    [(["status"], True), (["failed"], False), (["resend", LICENCE, "1", "--yes"], False)],
    ids=["status", "failed", "resend"],
)
def test_broker_that_is_away_is_one_line(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, words: list[str], needs_redis: bool
) -> None:
    """A command that needs Redis names the setting of a Redis that is away; others do not."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()

    if needs_redis:
        assert "REDIS_URL" in operator.error(*words)
    else:
        assert "REDIS_URL" not in operator.run(*words).output


def test_empty_database_is_one_line(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """For an empty database, one line names the command that makes the tables."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    get_settings.cache_clear()

    assert "db upgrade" in operator.error("status")


def test_wrong_setting_is_named_without_its_value(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error for a wrong setting names the variable without its value."""
    monkeypatch.setenv("RETENTION_DAYS", "hunter2")
    get_settings.cache_clear()

    answer = operator.json("status", exit_code=1)

    assert answer["error"] == (
        "wrong settings: RETENTION_DAYS must be a valid integer: see docs/settings.md"
    )
