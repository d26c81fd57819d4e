"""The page can be used by keyboard, and read by a screen reader."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from demo.installation import SAMPLE
from tests.browser.keyboard import Keyboard
from tests.browser.sides import Sides

PICTURE = SAMPLE / "lake-house.png"
# A control without a name in the ARIA snapshot. A frame never has a name there.
NAMELESS = re.compile(
    r"^\s*- (?:button|link|textbox|combobox|switch|dialog|log|img)(?! \")", re.MULTILINE
)


@pytest.fixture
def keyboard(sides: Sides) -> Keyboard:
    """The keyboard, at the top of the page with a new conversation."""
    sides.page.evaluate("document.activeElement.blur()")
    return Keyboard(sides.page)


def test_visitor_writes_and_team_answers_by_keyboard(sides: Sides, keyboard: Keyboard) -> None:
    """The skip links lead to the chat and to the messages, and Enter sends on either side."""
    keyboard.tab_to("Skip to the web chat")
    keyboard.press("Enter")
    keyboard.type("by keyboard")
    keyboard.press("Enter")
    expect(sides.replies).to_have_count(1)

    keyboard.tab_to("Skip to the messages")
    keyboard.tab_to("Message")
    keyboard.type("so is this")
    keyboard.press("Enter")

    expect(sides.messages).to_have_count(2)
    assert sides.texts == ["by keyboard", "so is this"]


def test_file_is_attached_by_keyboard(sides: Sides, keyboard: Keyboard) -> None:
    """Tab reaches the file input, and Enter opens the file chooser."""
    # Playwright does not wait until the browser reports file choosers, so a key sent at once could
    # come too early. `tab_to` asks the browser for the focus, and the answer comes after that.
    with sides.page.expect_file_chooser() as opened:
        keyboard.tab_to("📎 Attach")
        keyboard.press("Enter")
    opened.value.set_files(PICTURE)
    keyboard.tab_to("Send")
    keyboard.press("Enter")

    expect(sides.replies.locator(".picture img")).to_have_count(1)


def test_root_is_deleted_by_keyboard(sides: Sides, keyboard: Keyboard) -> None:
    """The dialog for deletion has the focus on Cancel, and Escape closes the dialog."""
    deletion = sides.team.get_by_role("dialog", name="Delete this message?")
    sides.threads.locator("[data-delete]").first.focus()
    keyboard.press("Enter")
    expect(deletion).to_be_visible()
    assert keyboard.stop().name == "Cancel"

    keyboard.press("Escape")
    expect(deletion).to_be_hidden()
    keyboard.press("Enter")
    keyboard.tab_to("Delete")
    keyboard.press("Enter")

    expect(sides.threads).to_have_count(0)


def test_conversation_is_begun_by_keyboard(sides: Sides, keyboard: Keyboard) -> None:
    """The dialog opens with the focus on the visitor's name, and Enter begins."""
    visitor = f"{sides.visitor} by keyboard"

    keyboard.tab_to("New conversation")
    keyboard.press("Enter", "Control+A")
    keyboard.type(visitor)
    keyboard.press("Enter")

    expect(sides.page.get_by_role("heading", name=f"Web chat · {visitor}")).to_be_visible()


def test_server_is_switched_by_keyboard(sides: Sides, keyboard: Keyboard) -> None:
    """Enter switches the server, the switch shows that, and the focus stays."""
    switch = sides.page.get_by_role("switch")

    keyboard.tab_to("Mattermost server")
    keyboard.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_be_focused()
    keyboard.press("Enter")

    expect(switch).to_have_attribute("aria-checked", "true")


def test_focus_is_always_visible(sides: Sides, keyboard: Keyboard) -> None:
    """Each control of both sides is on the screen and marked while it has the focus."""
    sides.write_and_wait("a message")
    # After a reload, Tab begins at the top of the page.
    sides.page.reload()
    expect(sides.replies).to_have_count(1)

    chat = keyboard.tab_to("Skip to the messages")
    team = keyboard.tab_to("Send")

    assert [stop.name for stop in chat + team if not stop.is_seen] == []
    assert {"Conversation", "New conversation", "Message", "Send"} < {stop.name for stop in chat}
    assert {"Messages", "Message", "Send"} < {stop.name for stop in team}


def test_each_control_has_a_name(sides: Sides) -> None:
    """Each control, dialog, picture and frame of both sides has a name for a screen reader."""
    sides.page.get_by_label("Attach").set_input_files(PICTURE)
    sides.write_and_wait("a picture")
    outlines = [
        sides.page.locator("body").aria_snapshot(),
        sides.team.locator("body").aria_snapshot(),
    ]
    sides.page.get_by_role("button", name="New conversation").click()
    outlines.append(sides.page.get_by_role("dialog").aria_snapshot())

    found = [line.strip() for text in outlines for line in NAMELESS.findall(text)]

    assert found == []
    assert all("button" in text for text in outlines)
    assert sides.page.get_by_title("The team's channel in Mattermost").count() == 1


def test_page_has_a_title_a_language_and_one_main_heading(page: Page) -> None:
    """The page and the frame in it each have a title, a language and one main heading."""
    frames = [(frame.title(), frame.locator("html").get_attribute("lang")) for frame in page.frames]

    assert [language for _, language in frames] == ["en", "en"]
    assert all(title for title, _ in frames)
    assert [frame.get_by_role("heading", level=1).count() for frame in page.frames] == [1, 1]
