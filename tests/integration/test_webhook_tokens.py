"""The tokens of a licence's webhooks are added, rotated and removed by licence."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from models import Database, WebhookToken
from tasks.licences.registration import RegistrationError
from tasks.replies.webhook_tokens import (
    WebhookSender,
    add_token,
    find_sender,
    finish_rotation,
    forget_token,
)
from tests.stage.deployment import Deploy
from tests.webhook_calls import BOT_USER_ID, OTHER_TOKEN, TOKEN, add_licence

THIRD_TOKEN = "3" * 26


def senders(database: Database) -> list[str | None]:
    """Return the licence of each of the three tokens, None for an unknown one."""
    with database.connection() as connection:
        found = [find_sender(connection, token) for token in (TOKEN, OTHER_TOKEN, THIRD_TOKEN)]
    return [None if sender is None else sender.licence_id for sender in found]


def test_token_gives_licence_and_bot(database: Database) -> None:
    """One query of the token gives licence and bot."""
    add_licence(database)

    with database.connection() as connection:
        sender = find_sender(connection, TOKEN)

    assert sender == WebhookSender("L1", BOT_USER_ID)


def test_only_the_hash_is_stored(database: Database) -> None:
    """The row stores only the token's hash."""
    add_licence(database)

    with database.transaction() as session:
        (row,) = session.scalars(select(WebhookToken))
        stored = [str(value) for value in vars(row).values()]

    assert [value for value in stored if TOKEN in value] == []


def test_adding_a_token_twice_keeps_one(database: Database) -> None:
    """Adding a token twice keeps one row."""
    add_licence(database)

    with database.transaction() as session:
        add_token(session, "L1", token=TOKEN)

    with database.transaction() as session:
        assert len(session.scalars(select(WebhookToken)).all()) == 1


def test_finishing_removes_the_licences_older_tokens_alone(database: Database) -> None:
    """Finishing removes only the licence's older tokens, and can be repeated."""
    add_licence(database, tokens=(TOKEN, OTHER_TOKEN))
    add_licence(database, "L2", tokens=(THIRD_TOKEN,))

    with database.transaction() as session:
        gone = [finish_rotation(session, "L1"), finish_rotation(session, "L1")]

    assert (gone, senders(database)) == ([1, 0], [None, "L1", "L2"])


def test_forgetting_removes_that_token_of_that_licence_alone(database: Database) -> None:
    """Forgetting removes only this token of this licence."""
    add_licence(database, tokens=(TOKEN, OTHER_TOKEN))
    add_licence(database, "L2", tokens=(THIRD_TOKEN,))

    with database.transaction() as session:
        known = [forget_token(session, "L1", token=token) for token in (OTHER_TOKEN, THIRD_TOKEN)]

    assert (known, senders(database)) == ([True, False], ["L1", None, "L2"])


@pytest.mark.parametrize(
    ("licence_id", "token", "message"),
    [
        ("L1", "", "this is no webhook's token: those are 26 letters and digits"),
        ("L1", TOKEN[:-1], "this is no webhook's token: those are 26 letters and digits"),
        ("L1", f"{TOKEN} ", "this is no webhook's token: those are 26 letters and digits"),
        ("L9", TOKEN, "no licence 'L9' is registered"),
        ("L1", OTHER_TOKEN, "this token is of licence 'L2' already: give each licence a webhook "
            "of its own"),
    ],
    ids=["empty", "short", "space", "no licence", "of another"],
)  # fmt: skip
def test_token_that_cannot_be_added_is_explained(
    database: Database, licence_id: str, token: str, message: str
) -> None:
    """The error for a wrong token says why, without showing it."""
    add_licence(database, tokens=())
    add_licence(database, "L2", tokens=(OTHER_TOKEN,))

    with pytest.raises(RegistrationError) as caught, database.transaction() as session:
        add_token(session, licence_id, token=token)

    assert str(caught.value) == message
    assert senders(database) == [None, "L2", None]


def test_operator_rotates_a_token_by_command(
    tmp_path: Path, sqlite_url: str, deploy: Deploy
) -> None:
    """An operator rotates a token by commands, and a wrong token is not shown."""
    database = Database(sqlite_url)
    add_licence(database, tokens=())
    deployment = deploy(tmp_path, redis_url="redis://", database_url=sqlite_url)

    def webhook(*words: str, token: str = "") -> tuple[int, str]:
        done = deployment.command("licence", "webhook", "L1", *words, stdin=token)
        errors = [line for line in done.stderr.splitlines(True) if "operator_action" not in line]
        return done.returncode, "".join([done.stdout, *errors])

    told = [
        webhook("--token-file", "-", token=f"{TOKEN}\n"),
        webhook("--token-file", "-", token=OTHER_TOKEN),
        webhook("--finish"),
        webhook("--forget", "--token-file", "-", token=TOKEN),
        webhook("--token-file", "-", token=THIRD_TOKEN + "!"),
    ]

    database.dispose()
    assert told == [
        (0, "Licence L1: token accepted from now on.\n"),
        (0, "Licence L1: token accepted from now on.\n"),
        (0, "Licence L1: tokens removed: 1.\n"),
        (0, "Licence L1: the token was not known.\n"),
        (1, "Error: this is no webhook's token: those are 26 letters and digits\n"),
    ]
