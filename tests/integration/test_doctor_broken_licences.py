"""The doctor names what is broken about a licence: its server, bot, team or channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import delete

from demo.ports import free_port
from models import NotificationChannel, WebhookToken
from tests.stage.examining import HOOK_TOKEN, PLACE, THE_CHANNEL, examine
from tests.stage.rows import change_licence
from tests.stage.stage import BOT, CHANNEL, LICENCE, TEAM, Stage

pytestmark = pytest.mark.usefixtures("hook_token")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since nearly all faults here are in Mattermost."""
    return sqlite_url


def as_admin(stage: Stage, method: str, path: str, **body: Any) -> None:
    """Call Mattermost's API as its administrator."""
    token = stage.stand_in.setup({})["admin"]["token"]
    requests.request(
        method,
        f"{stage.stand_in.url}/api/v4{path}",
        headers={"Authorization": f"Bearer {token}"},
        json=body,
        timeout=10,
    ).raise_for_status()


def leave(stage: Stage) -> None:
    """Remove the bot from its channel."""
    bot_id = stage.bot().get_me().id
    as_admin(stage, "DELETE", f"/channels/{stage.channel_id}/members/{bot_id}")


def archive(stage: Stage) -> None:
    """Archive the channel."""
    as_admin(stage, "DELETE", f"/channels/{stage.channel_id}")


def use_other_bots_token(stage: Stage) -> None:
    """Store the token of another bot that is also in the channel."""
    made = stage.stand_in.setup({"bots": [{"username": "other", "channels": [PLACE]}]})
    store_token(stage, made["bots"]["other"]["token"])


def store_token(stage: Stage, token: str) -> None:
    """Store this token as the bot's."""
    keyring = stage.runtime.licences._keyring
    change_licence(stage, bot_token_encrypted=keyring.encrypt(token))


def use_a_bot_outside_the_team(stage: Stage) -> None:
    """Store the token of a bot outside the team."""
    made = stage.stand_in.setup({"bots": [{"username": "stranger"}]})
    store_token(stage, made["bots"]["stranger"]["token"])


def forget_webhook_tokens(stage: Stage) -> None:
    """Remove the tokens of the licence's webhooks."""
    with stage.runtime.database.transaction() as session:
        session.execute(delete(WebhookToken))


BROKEN: list[tuple[str, Callable[[Stage], object], str, str, str, str]] = [
    ("server away", lambda o: change_licence(o, server_url=f"http://127.0.0.1:{free_port()}"),
     "server", "fail", "no connection to the server (unreachable", "Check that the server runs"),
    ("wrong base path", lambda o: change_licence(o, server_url=f"{o.stand_in.url}/chat"),
     "server", "fail", "not one of Mattermost's API (not_mattermost", "its subpath"),
    ("a page instead of JSON", lambda o: o.stand_in.set_fault("html_200"),
     "server", "fail", "not_mattermost", "Check the server's address and its subpath"),
    ("token revoked", lambda o: store_token(o, "x" * 26),
     "bot", "fail", "token was rejected (token_rejected, HTTP 401", "store a new token"),
    ("a person's token", lambda o: store_token(o, o.user_token),
     "bot", "fail", "@anna, which is a person's account", "Make a bot account"),
    ("another bot's token", use_other_bots_token,
     "bot", "fail", "@other, which is another bot", "licence edit LICENCE --token-file"),
    ("bot outside the team", use_a_bot_outside_the_team,
     "team", "fail", f"not in team {TEAM}", "Add the bot @stranger to the team"),
    ("team renamed", lambda o: change_licence(o, team_name="elsewhere"),
     "team", "fail", "there is no team elsewhere (not_found)", "from its URL"),
    ("bot outside the channel", leave,
     THE_CHANNEL, "fail", "not in the channel (not_a_member)", f"invite the bot @{BOT}"),
    ("channel archived", archive,
     THE_CHANNEL, "fail", "archived", "Unarchive it"),
    ("channel unknown", lambda o: change_licence(o, default_channel_id="c" * 26),
     THE_CHANNEL, "fail", "no such channel", "Check the name"),
    ("channel private",
     lambda o: o.stand_in.setup({"channels": [{"team": TEAM, "name": CHANNEL, "type": "P"}]}),
     THE_CHANNEL, "warn", "private: replies come by catch-up", "public channel"),
    ("e-mails hidden", lambda o: o.stand_in.set_options(ShowEmailAddress=False),
     "e-mails", "warn", "hides e-mail addresses", "Show Email Address"),
    ("uploads off", lambda o: o.stand_in.set_options(EnableFileAttachments=False),
     "uploads", "fail", "switched off", "Allow File Sharing"),
    ("webhooks off", lambda o: o.stand_in.set_options(EnableOutgoingWebhooks=False),
     "webhooks", "fail", "switched off", "Enable Outgoing Webhooks"),
    ("no webhook token", forget_webhook_tokens,
     "webhook token", "fail", "no token is stored", "licence webhook LICENCE"),
    ("licence disabled", lambda o: change_licence(o, enabled=False),
     "licence", "warn", "disabled", "licence enable LICENCE"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("break_it", "name", "state", "sentence", "cure"),
    [pytest.param(*case[1:], id=case[0]) for case in BROKEN],
)
def test_what_is_broken_is_named_with_its_cure(
    stage: Stage,
    break_it: Callable[[Stage], object],
    name: str,
    state: str,
    sentence: str,
    cure: str,
) -> None:
    """The right check names the fault and its cure, and shows no token."""
    break_it(stage)

    found = examine(stage)

    assert found[name][0] == state, found
    assert sentence in found[name][1]
    assert cure in found[name][2]
    secrets = (stage.bot_token, stage.user_token, HOOK_TOKEN)
    assert [secret for secret in secrets if secret in str(found)] == []


def test_checks_that_need_an_answer_are_said_to_be_left_out(stage: Stage) -> None:
    """If the server is away, the checks that need it are shown as skipped."""
    stage.stand_in.set_fault("down")

    found = examine(stage)

    assert found["bot and channels"][0] == "skip"
    assert "bot" not in found


def test_channels_of_notifications_and_of_live_conversations_are_looked_at(stage: Stage) -> None:
    """Each channel in use is checked once, also those of notifications."""
    made = stage.stand_in.setup(
        {
            "channels": [
                {"team": TEAM, "name": "bookings", "type": "P"},
                {"team": TEAM, "name": "alone"},
                {"team": TEAM, "name": "old"},
            ],
            "bots": [{"username": BOT, "channels": [f"{TEAM}/bookings"]}],
        }
    )["channels"]
    stage.start()
    with stage.runtime.database.transaction() as session:
        for name in ("bookings", "alone", "old"):
            session.add(
                NotificationChannel(
                    licence_id=LICENCE,
                    notification_type=name,
                    channel_id=made[f"{TEAM}/{name}"]["id"],
                    channel_name=name,
                    enabled=name != "old",
                )
            )
    change_licence(stage, default_channel_id=made[f"{TEAM}/bookings"]["id"])

    found = examine(stage)

    states = {name: each[0] for name, each in found.items() if name.startswith("channel ")}
    assert states == {
        # This is now the default channel, with its stored name.
        THE_CHANNEL: "warn",
        # The channel of the live conversation's thread.
        f"channel {stage.channel_id}": "ok",
        "channel ~alone": "fail",
    }
