"""A licence is registered after all checks, and each fault is named with its cure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from demo.mattermost import StandIn
from models import Database, Licence, NotificationChannel
from models.keyring import new_key
from settings import get_settings
from tasks.cli import main

pytestmark = pytest.mark.one_database

PLACES = ["support/webchat", "support/bookings", "support/old", "support/secret"]
Run = Callable[..., Result]


@pytest.fixture
def tokens(stand_in: StandIn) -> dict[str, str]:
    """The tokens of a bot and a person, in a team with channels."""
    made = stand_in.setup(
        {
            "teams": [{"name": "support"}],
            "channels": [
                {"team": "support", "name": "webchat"},
                {"team": "support", "name": "bookings"},
                {"team": "support", "name": "old", "archived": True},
                {"team": "support", "name": "elsewhere"},
                {"team": "support", "name": "secret", "type": "P"},
            ],
            "users": [{"username": "anna", "channels": PLACES}],
            "bots": [{"username": "ireserve", "channels": PLACES[:3]}],
        }
    )
    return {"bot": made["bots"]["ireserve"]["token"], "person": made["users"]["anna"]["token"]}


@pytest.fixture
def run(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs the command in an installation with a new database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ENCRYPTION_KEYS", new_key())
    get_settings.cache_clear()

    def invoke(*words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, list(words), input=stdin)

    return invoke


def _add(run: Run, url: str, token: str, **more: str) -> Result:
    options = {"url": url, "team": "support", "channel": "webchat", **more}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return run("licence", "add", "L1", *words, "--token-file", "-", stdin=token)


def _stored(database: Database) -> list[Licence]:
    with database.transaction() as session:
        return list(session.scalars(select(Licence)))


def test_licence_is_stored_with_its_token_encrypted(
    run: Run, stand_in: StandIn, tokens: dict[str, str], database: Database
) -> None:
    """Names become ids, the server's limits are stored, and the token is encrypted."""
    result = _add(run, f"{stand_in.url}/", tokens["bot"])

    (licence,) = _stored(database)
    assert result.exit_code == 0, result.output
    assert licence.server_url == stand_in.url
    assert (licence.team_name, licence.default_channel_name) == ("support", "webchat")
    assert licence.bot_username == "ireserve"
    assert (licence.max_post_size, licence.max_file_size_bytes) == (16_383, 100 * 2**20)
    assert tokens["bot"] not in licence.bot_token_encrypted
    assert tokens["bot"] not in result.output


def test_licence_can_be_changed_by_adding_it_again(
    run: Run, stand_in: StandIn, tokens: dict[str, str], database: Database
) -> None:
    """Adding a licence again updates it."""
    _add(run, stand_in.url, tokens["bot"])
    _add(run, stand_in.url, tokens["bot"], channel="bookings")

    (licence,) = _stored(database)
    assert licence.default_channel_name == "bookings"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"token": "wrong"}, ["token_rejected"], id="wrong token"),
        pytest.param({"token": "person"}, ["@anna", "bot account"], id="a person's token"),
        pytest.param({"team": "nowhere"}, ["not_found"], id="unknown team"),
        pytest.param({"channel": "nowhere"}, ["~nowhere", "URL"], id="unknown channel"),
        pytest.param({"channel": "secret"}, ["invite the bot @ireserve"], id="private channel"),
        pytest.param({"channel": "elsewhere"}, ["invite the bot @ireserve"], id="not a member"),
        pytest.param({"channel": "old"}, ["~old", "archived"], id="archived channel"),
        pytest.param({"url": "http://127.0.0.1:1"}, ["unreachable"], id="no server"),
        pytest.param({"url": "{url}/chat"}, ["not_mattermost", "subpath"], id="wrong base path"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    run: Run,
    stand_in: StandIn,
    tokens: dict[str, str],
    database: Database,
    change: dict[str, str],
    named: list[str],
) -> None:
    """A fault is named in one line with its cure, and nothing is stored."""
    arguments: dict[str, Any] = {"url": stand_in.url, "token": "bot", **change}
    url = arguments.pop("url").format(url=stand_in.url)
    token = tokens.get(arguments["token"], "x" * 26)
    arguments.pop("token")

    result = _add(run, url, token, **arguments)

    assert result.exit_code == 1
    assert [word for word in named if word not in result.output] == [], result.output
    assert token not in result.output
    assert _stored(database) == []


def test_notification_types_are_mapped_and_switched_off(
    run: Run, stand_in: StandIn, tokens: dict[str, str], database: Database
) -> None:
    """A notification type can be mapped to a channel that the bot is in, or switched off."""
    _add(run, stand_in.url, tokens["bot"])

    mapped = run("licence", "notify", "L1", "booking", "~bookings")
    refused = run("licence", "notify", "L1", "status", "elsewhere")
    off = run("licence", "notify", "L1", "reminder", "--off")

    with database.transaction() as session:
        rows = {
            row.notification_type: (row.channel_name, row.enabled)
            for row in session.scalars(select(NotificationChannel))
        }
    assert (mapped.exit_code, refused.exit_code, off.exit_code) == (0, 1, 0)
    assert rows == {"booking": ("bookings", True), "reminder": ("webchat", False)}


def test_unknown_licence_is_named(run: Run) -> None:
    """A command for an unknown licence names the licence."""
    result = run("licence", "notify", "L9", "booking", "bookings")

    assert result.exit_code == 1
    assert "L9" in result.output


def test_database_without_tables_is_told_with_its_cure(
    run: Run,
    stand_in: StandIn,
    tokens: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Without tables, the error names the command to run."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    get_settings.cache_clear()

    result = _add(run, stand_in.url, tokens["bot"])
    check = run("db", "check")

    assert result.exit_code == 1
    assert "db upgrade" in result.output
    assert check.exit_code == 1
