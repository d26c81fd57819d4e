"""Whom a card mentions, and who is notified."""

from __future__ import annotations

import pytest
import requests

from models import User
from tests.stage.cards import QUESTION, root_of
from tests.stage.rows import change_licence
from tests.stage.stage import LICENCE, TEAM, Stage


def unread_replies(stage: Stage, token: str) -> int:
    """Return how many unread replies the member's list of threads shows."""
    headers = {"Authorization": f"Bearer {token}"}
    teams = requests.get(
        f"{stage.stand_in.url}/api/v4/teams/name/{TEAM}", headers=headers, timeout=10
    )
    url = f"{stage.stand_in.url}/api/v4/users/me/teams/{teams.json()['id']}/threads"
    threads = requests.get(url, headers=headers, timeout=10).json()["threads"] or []
    return sum(thread["unread_replies"] for thread in threads)


@pytest.mark.parametrize("asks", [True, False], ids=["with the start", "with the first message"])
def test_who_is_named_has_unread_replies_and_others_have_none(stage: Stage, asks: bool) -> None:
    """A mentioned member follows the thread and has unread replies; another does not."""
    change_licence(stage, mention="@anna")
    place = f"{TEAM}/webchat"
    made = stage.stand_in.setup({"users": [{"username": "bert", "channels": [place]}]})
    stage.start(**({"question": QUESTION} if asks else {}))

    stage.reply("m1", QUESTION)
    stage.reply("m2", "Hallo?")

    assert unread_replies(stage, stage.user_token) == 2
    assert unread_replies(stage, made["users"]["bert"]["token"]) == 0


def test_visitors_message_opens_a_closed_conversation(stage: Stage) -> None:
    """A visitor's message opens a closed conversation, and the card mentions its members."""
    change_licence(stage, mention="@anna")
    stage.start(question=QUESTION)
    stage.update(1, state="closed")
    assert root_of(stage)[0].startswith("⚪")

    stage.reply("m1", "Nog iets")

    message, line = root_of(stage)
    assert message.startswith("🟠")
    assert line.endswith("@anna")


def test_taker_is_named_as_a_member(stage: Stage) -> None:
    """An assignee whose e-mail is a member's is mentioned, and has the next message as unread."""
    with stage.runtime.database.transaction() as session:
        session.add(
            User(licence_id=LICENCE, user_id="u1", email="anna@example.com", name="A", active=True)
        )
    stage.start(question=QUESTION)
    stage.update(1, state="taken", assignee_user_id="u1", assignee_name="Anna de Boer")
    stage.update(2, subject="Iets")
    stage.reply("m1", "Hallo?")

    assert root_of(stage)[1].startswith("Taken by @anna ")
    assert len(stage.stand_in.received(path="/users/email/anna@example.com")) == 1
    assert unread_replies(stage, stage.user_token) == 1


def test_taker_whom_the_server_does_not_know_has_the_name_of_i_reserve(stage: Stage) -> None:
    """An assignee who is no member has the name from i-Reserve, which mentions no member."""
    stage.start(question=QUESTION)

    stage.update(1, state="taken", assignee_user_id="u9", assignee_name="@channel")

    assert root_of(stage)[1].startswith("Taken by @\u200bchannel ")


def test_new_root_of_a_conversation_names_its_people_again(stage: Stage) -> None:
    """A new root post mentions the members again, since its thread has no followers yet."""
    change_licence(stage, mention="@anna")
    stage.start(question=QUESTION)
    stage.bot().delete_post(stage.channel_posts()[0].id)

    stage.reply("m1", "Hallo?")

    message, line = root_of(stage)
    assert message.startswith(f"🟠 **Jan** · {QUESTION}")
    assert message.endswith("↪ _This continues an earlier thread, which is gone._")
    assert line.endswith("@anna")
