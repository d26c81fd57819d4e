"""The root post as a card: what it shows, when it is drawn, and whom it notifies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests
from sqlalchemy import update

from models import Conversation, Licence, User, utc_now
from tasks.licences.access import Licences
from tasks.outbound.redraw import OVERDUE, redraw_overdue
from tasks.replies.catch_up import collect
from tasks.sweep import sweep_once
from tests.stage.stage import LICENCE, TEAM, Stage
from tests.stage.thread import MirroredThread
from tests.waiting import wait_until

QUESTION = "Is het huis nog vrij?"


def root_of(stage: Stage) -> tuple[str, str]:
    """Return the message of the only root post, and the line of its card."""
    (root,) = [post for post in stage.channel_posts() if not post.root_id]
    (attachment,) = root.props["attachments"]
    return root.message, attachment["text"]


def change_licence(stage: Stage, **values: Any) -> None:
    """Change columns of the licence, which a worker reads within seconds."""
    with stage.runtime.database.transaction() as session:
        if values:
            session.execute(update(Licence).where(Licence.id == LICENCE).values(**values))
    licences = Licences(stage.runtime.database, stage.runtime.licences._keyring)
    stage.runtime = replace(stage.runtime, licences=licences)


def unread_replies(stage: Stage, token: str) -> int:
    """Return how many unread replies the member's list of threads shows."""
    headers = {"Authorization": f"Bearer {token}"}
    teams = requests.get(
        f"{stage.stand_in.url}/api/v4/teams/name/{TEAM}", headers=headers, timeout=10
    )
    url = f"{stage.stand_in.url}/api/v4/users/me/teams/{teams.json()['id']}/threads"
    threads = requests.get(url, headers=headers, timeout=10).json()["threads"] or []
    return sum(thread["unread_replies"] for thread in threads)


def test_first_message_brings_question_and_names_before_it_is_posted(stage: Stage) -> None:
    """The first message draws the card with question and names before it is posted."""
    change_licence(stage, mention="@anna")
    stage.start()
    assert root_of(stage) == ("💬 **Jan**\n`c1`", "New")
    stage.stand_in.clear_received()

    stage.reply("m1", QUESTION)

    message, line = root_of(stage)
    assert message == f"🟠 **Jan** · {QUESTION}\n`c1`"
    assert line.startswith("Waiting since ")
    assert line.endswith(" · @anna")
    sent = [entry.method for entry in stage.stand_in.received() if entry.method != "GET"]
    assert sent == ["PUT", "POST"]


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


def test_start_with_its_question_makes_the_whole_root_at_once(stage: Stage) -> None:
    """A start with its question makes the complete root without a later patch."""
    change_licence(stage, mention="@channel")
    stage.start(
        question=QUESTION,
        page_url="https://x.nl/huizen/meerzicht",
        page_title="Meerzicht",
        conversation_url="https://i.example/17",
        fields={"Booking": 20417},
        started_at="2026-01-02T03:04:05Z",
    )

    message, line = root_of(stage)
    assert message.splitlines() == [
        f"🟠 **Jan** · {QUESTION}",
        "`c1` · [Meerzicht](https://x.nl/huizen/meerzicht) · [Open in i-Reserve](https://i.example/17)",
    ]
    assert line == "Waiting since 2 Jan 2026 03:04 UTC · Booking: 20417 · @channel"
    assert stage.patches() == []


def test_burst_of_ten_is_drawn_once(stage: Stage) -> None:
    """Ten waiting messages of both sides change the card once."""
    stage.start()
    for number in range(10):
        role = {"sender_role": "visitor" if number % 2 == 0 else "agent"}
        arguments = {"sender_name": "Jan", "text": f"m {number}", **role}
        lane = stage.append("reply", conversation_id="c1", message_id=f"m{number}", **arguments)

    stage.drain(lane)

    assert len(stage.patches()) == 1
    message, line = root_of(stage)
    assert message.startswith("🟢 **Jan** · m 0")
    assert line.startswith("Answered ")


def test_message_that_changes_nothing_on_the_card_draws_nothing(stage: Stage) -> None:
    """A visitor's further message does not change the card."""
    stage.start(question=QUESTION)

    for number in range(3):
        stage.reply(f"m{number}", "more")

    assert stage.patches() == []


