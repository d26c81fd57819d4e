"""Each command that changes something logs one line with the operator."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from models.migrations import schema_state
from settings import get_settings
from tasks.cli import main
from tests.operators import Operator, environment_of
from tests.stage.stage import CHANNEL, LICENCE, TEAM, Stage
from tests.stage.thread import MirroredThread

# Commands that only read or print, or that clean up themselves (`doctor --round-trip`, `demo`).
LOOKING = {
    "alive", "conversation", "db check", "demo", "doctor", "failed", "keys new", "licence list",
    "licence show", "replies", "run", "status",
}  # fmt: skip
VISITOR = "Gerardus"
TEXT = "geheimtekst"
# The operator by the environment variable, and the account behind sudo.
WHO = {"operator": "jan", "account": "maria"}


pytestmark = pytest.mark.one_database


@pytest.fixture
def operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """The operator of the stage's installation: account maria, with the given name jan."""
    environment_of(stage.runtime.settings, monkeypatch)
    monkeypatch.setenv("LOG_FORMAT", "json")
    monkeypatch.setenv("SUDO_USER", "maria")
    monkeypatch.setenv("IRESERVE_MATTERMOST_OPERATOR", "jan")
    get_settings.cache_clear()
    return Operator(stage.runtime.settings)


def logged(result: Result) -> list[dict[str, Any]]:
    """Return the operator events that a command logged, without the fields of every line."""
    lines = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    left_out = {"event", "level", "logger", "timestamp"}
    ours = [line for line in lines if line["event"] == "operator_action"]
    return [{name: line[name] for name in line.keys() - left_out} for line in ours]


def failed_id(stage: Stage) -> int:
    """Let a message fail; return its number in the ledger."""
    stage.start()
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m1", TEXT)
    return next(row.id for row in stage.ledger() if row.key == "reply:m1")


def given_up_id(stage: Stage) -> int:
    """Let a reply be given up; return its number."""
    thread = MirroredThread.open(stage)
    reply_id = thread.receive(thread.say(TEXT).id)
    thread.give_up(reply_id)
    return reply_id


def registration(stage: Stage, folder: Path) -> tuple[str, ...]:
    """Return the options of a licence on the stand-in."""
    path = folder / "bot.token"
    path.write_text(stage.bot_token)
    places = ("--url", stage.stand_in.url, "--team", TEAM, "--channel", CHANNEL)
    return (*places, "--token-file", str(path))


def webhook_token(folder: Path) -> str:
    """Return a file with a webhook's token."""
    path = folder / "webhook.token"
    path.write_text("y9tj9izicpbnpmh4ksgsxxx46a")
    return str(path)


# Prepares a stage and a folder; returns a command, and the fields that its line must have.
Case = Callable[[Stage, Path], tuple[tuple[str, ...], dict[str, Any]]]


def with_failed(*words: str, **expected: Any) -> Case:
    """Return a case with a failed message; the line has the message's number in ``messages``."""

    def prepare(stage: Stage, _: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
        number = failed_id(stage)
        return (*words, LICENCE, str(number), "--yes"), {**expected, "messages": [number]}

    return prepare


def with_given_up(stage: Stage, _: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return ``collect`` for a reply that was given up, and its line's fields."""
    number = given_up_id(stage)
    return ("collect", LICENCE, str(number)), {"replies": [number]}


def with_conversation(stage: Stage, _: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return ``erase`` by the visitor's name; the line has the conversation's id instead."""
    stage.start(visitor_name=VISITOR)
    words = ("erase", LICENCE, "--visitor", VISITOR, "--yes")
    return words, {"licence": LICENCE, "conversation": "c1", "posts": False}


def with_left_file(stage: Stage, _: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return ``leftovers`` with an old file that belongs to no reply, and its line's fields."""
    place = stage.store / LICENCE / "c1" / ("a" * 26)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x")
    os.utime(place, (0, 0))
    return ("leftovers", "--yes"), {"licences": [LICENCE], "removed": 1}


def plain_command(*words: str, **expected: Any) -> Case:
    """Return a case with the command as given."""
    return lambda _stage, _folder: (words, expected)


# The arguments of each command, and its line's fields beside action, operator and account.
CHANGES: dict[str, Case] = {
    "collect": with_given_up,
    "db upgrade": lambda stage, _: (
        ("db", "upgrade"),
        {"revision": schema_state(stage.runtime.database).newest},
    ),
    "discard": with_failed("discard"),
    "erase": with_conversation,
    "keys rotate": plain_command("keys", "rotate", bot_tokens=1),
    "leftovers": with_left_file,
    "licence add": lambda stage, folder: (
        ("licence", "add", "L2", *registration(stage, folder)),
        {"licence": "L2", "webhook": False},
    ),
    "licence disable": plain_command("licence", "disable", LICENCE, licence=LICENCE),
    "licence edit": lambda stage, folder: (
        ("licence", "edit", LICENCE, *registration(stage, folder), "--note-prefixes", "memo:"),
        {"licence": LICENCE, "settings": ["channel", "note_prefixes", "team", "token", "url"]},
    ),
    "licence enable": plain_command("licence", "enable", LICENCE, licence=LICENCE),
    "licence notify": plain_command(
        "licence", "notify", LICENCE, "booking", "--off",
        licence=LICENCE, type="booking", enabled=False,
    ),
    "licence remove": plain_command("licence", "remove", LICENCE, "--yes", licence=LICENCE),
    "licence webhook": lambda _, folder: (
        ("licence", "webhook", LICENCE, "--token-file", webhook_token(folder)),
        {"licence": LICENCE, "done": "token accepted from now on", "tokens": 1},
    ),
    "limit": plain_command("limit", "5000", messages=5_000),
    "purge": plain_command("purge", "--older-than", "30", "--yes", older_than_days=30, removed=0),
    "resend": with_failed("resend", licences=[LICENCE]),
}  # fmt: skip


@pytest.mark.parametrize("command", CHANGES)
def test_change_is_logged_with_operator_and_object(
    stage: Stage, operator: Operator, tmp_path: Path, command: str
) -> None:
    """The line has command, operator, account and ids, and no personal data."""
    words, expected = CHANGES[command](stage, tmp_path)

    result = operator.run(*words)

    assert result.exit_code == 0, result.output
    assert logged(result) == [{"action": command, **WHO, **expected}]
    secrets = (VISITOR, TEXT, stage.bot_token, stage.stand_in.url)
    assert [secret for secret in secrets if secret in result.stderr] == []


def test_command_that_changed_nothing_logs_nothing(stage: Stage, operator: Operator) -> None:
    """A command that was refused or declined, or that only reads, logs no line."""
    for words in (["licence", "disable", "nope"], ["limit"], ["status"]):
        assert logged(operator.run(*words)) == []
    assert logged(operator.run("licence", "remove", LICENCE, stdin="n\n")) == []


def test_operator_is_the_account_unless_given(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator is ``--operator``, else the variable's value, else the account behind sudo."""
    given = logged(operator.run("--operator", "piet", "limit", "7"))
    monkeypatch.delenv("IRESERVE_MATTERMOST_OPERATOR")
    taken = logged(operator.run("limit", "8"))

    assert [each["operator"] for each in (*given, *taken)] == ["piet", "maria"]


def test_every_command_is_known_to_look_or_to_change() -> None:
    """Each command is listed as reading or as changing."""
    assert set(_leaves(main)) == LOOKING | set(CHANGES)


def _leaves(group: click.Group, prefix: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        path = f"{prefix}{name}"
        found += _leaves(command, f"{path} ") if isinstance(command, click.Group) else [path]
    return found
