"""What the card on the root post shows of the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stage.cards import QUESTION, root_of
from tests.stage.rows import change_licence
from tests.stage.stage import Stage
from tests.stage.thread import MirroredThread
from tests.waiting import wait_until


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


def test_start_that_comes_late_completes_the_root(stage: Stage) -> None:
    """A late start adds name and page to the root."""
    stage.reply("m1", "Goedemiddag", sender_role="agent", sender_name="Anna")
    assert root_of(stage)[0].startswith("💬 **Unnamed visitor**")

    stage.start(page_url="https://x.nl/a")

    assert root_of(stage)[0] == "💬 **Jan**\n`c1` · [a](https://x.nl/a)"


def test_second_start_leaves_what_it_does_not_name(stage: Stage) -> None:
    """A second start changes only what it names."""
    stage.start(question=QUESTION, page_url="https://x.nl/a")
    stage.start(visitor_name="Jan de Vries")

    assert root_of(stage)[0] == f"🟠 **Jan de Vries** · {QUESTION}\n`c1` · [a](https://x.nl/a)"


def test_same_message_again_does_not_make_the_visitor_wait_again(stage: Stage) -> None:
    """After an answer, the visitor does not wait again if an old message is repeated."""
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


def test_change_before_the_start_waits_for_the_root(stage: Stage) -> None:
    """A change that comes before the start is shown on the root post that the start makes."""
    stage.update(1, subject="Meerzicht")
    assert stage.channel_posts() == []

    stage.start()

    assert root_of(stage)[0].startswith("💬 **Jan** · Meerzicht")


@pytest.mark.parametrize(
    "wrong",
    [{"state": "done"}, {"fields": [["a"]]}, {"conversation_url": "ftp://x"}, {"revision": -1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_wrong_change_fails_with_its_field(stage: Stage, wrong: dict[str, Any]) -> None:
    """A wrong change is in the ledger with the field's name, and stops nothing."""
    stage.start()
    stage.drain(stage.append("conversation", conversation_id="c1", **{"revision": 1, **wrong}))
    stage.reply("m1", "goes on")

    (row,) = [row for row in stage.ledger() if row.kind == "conversation"]
    assert (row.state.value, row.reason) == ("failed", "invalid_arguments")
    assert next(iter(wrong)) in (row.detail or "")
    assert stage.states()["reply:m1"] == ("sent", None)


def test_team_answer_is_seen_on_the_card(stage: Stage) -> None:
    """A member's public reply ends the visitor's wait, and a note does not."""
    thread = MirroredThread.open(stage)
    stage.reply("m1", QUESTION)
    thread.recorded(thread.say("note: even kijken"))
    stage.drain(stage.append("conversation", conversation_id="c1"))
    waiting = root_of(stage)[1]

    thread.recorded(thread.say("Ja, het is vrij"))
    stage.drain(stage.append("conversation", conversation_id="c1"))

    assert waiting.startswith("Waiting since ")
    assert root_of(stage)[1].startswith("Answered ")


def test_message_that_is_taken_up_again_opens_nothing_again(stage: Stage) -> None:
    """A message that was enqueued before the closing change reopens nothing after its pause."""
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
    """The card says which posts the visitor gets, unless the visitor gets all but notes."""
    change_licence(stage, **mode)

    stage.start(question=QUESTION)

    shown = root_of(stage)[1]
    assert ("🔒" in shown, line in shown) == (bool(mode), True)