def test_start_that_comes_late_completes_the_root(stage: Stage) -> None:
    """A late start adds name and page to the root."""
    stage.reply("m1", "Goedemiddag", sender_role="agent", sender_name="Anna")
    assert root_of(stage)[0].startswith("💬 **Unnamed visitor**")

    stage.start(page_url="https://x.nl/a")

    assert root_of(stage)[0] == "💬 **Jan**\n`c1` · [a](https://x.nl/a)"


def test_second_start_leaves_what_it_does_not_name(stage: Stage) -> None:
    """A second start removes nothing that it does not name."""
    stage.start(question=QUESTION, page_url="https://x.nl/a")
    stage.start(visitor_name="Jan de Vries")

    assert root_of(stage)[0] == f"🟠 **Jan de Vries** · {QUESTION}\n`c1` · [a](https://x.nl/a)"


def test_same_message_again_does_not_make_the_visitor_wait_again(stage: Stage) -> None:
    """A repeated message of the visitor does not reopen the wait after an answer."""
    stage.start()
    stage.reply("m1", QUESTION)
    stage.reply("m2", "Ja!", sender_role="agent", sender_name="Anna")
    stage.reply("m1", QUESTION)

    assert root_of(stage)[1].startswith("Answered ")


def test_what_i_reserve_says_is_on_the_root(stage: Stage) -> None:
    """The card shows state, assignee, subject, fields and address; a lower revision is ignored."""
    stage.start(question=QUESTION)

    stage.update(
        5,
        state="taken",
        assignee_name="Anna",
        subject="Meerzicht in mei",
        fields={"Boeking": "1"},
        conversation_url="https://i.example/17",
    )
    taken = root_of(stage)
    stage.update(4, state="closed")
    after_older = root_of(stage)
    stage.update(6, state="closed", fields={})
    closed = root_of(stage)

    assert taken[0].startswith("🟢 **Jan** · Meerzicht in mei\n`c1` · [Open in i-Reserve](https:")
    assert taken[1].startswith("Taken by Anna ")
    assert " · waiting since " in taken[1]
    assert taken[1].endswith(" · Boeking: 1")
    assert after_older == taken
    assert closed[0].startswith("⚪ **Jan**")
    assert closed[1].startswith("Closed by Anna ")
    assert "Boeking" not in closed[1]
    assert {row.key: row.state.value for row in stage.ledger()} == {"root:1": "sent"}


def test_visitors_message_opens_a_closed_conversation(stage: Stage) -> None:
    """A visitor's message opens a closed conversation, and its members are notified."""
    change_licence(stage, mention="@anna")
    stage.start(question=QUESTION)
    stage.update(1, state="closed")
    assert root_of(stage)[0].startswith("⚪")

    stage.reply("m1", "Nog iets")

    message, line = root_of(stage)
    assert message.startswith("🟠")
    assert line.endswith("@anna")


def test_taker_is_named_as_a_member(stage: Stage) -> None:
    """An assignee whose e-mail is a member's is named as that member, without a notification."""
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
    """An assignee without a member has the name of i-Reserve, which mentions no member."""
    stage.start(question=QUESTION)

    stage.update(1, state="taken", assignee_user_id="u9", assignee_name="@channel")

    assert root_of(stage)[1].startswith("Taken by @\u200bchannel ")


def test_call_for_a_conversation_without_a_root_waits_for_it(stage: Stage) -> None:
    """A change before the start is on the root when it is made."""
    stage.update(1, subject="Meerzicht")
    assert stage.channel_posts() == []

    stage.start()

    assert root_of(stage)[0].startswith("💬 **Jan** · Meerzicht")


