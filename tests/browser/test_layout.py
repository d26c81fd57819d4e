"""The chat's head fits in each language, on a desktop and on a small phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from demo.ireserve.words import PAGE_WORDS
from tests.browser.conftest import DESKTOP
from tests.browser.sides import Sides

SMALL_PHONE = {"width": 320, "height": 640}
# The height of two lines of the visitor's name.
MOST_NAME_PX = 50

PUT_LABELS = """labels => {
  for (const [id, text] of Object.entries(labels)) document.getElementById(id).textContent = text;
}"""
CUT_OFF = """() => {
  const chat = document.querySelector(".chat > header").getBoundingClientRect();
  return [...document.querySelectorAll(".actions > *")].filter(each => {
    const box = each.getBoundingClientRect();
    return box.left < chat.left || box.right > chat.right || each.scrollWidth > each.offsetWidth;
  }).map(each => each.textContent);
}"""


@pytest.fixture(params=[DESKTOP, SMALL_PHONE], ids=["desktop", "small phone"])
def viewport(request: pytest.FixtureRequest) -> dict[str, int]:
    """The size of a desktop's window and of the smallest phone."""
    size: dict[str, int] = request.param
    return size


def test_head_of_the_chat_fits_in_every_language(sides: Sides) -> None:
    """No button over the chat is cut off, and the visitor's name has at most two lines."""
    sides.write_and_wait("a message")
    expect(sides.page.locator("#thread")).to_be_visible()
    found = {}
    for language, words in PAGE_WORDS.items():
        labels = {"thread": words.thread, "take": words.take, "end": words.end_chat}
        sides.page.evaluate(PUT_LABELS, labels)
        name = sides.page.locator(".chat h2").bounding_box()
        found[language] = (
            sides.page.evaluate(CUT_OFF),
            bool(name and name["height"] <= MOST_NAME_PX),
        )

    assert found == dict.fromkeys(PAGE_WORDS, ([], True))
