"""The running demo, a browser, and a page that must log no errors and ask no other host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.browser import NoBrowserError, running_browser
from tests.browser.sides import Sides
from tests.demo_process import demo_environment, output_until_up, running_demo

# A message takes well under a second either way, but longer on a busy machine.
TIMEOUT_MS = 20_000
DESKTOP = {"width": 1360, "height": 900}
OUR_HOST = "127.0.0.1"


@pytest.fixture(scope="package")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the demo's page, when the demo is up."""
    with running_demo(demo_environment(tmp_path_factory.mktemp("demo"))) as process:
        output = output_until_up(process)
        found = re.search(r"^The page\s+(\S+)$", output, re.MULTILINE)
        assert found, output
        yield found[1]
        process.terminate()
        process.communicate()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A real Chromium; without one, the tests that need it are skipped with the reason."""
    expect.set_options(timeout=TIMEOUT_MS)
    try:
        with running_browser() as started:
            yield started
    except NoBrowserError as error:
        pytest.skip(f"NO BROWSER: {error}")


@dataclass(slots=True)
class Watch:
    """The errors and warnings that a page logged, and the hosts that it asked."""

    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def watch(self, page: Page) -> None:
        """From now on, note the page's errors, its warnings and the hosts that it asks."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.errors.append(message.text) if message.type in {"error", "warning"} else None
            ),
        )
        page.on("request", lambda request: self.hosts.add(_host(request.url)))


def _host(url: str) -> str:
    parts = urlsplit(url)
    # A data or blob URL is part of the page and asks no server.
    return OUR_HOST if parts.scheme in {"data", "blob"} else str(parts.hostname)


@pytest.fixture
def viewport() -> dict[str, int]:
    """The size of the page; a module may override it."""
    return DESKTOP


@pytest.fixture
def page(browser: Browser, viewport: dict[str, int], demo_url: str) -> Iterator[Page]:
    """The demo's page, newly opened.

    After the test, the page must have logged no error and asked no other host.
    """
    is_phone = viewport["width"] < 800
    context = browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        is_mobile=is_phone,
        has_touch=is_phone,
    )
    context.set_default_timeout(TIMEOUT_MS)
    opened = context.new_page()
    seen = Watch()
    seen.watch(opened)
    opened.goto(demo_url)
    yield opened
    context.close()
    assert seen.errors == []
    assert seen.hosts == {OUR_HOST}


@pytest.fixture
def sides(page: Page) -> Sides:
    """The page with a new conversation for this test."""
    made = Sides(page, visitor=f"Visitor {uuid4().hex[:8]}")
    made.begin()
    return made