@pytest.mark.parametrize(
    "wrong",
    [{"state": "done"}, {"fields": [["a"]]}, {"conversation_url": "ftp://x"}, {"revision": -1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_call_that_is_wrong_fails_with_its_field(stage: Stage, wrong: dict[str, Any]) -> None:
    """A wrong change is in the ledger with the field's name, and stops nothing."""
    stage.start()
    stage.drain(stage.append("conversation", conversation_id="c1", **{"revision": 1, **wrong}))
    stage.reply("m1", "goes on")

    (row,) = [row for row in stage.ledger() if row.kind == "conversation"]
    assert (row.state.value, row.reason) == ("failed", "invalid_arguments")
    assert next(iter(wrong)) in (row.detail or "")
    assert stage.states()["reply:m1"] == ("sent", None)


def test_team_answer_is_seen_on_the_card(stage: Stage) -> None:
    """A public reply from the thread ends the wait, and a note does not."""
    thread = MirroredThread.open(stage)
    stage.reply("m1", QUESTION)
    thread.recorded(thread.say("note: even kijken"))
    stage.drain(stage.append("conversation", conversation_id="c1"))
    waiting = root_of(stage)[1]

    thread.recorded(thread.say("Ja, het is vrij"))
    stage.drain(stage.append("conversation", conversation_id="c1"))

    assert waiting.startswith("Waiting since ")
    assert root_of(stage)[1].startswith("Answered ")


def test_root_where_messages_cannot_be_edited_has_no_sign(stage: Stage) -> None:
    """Without edits of messages, state and question are drawn only in the attachment."""
    change_licence(stage, allows_edits=False)
    stage.stand_in.set_options(PostEditTimeLimit=0)
    stage.start()
    stage.reply("m1", QUESTION)
    stage.update(1, state="closed")

    message, line = root_of(stage)
    assert message == "**Jan**\n`c1`"
    assert line.startswith("Closed ")
    assert line.endswith(f" · {QUESTION}")


def test_limit_that_was_not_known_is_met_once(stage: Stage) -> None:
    """After one refused edit the limit is stored, and the card is drawn without the message."""
    stage.start()
    stage.stand_in.set_options(PostEditTimeLimit=0)

    stage.reply("m1", QUESTION)

    assert root_of(stage)[1].endswith(f" · {QUESTION}")
    assert stage.states()["reply:m1"] == ("sent", None)
    with stage.runtime.database.transaction() as session:
        licence = session.get(Licence, LICENCE)
        assert licence is not None
        assert not licence.allows_edits


@pytest.mark.parametrize("fault", ["error_500", "down", "unauthorized"])
def test_card_that_cannot_be_drawn_fails_no_message(stage: Stage, fault: str) -> None:
    """A card that cannot be drawn fails no message, and the next change draws it."""
    stage.start()
    stage.stand_in.set_fault(fault, scope="edits", times=1)
    stage.reply("m1", QUESTION)
    undrawn = root_of(stage)[0]
    stage.reply("m2", "Ja", sender_role="agent", sender_name="Anna")

    assert undrawn.startswith("💬 **Jan**\n")
    assert {state for state, _ in stage.states().values()} == {"sent"}
    assert root_of(stage)[0].startswith(f"🟢 **Jan** · {QUESTION}")


def test_card_that_a_dead_worker_left_is_drawn_by_the_sweep(stage: Stage) -> None:
    """The sweep draws an overdue card that a dead worker left."""
    stage.start(question=QUESTION)
    with stage.runtime.database.transaction() as session:
        changed = {"waiting_since": None, "answered_at": utc_now(), "card_changed_at": utc_now()}
        session.execute(update(Conversation).values(changed))
    assert redraw_overdue(stage.runtime) == 0

    with stage.runtime.database.transaction() as session:
        session.execute(update(Conversation).values(card_changed_at=utc_now() - OVERDUE))
    assert "1 cards asked for" in sweep_once(stage.runtime)
    stage.drain(stage.append("conversation", conversation_id="c1"))

    assert root_of(stage)[1].startswith("Answered ")
    assert stage.conversation().card_changed_at is None
    assert redraw_overdue(stage.runtime) == 0


def test_new_root_of_a_conversation_names_its_people_again(stage: Stage) -> None:
    """A new root mentions the members again, since the old followers are gone."""
    change_licence(stage, mention="@anna")
    stage.start(question=QUESTION)
    stage.bot().delete_post(stage.channel_posts()[0].id)

    stage.reply("m1", "Hallo?")

    message, line = root_of(stage)
    assert message.startswith(f"🟠 **Jan** · {QUESTION}")
    assert message.endswith("↪ _This continues an earlier thread, which is gone._")
    assert line.endswith("@anna")


def test_open_conversation_from_before_gets_its_card_with_its_next_message(stage: Stage) -> None:
    """The root of an older version becomes a card with the next message."""
    change_licence(stage, mention="@anna")
    stage.start()
    with stage.runtime.database.transaction() as session:
        session.execute(update(Conversation).values(card_digest=None))
    old = stage.channel_posts()[0]
    mark = {"ireserve": old.props["ireserve"]}
    stage.bot().patch_post(old.id, message="💬 **Jan**\nConversation `c1`", props=mark)

    stage.reply("m1", QUESTION)

    message, line = root_of(stage)
    assert message == f"🟠 **Jan** · {QUESTION}\n`c1`"
    assert line.endswith("@anna")


def test_card_keeps_the_mark_that_finds_it_again(stage: Stage) -> None:
    """Each drawing keeps the card's mark, bot sign and first line."""
    stage.start()
    before = stage.channel_posts()[0]
    stage.reply("m1", QUESTION)
    after = stage.channel_posts()[0]

    for name in ("ireserve", "from_webhook", "use_user_icon", "from_bot"):
        assert after.props[name] == before.props[name]


def test_message_that_is_taken_up_again_opens_nothing_again(stage: Stage) -> None:
    """A message from before the closing call never reopens the conversation."""
    stage.start()
    arguments = {"sender_name": "Jan", "sender_role": "visitor", "text": QUESTION}
    stage.append("reply", conversation_id="c1", message_id="m1", **arguments)
    lane = stage.append("conversation", conversation_id="c1", revision=1, state="closed")
    stage.stand_in.set_fault("rate_limited", scope="posts", times=1, retry_after_s=1)

    def is_sent() -> bool:
        stage.drain(lane)
        return stage.states()["reply:m1"] == ("sent", None)

    assert not is_sent()
    wait_until(is_sent, timeout_s=10, what="the message, after the pause")
    assert root_of(stage)[0].startswith("⚪")


def test_limit_that_is_taken_away_is_noticed_by_catch_up(stage: Stage) -> None:
    """When edits are allowed again, catch-up notices and roots get their sign back."""
    stage.start()
    change_licence(stage, allows_edits=False)

    collect(stage.runtime, LICENCE, on_page=lambda: None)
    change_licence(stage)
    stage.reply("m1", QUESTION)

    assert root_of(stage)[0].startswith(f"🟠 **Jan** · {QUESTION}")


def test_card_that_was_drawn_and_not_noted_is_drawn_again(stage: Stage) -> None:
    """A card drawn by a worker that then died is drawn again, with the newest state."""
    stage.start(question=QUESTION)
    waiting = stage.conversation()
    stage.reply("m1", "Ja", sender_role="agent", sender_name="Anna")
    as_before = {
        name: getattr(waiting, name) for name in ("card_digest", "waiting_since", "answered_at")
    }
    with stage.runtime.database.transaction() as session:
        session.execute(update(Conversation).values(**as_before, card_changed_at=utc_now()))
    assert root_of(stage)[0].startswith("🟢")

    stage.drain(stage.append("conversation", conversation_id="c1"))

    assert root_of(stage)[0].startswith("🟠")
    assert stage.conversation().card_changed_at is None


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        pytest.param({}, "", id="all"),
        pytest.param(
            {"reply_mode": "explicit"}, "🔒 only reply: goes to the visitor", id="explicit"
        ),
        pytest.param(
            {"reply_mode": "explicit", "language": "nl"},
            "🔒 alleen wat met antwoord: begint, gaat naar de bezoeker",
            id="explicit in Dutch",
        ),
        pytest.param(
            {"reply_mode": "explicit", "language": "nl", "reply_prefixes": "a: b:"},
            "🔒 alleen wat met a: begint, gaat naar de bezoeker",
            id="explicit with words of the licence",
        ),
        pytest.param(
            {"reply_mode": "alerts"}, "🔒 nothing written here goes to the visitor", id="alerts"
        ),
    ],
)
def test_card_tells_which_posts_the_visitor_gets(
    stage: Stage, mode: dict[str, Any], line: str
) -> None:
    """The card says which posts the visitor gets, unless all but notes are."""
    change_licence(stage, **mode)

    stage.start(question=QUESTION)

    shown = root_of(stage)[1]
    assert ("🔒" in shown, line in shown) == (bool(mode), True)
