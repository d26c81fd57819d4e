"""``licence add`` makes a webhook or says how to make one, and refuses wrong input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models import WebhookToken, hash_token
from tests.operators import Operator
from tests.stage.rows import counts
from tests.stage.stage import CHANNEL, TEAM, Stage

pytestmark = pytest.mark.one_database
CALLBACK = "https://booking.example.com/mattermost/replies"


@pytest.fixture
def tokens(stage: Stage, tmp_path: Path) -> dict[str, str]:
    """Files with the tokens of the bot, of an administrator and of a member."""
    admin = stage.stand_in.setup({})["admin"]["token"]
    found = {"bot": stage.bot_token, "admin": admin, "member": stage.user_token}
    for name, token in found.items():
        (tmp_path / name).write_text(token + "\n")
    return {name: str(tmp_path / name) for name in found}


def add(operator: Operator, stage: Stage, tokens: dict[str, str], *words: str) -> Any:
    """Add a second licence on the same server; return the output, which must show no token."""
    result = operator.json(
        "licence", "add", "L2", "--url", stage.stand_in.url, "--team", TEAM,
        "--channel", CHANNEL, "--token-file", tokens["bot"], *words,
    )  # fmt: skip
    assert [each for each in tokens.values() if Path(each).read_text().strip() in str(result)] == []
    return result


def hooks(stage: Stage) -> list[Any]:
    """Return the outgoing webhooks on the server."""
    return list(stage.stand_in.backend.state.hooks.values())


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


def test_without_an_administrators_token_the_fields_to_fill_in_are_told(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """Without an administrator's token, the output has the fields and the next command."""
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


@pytest.mark.usefixtures("private_channel")
def test_private_channel_gets_no_webhook(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """For a private channel no webhook is made, and the output says so."""
    answer = add(
        operator, stage, tokens, "--admin-token-file", tokens["admin"], "--callback-url", CALLBACK
    )

    assert answer["webhook"]["state"] == "catch_up"
    assert "catch-up" in answer["next"][0]
    assert hooks(stage) == []


def test_token_that_may_not_make_webhooks_stores_nothing(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """If Mattermost refuses the webhook, the error names the reason and no licence is stored."""
    answer = operator.json(
        "licence", "add", "L2", "--url", stage.stand_in.url, "--team", TEAM, "--channel", CHANNEL,
        "--token-file", tokens["bot"], "--admin-token-file", tokens["member"],
        "--callback-url", CALLBACK, exit_code=1,
    )  # fmt: skip

    assert "permission_missing" in answer["error"]
    assert counts(stage)["licences"] == 1


def test_mode_is_given_when_a_licence_is_added(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """The mode can be set when a licence is added, so that no reply is public by mistake."""
    added = add(operator, stage, tokens, "--replies", "explicit", "--reply-pause", "10s")

    assert (added["licence"]["reply_mode"], added["licence"]["reply_pause_s"]) == ("explicit", 10)


def test_licence_without_a_mention_is_told_what_that_means(
    stage: Stage, operator: Operator, tokens: dict[str, str]
) -> None:
    """For a licence without a mention, one line names the command that sets a mention."""
    without = add(operator, stage, tokens)
    again = add(operator, stage, tokens, "--mention", "@channel")
    kept = add(operator, stage, tokens)

    assert [step for step in without["next"] if "licence edit L2 --mention" in step] != []
    assert [step for step in again["next"] if "--mention" in step] == []
    assert (again["licence"]["mention"], kept["licence"]["mention"]) == ("@channel", "@channel")


@pytest.mark.parametrize(
    ("url", "token", "named"),
    [("ftp://x", "x" * 26, "server URL must look like"), ("http://x", "a b", "letters and digits")],
)
def test_what_cannot_be_an_address_or_a_token_is_one_line(
    operator: Operator, url: str, token: str, named: str
) -> None:
    """An impossible address or token is refused in one line that does not show the token."""
    line = operator.error(
        "licence", "add", "L2", "--url", url, "--team", "t", "--channel", "c", "--token-file", "-",
        stdin=token,
    )  # fmt: skip

    assert named in line
    assert token not in line
