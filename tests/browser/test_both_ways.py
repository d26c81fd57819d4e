"""Messages from one side of the page appear on the other side."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from demo.installation import SAMPLE
from tests.browser.sides import Sides
from tests.waiting import wait_until

PICTURE = SAMPLE / "lake-house.png"
SCRIPTS = "<script>window.harmed = true</script><img src=x onerror='window.harmed = true'>"
MESSAGE_SIDES = """() => {
  const box = document.getElementById("messages").getBoundingClientRect();
  return [...document.querySelectorAll("#messages .message")].map(each => {
    const own = each.getBoundingClientRect();
    return own.left - box.left < box.right - own.right ? "left" : "right";
  });
}"""


def _is_drawn(picture: Locator) -> bool:
    return bool(picture.evaluate("(node) => node.complete && node.naturalWidth > 0"))


def test_visitors_message_is_a_reply_in_the_thread_with_their_name(sides: Sides) -> None:
    """A visitor's message appears on the team's side, under the conversation's root, by the bot."""
    reply = sides.write_and_wait("Is the house free in August?")

    expect(reply.locator(".body")).to_have_text(
        re.compile(rf"{sides.visitor}\s+Is the house free in August\?")
    )
    expect(reply.locator(".tag")).to_have_text("BOT")
    expect(sides.page.locator("#messages .passage")).to_have_class("passage sent")


def test_root_shows_how_the_conversation_stands(sides: Sides) -> None:
    """The root shows the question, and that it waits, is answered, taken, closed or open again."""
    sides.write_and_wait("Is the house free in August?")
    root = sides.threads.last.locator(".post").first
    expect(root).to_contain_text(f"🟠 {sides.visitor} · Is the house free in August?")
    expect(root.locator(".attachment")).to_contain_text("Waiting since")

    sides.answer("Yes, it is free.")
    expect(root.locator(".attachment")).to_contain_text("Answered")
    sides.page.get_by_role("button", name="Take").click()
    expect(root.locator(".attachment")).to_contain_text("Taken by @anna")
    sides.page.get_by_role("button", name="End chat").click()
    expect(root).to_contain_text("⚪")
    sides.write("And in September?")

    # Anna has the conversation again, and the card shows that the visitor waits.
    expect(root.locator(".attachment")).to_contain_text("waiting since")
    expect(root).to_contain_text("🟢")


def test_visitor_and_team_have_a_side_of_the_chat_each(sides: Sides) -> None:
    """The visitor's messages are on the right, and the team's on the left."""
    sides.write_and_wait("a message")
    sides.answer("an answer")
    expect(sides.messages).to_have_count(2)

    assert sides.page.evaluate(MESSAGE_SIDES) == ["right", "left"]


def test_teams_reply_is_in_the_chat_and_has_its_receipt(sides: Sides) -> None:
    """A member's reply appears in the chat, and the bot gives the post its receipt."""
    post = sides.answer("Yes, it is free.")

    expect(sides.messages).to_have_count(1)
    expect(sides.messages.locator(".text")).to_have_text("Yes, it is free.")
    expect(sides.messages.locator(".line b")).to_have_text("Anna")
    expect(sides.messages.locator(".origin")).to_have_text("from Mattermost")
    expect(post.locator(".reactions")).to_have_text("✅ 1")


def test_visitors_picture_is_shown_inline_in_mattermost(sides: Sides) -> None:
    """A picture that the visitor attaches is drawn on both sides."""
    sides.page.get_by_label("Attach").set_input_files(PICTURE)

    sides.write("Is this the one?")

    theirs = sides.replies.locator(".picture img")
    expect(theirs).to_have_attribute("alt", PICTURE.name)
    ours = sides.messages.locator(".picture img")
    wait_until(lambda: _is_drawn(theirs) and _is_drawn(ours), what="both pictures")


