"""Chromium as installed on this machine, without a window: for the tests and the screenshots."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from demo.errors import DemoError

# What the browser is called on Debian, on Ubuntu, and as its maker's own package.
EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
# Nothing is asked of any other host, and containers without a graphics card or a sandbox do.
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
        NoBrowserError: there is none.
    """
    for found in filter(None, map(shutil.which, EXECUTABLES)):
        return found
    raise NoBrowserError("no Chromium is on PATH; install one (`apt-get install chromium`)")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Yield the browser with a profile of its own that nothing is left of.

    Raises:
        NoBrowserError: there is none.
    """
    executable = browser_executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
