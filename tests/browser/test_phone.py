"""The page on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.sides import Sides

PHONE = {"width": 390, "height": 844}
# The least size for a finger.
LEAST_PX = 40
CONTROLS = "button, select, textarea, .attach, .sidebar a, dialog input"
IS_WIDER_THAN_THE_SCREEN = (
    "document.documentElement.scrollWidth > document.documentElement.clientWidth"
)


@pytest.fixture
def viewport() -> dict[str, int]:
    """The size of a phone, held upright."""
    return PHONE


def _too_small(scope: Page | Locator) -> list[str]:
    found = []
    for control in scope.locator(CONTROLS).all():
        box = control.bounding_box() if control.is_visible() else None
        if box and min(box["width"], box["height"]) < LEAST_PX:
            found.append(f"{control.inner_text()!r}: {box['width']:.0f} x {box['height']:.0f}")
    return found


def test_both_sides_are_a_tap_away(sides: Sides) -> None:
    """One side is shown at a time, and messages of each side appear on the other."""
    show_team = sides.page.get_by_role("button", name="Team's Mattermost")
    expect(sides.page.locator("iframe")).to_be_hidden()
    sides.write("from the phone")

    show_team.tap()
    expect(show_team).to_have_attribute("aria-pressed", "true")
    expect(sides.replies).to_be_visible()
    expect(sides.replies).to_be_in_viewport()
    sides.answer("to the phone")
    sides.page.get_by_role("button", name="Visitor's chat").tap()

    expect(sides.messages.last).to_contain_text("to the phone")
    expect(sides.messages.last).to_be_in_viewport()


def test_nothing_is_wider_than_the_screen(sides: Sides) -> None:
    """Neither side scrolls sideways, not even with a word as long as an address."""
    sides.write_and_wait("https://www.example.com/" + "very-long-" * 20)

    sides.page.get_by_role("button", name="Team's Mattermost").tap()
    expect(sides.replies).to_be_visible()

    assert [frame.evaluate(IS_WIDER_THAN_THE_SCREEN) for frame in sides.page.frames] == [
        False,
        False,
    ]


def test_controls_are_large_enough_for_a_finger(sides: Sides) -> None:
    """Each control on both sides and in the dialogs measures at least 40 pixels."""
    sides.write_and_wait("a message")
    chat = _too_small(sides.page)
    sides.page.get_by_role("button", name="New conversation").tap()
    dialog = _too_small(sides.page.get_by_role("dialog"))
    sides.page.get_by_role("button", name="Cancel").tap()
    sides.page.get_by_role("button", name="Team's Mattermost").tap()
    expect(sides.replies).to_be_visible()
    team = _too_small(sides.team.locator("body"))

    assert {"chat": chat, "dialog": dialog, "team": team} == {"chat": [], "dialog": [], "team": []}