def test_teams_picture_is_shown_in_the_chat(sides: Sides) -> None:
    """A picture that a member attaches is drawn on both sides."""
    sides.team.get_by_label("Attach").set_input_files(PICTURE)

    sides.answer("This is the one.")

    ours = sides.messages.locator(".picture img")
    expect(ours).to_have_attribute("alt", PICTURE.name)
    theirs = sides.replies.locator(".picture img")
    wait_until(lambda: _is_drawn(theirs) and _is_drawn(ours), what="both pictures")


def test_note_stays_with_the_team(sides: Sides) -> None:
    """A note gets the lock and does not appear in the chat, unlike the reply after it."""
    note = sides.answer("note: a guest of last year")

    sides.answer("Welcome back!")

    expect(note.locator(".reactions")).to_have_text("🔒 1")
    expect(sides.messages).to_have_text([re.compile("Welcome back!")])


def test_deleted_root_is_replaced_with_the_next_message(sides: Sides) -> None:
    """After a root's deletion, the next message gets a new root, and a reply there arrives."""
    sides.write_and_wait("first")
    sides.threads.locator("[data-delete]").first.click()
    sides.team.get_by_role("button", name="Delete", exact=True).click()
    expect(sides.threads).to_have_count(0)

    sides.write_and_wait("second")
    expect(sides.team.locator("#target")).to_contain_text(sides.visitor)
    sides.answer("third")

    expect(sides.threads).to_have_count(1)
    expect(sides.replies).to_have_count(2)
    expect(sides.messages).to_have_count(3)
    assert sides.texts == ["first", "second", "third"]


def test_second_conversation_is_a_thread_of_its_own(sides: Sides) -> None:
    """Two conversations have their own threads, and the visitor can go on with the first."""
    sides.write_and_wait("of the first")
    second = Sides(sides.page, visitor=f"{sides.visitor} again")
    second.begin()
    second.write_and_wait("of the second")
    second.answer("to the second")
    expect(second.messages).to_have_count(2)

    conversations = sides.page.get_by_role("combobox", name="Conversation")
    mine = conversations.locator("option").filter(has_text=f"{sides.visitor} ·")
    conversations.select_option(mine.get_attribute("value"))
    expect(sides.page.get_by_role("heading", name="Web chat")).to_have_text(
        f"Web chat · {sides.visitor}"
    )
    expect(sides.messages).to_have_count(1)
    sides.write("goes on")

    first_thread = sides.team.locator(".thread").filter(has_text="of the first")
    expect(first_thread.locator(".replies .post")).to_have_count(2)
    second_thread = sides.team.locator(".thread").filter(has_text="of the second")
    expect(second_thread.locator(".replies .post")).to_have_count(2)


def test_nothing_is_loaded_anew_while_they_talk(sides: Sides) -> None:
    """Both sides show new messages without loading the page or its frame again."""
    frames = sides.page.frames
    for frame in frames:
        frame.evaluate("window.stayed = true")

    sides.write_and_wait("there")
    sides.answer("and back")
    expect(sides.messages).to_have_count(2)

    assert [frame.evaluate("window.stayed") for frame in frames] == [True, True]


@pytest.mark.parametrize("author", ["visitor", "team"])
def test_markup_is_shown_as_it_was_typed(sides: Sides, author: str) -> None:
    """Markup with scripts is shown as text on both sides, and no script runs."""
    (sides.write if author == "visitor" else sides.answer)(SCRIPTS)

    expect(sides.replies).to_have_count(1)
    expect(sides.replies.locator(".body")).to_contain_text(SCRIPTS)
    expect(sides.messages.locator(".text")).to_have_text(SCRIPTS)
    assert [frame.evaluate("window.harmed") for frame in sides.page.frames] == [None, None]
    assert sides.replies.locator("img").count() == sides.messages.locator("img").count() == 0


def test_name_of_a_visitor_is_shown_as_it_was_typed(sides: Sides) -> None:
    """A visitor's name with markup is shown as text on both sides, too."""
    nasty = Sides(sides.page, visitor="<img src=x onerror=alert(1)>")

    nasty.begin()
    reply = nasty.write_and_wait("hello")

    expect(reply).to_contain_text(f"{nasty.visitor}")
    expect(nasty.messages.locator(".line b")).to_have_text(nasty.visitor)
