"""The team's side: unread threads, the list of threads, refused commands, and grouped posts."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.sides import Sides

UNREAD = re.compile(r"\bunread\b")
RUNS_ON = re.compile(r"\bruns-on\b")


def threads_link(sides: Sides) -> Locator:
    """Return the sidebar's link to the list of threads."""
    return sides.team.get_by_role("link", name="Threads")


def test_only_who_follows_is_told_of_a_second_message(sides: Sides) -> None:
    """Anna follows the channel's threads and has an unread one; Bram has none."""
    sides.write_and_wait("first")
    sides.write_and_wait("second")
    expect(threads_link(sides)).to_have_class(UNREAD)

    sides.look_as("Bram")

    expect(threads_link(sides)).not_to_have_class(UNREAD)
    sides.look_as("Anna")
    expect(threads_link(sides)).to_have_class(UNREAD)


def test_list_of_threads_leads_to_the_thread(sides: Sides) -> None:
    """A row shows the root's message, and a click opens the thread for a reply."""
    sides.write_and_wait("first")
    threads_link(sides).click()
    row = sides.team.locator(".row").filter(has_text=sides.visitor)
    expect(row.locator(".preview")).to_contain_text(sides.visitor)
    expect(row).to_contain_text("1 new reply")

    row.click()

    expect(sides.team.locator("#target")).to_contain_text(sides.visitor)


def test_slash_is_refused_and_sent_the_second_time(sides: Sides) -> None:
    """An unknown command is refused and stays in the box; a second Enter sends it as a message."""
    box = sides.team.get_by_label("Message", exact=True)
    box.fill("/klaar met deze")
    box.press("Enter")
    expect(sides.team.locator("#problem")).to_contain_text("trigger of '/klaar' not found")
    expect(box).to_have_value("/klaar met deze")

    box.press("Enter")

    expect(sides.replies.last.locator(".body")).to_have_text("/klaar met deze")
    expect(sides.team.locator("#problem")).to_have_text("")


def test_posts_of_one_author_run_together(sides: Sides) -> None:
    """A member's second post in a row shows no name; a bot's post after its root does."""
    sides.write_and_wait("of the visitor")
    for text in ("one", "two"):
        sides.answer(text)

    posts = sides.replies
    expect(posts).to_have_count(3)
    expect(posts.nth(0)).not_to_have_class(RUNS_ON)
    expect(posts.nth(1).locator(".name")).to_be_visible()
    expect(posts.nth(2)).to_have_class(RUNS_ON)
    expect(posts.nth(2).locator(".name")).to_be_hidden()
