"""When a card is drawn, also after a failure and where the server allows no edits."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from ireserve_mattermost.lanes import Lane
from models import Conversation, Licence, utc_now
from tasks.outbound.redraw import OVERDUE, redraw_overdue
from tasks.replies.catch_up import collect
from tasks.sweep import sweep_once
from tests.stage.cards import QUESTION, root_of
from tests.stage.rows import change_licence
from tests.stage.stage import LICENCE, Stage


def test_first_message_brings_question_and_names_before_it_is_posted(stage: Stage) -> None:
    """The card shows the question and the mentioned member before the first message is posted."""
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


def test_burst_of_ten_is_drawn_once(stage: Stage) -> None:
    """Ten waiting messages of a visitor and an agent change the card once."""
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


def test_root_where_messages_cannot_be_edited_has_no_sign(stage: Stage) -> None:
    """If the server allows no edits, only the card's attachment shows state and question."""
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
    """After one refused edit the limit is stored, and the card is drawn without new text."""
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
    """The sweep asks for an overdue card that a dead worker left, and the card is drawn."""
    stage.start(question=QUESTION)
    with stage.runtime.database.transaction() as session:
        changed = {"waiting_since": None, "answered_at": utc_now(), "card_changed_at": utc_now()}
        session.execute(update(Conversation).values(changed))
    assert redraw_overdue(stage.runtime) == 0

    with stage.runtime.database.transaction() as session:
        session.execute(update(Conversation).values(card_changed_at=utc_now() - OVERDUE))
    assert "1 cards asked for" in sweep_once(stage.runtime)
    stage.drain(Lane.of_conversation(LICENCE, "c1"))

    assert root_of(stage)[1].startswith("Answered ")
    assert stage.conversation().card_changed_at is None
    assert redraw_overdue(stage.runtime) == 0


def test_open_conversation_from_before_gets_its_card_with_its_next_message(stage: Stage) -> None:
    """A root that an older version posted becomes a card with the next message."""
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
    """Drawing the card keeps the root post's mark and the props that give the post its header."""
    stage.start()
    before = stage.channel_posts()[0]
    stage.reply("m1", QUESTION)
    after = stage.channel_posts()[0]

    for name in ("ireserve", "from_webhook", "use_user_icon", "from_bot"):
        assert after.props[name] == before.props[name]


def test_limit_that_is_taken_away_is_noticed_by_catch_up(stage: Stage) -> None:
    """Catch-up notices that the server allows edits again, and the root post shows its sign."""
    stage.start()
    change_licence(stage, allows_edits=False)

    collect(stage.runtime, LICENCE, on_page=lambda: None)
    change_licence(stage)
    stage.reply("m1", QUESTION)

    assert root_of(stage)[0].startswith(f"🟠 **Jan** · {QUESTION}")


def test_card_that_was_drawn_and_not_noted_is_drawn_again(stage: Stage) -> None:
    """A card that a dead worker drew and did not record is drawn again from the stored state."""
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
