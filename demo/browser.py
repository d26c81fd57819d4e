"""Run the installed Chromium without a window, for the tests and the screenshots."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from demo.errors import DemoError

# The program's names on Debian, on Ubuntu, and in Google's own package.
EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
# The browser calls no other host, and it also runs in a container without a graphics card.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(DemoError):
    """There is no Chromium on PATH; install one (`apt-get install chromium`)."""


def browser_executable() -> str:
    """Return the path of the browser.

    Raises:
        NoBrowserError: no Chromium is on PATH.
    """
    for found in filter(None, map(shutil.which, EXECUTABLES)):
        return found
    raise NoBrowserError("no Chromium is on PATH; install one (`apt-get install chromium`)")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Yield the browser with a new profile, which is deleted afterwards.

    Raises:
        NoBrowserError: no Chromium is on PATH.
    """
    executable = browser_executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
