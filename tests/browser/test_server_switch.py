"""The page's switch that turns the Mattermost server off and on."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tasks.licences.circuit import FAILURES_TO_OPEN, PROBE_EVERY_S
from tests.browser.sides import Sides

# The time until the next probe and the next sweep, and more for a busy machine.
BACK_WITHIN_MS = (PROBE_EVERY_S + 30) * 1_000


@pytest.fixture
def switch(page: Page) -> Iterator[Locator]:
    """The switch; after the test the server is on again, also if the test failed."""
    found = page.get_by_role("switch", name="Mattermost server")
    yield found
    if found.get_attribute("aria-checked") == "false":
        found.click()
        expect(found).to_have_attribute("aria-checked", "true")


def test_messages_wait_for_the_server_and_then_arrive_in_order(
    sides: Sides, switch: Locator
) -> None:
    """While the server is off, messages fail once or wait; the page counts them and has a cure."""
    notice = sides.page.locator("#notice")
    switch.click()
    expect(notice).to_contain_text("Mattermost is off.")

    waiting = _write_until_one_waits(sides)
    sides.write("later")
    sides.write("last")
    waiting += ["later", "last"]
    expect(sides.page.locator(".passage.waiting")).to_have_count(len(waiting))
    expect(notice).to_contain_text(f"{len(waiting)} messages waiting.")
    before = sides.states()
    switch.click()
    expect(notice).to_contain_text("Mattermost is tried again within half a minute.")
    expect(sides.page.locator(".passage.sent")).to_have_count(len(waiting), timeout=BACK_WITHIN_MS)

    tried = len(before) - len(waiting)
    assert before[tried:] == ["waiting"] * len(waiting)
    assert sides.states() == ["failed"] * tried + ["sent"] * len(waiting)
    expect(sides.replies).to_have_count(len(waiting))
    arrived = sides.replies.locator(".body").all_inner_texts()
    said = [text.partition("⚠️")[0].strip().splitlines()[-1] for text in arrived]
    assert said == waiting
    # The first message that arrives names the missing ones, and i-Reserve was told of each.
    tells = [f"{tried} message" in text.partition("⚠️")[2] for text in arrived]
    assert tells == [tried > 0] + [False] * (len(waiting) - 1)
    failed = sides.page.locator(".passage.failed[title*='i-Reserve was told']")
    expect(failed).to_have_count(tried)
    expect(notice).to_contain_text(f"{tried} message")
    expect(notice).not_to_contain_text("waiting")

    explanation, cure = sides.page.locator("#cure code").all_inner_texts()
    assert "licence" in _run(explanation)
    _run(f"{cure} --yes")
    expect(sides.page.locator(".passage.sent")).to_have_count(len(before), timeout=BACK_WITHIN_MS)
    expect(sides.page.locator("#cure")).to_be_hidden()


def _run(command: str) -> str:
    """Run a command from the page; return its output."""
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _write_until_one_waits(sides: Sides) -> list[str]:
    """Write messages until one waits; return its text in a list.

    Catch-up also notices that the server is off, so fewer than three messages may have to fail.
    """
    for number in range(FAILURES_TO_OPEN + 1):
        text = f"message {number}"
        sides.write(text)
        mark = sides.messages.last.locator(".passage")
        expect(mark).not_to_have_class("passage sending")
        if mark.get_attribute("class") == "passage waiting":
            return [text]
    raise AssertionError(f"{FAILURES_TO_OPEN + 1} messages found the server gone, and none waited")
