"""axe-core finds no violation on the demo's pages."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import TIMEOUT_MS

PHONE, DESKTOP = {"width": 320, "height": 568}, {"width": 1360, "height": 900}


def _findings(page: Page) -> list[str]:
    """Return the violations of any axe-core rule on the page."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['target']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    browser: Browser, demo_url: str, scheme: Literal["light", "dark"], size: dict[str, int]
) -> None:
    """axe-core finds no violation in the chat, its dialog, the team's side and the 404 page."""
    page = browser.new_page(
        viewport={"width": size["width"], "height": size["height"]}, color_scheme=scheme
    )
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(demo_url)
    expect(page.locator("#messages .message").first).to_be_visible()

    found = {"chat": _findings(page)}
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found["dialog"] = _findings(page)
    # The team's side comes from another address, so axe-core does not look into its frame.
    page.goto(str(page.locator("#channel").get_attribute("src")))
    page.locator("button[data-reply]").first.click()
    found["team"] = _findings(page)
    page.goto(f"{demo_url}/no/such/page")
    found["not found"] = _findings(page)
    page.close()

    assert found == {"chat": [], "dialog": [], "team": [], "not found": []}
