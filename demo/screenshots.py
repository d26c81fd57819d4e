"""``python -m demo.screenshots``: take the pictures of the docs anew, from a running demo."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from demo.browser import running_browser
from demo.errors import DemoError
from demo.installation import FLOWER_LOGIN
from demo.redis_server import NoRedisError
from demo.running import RunningDemo, running_demo
from demo.watchdog import ROOT

IMAGES = ROOT / "docs" / "images"
# The widest pictures that a page of the docs shows with readable text.
DEMO_SIZE = (1360, 1120)
FLOWER_SIZE = (1800, 640)
TEAM_SIZE = (1000, 1120)
LIST_HEIGHT = 700
TIMEOUT_MS = 30_000
_MESSAGE = {"conversation_id": "chat-1", "sender_name": "Jan de Vries", "text": "Goedemiddag!"}
# Calls with mistakes: a licence, a role and a colour that do not exist.
FAILED: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "mattermost.post_reply",
        {**_MESSAGE, "licence_id": "licence-9", "message_id": "m-1", "sender_role": "visitor"},
    ),
    ("mattermost.post_reply", {**_MESSAGE, "message_id": "m-2", "sender_role": "guest"}),
    (
        "mattermost.send_notification",
        {"notification_type": "booking", "notification_id": "20417", "text": "", "color": "rood"},
    ),
)


def main() -> int:
    """Take the screenshots; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo.screenshots", description=__doc__)
    parser.add_argument("--to", type=Path, default=IMAGES, help="the folder that they are put into")
    folder = parser.parse_args().to
    try:
        with running_browser() as browser, running_demo() as demo:
            problems = demo.play()
            if problems:
                raise DemoError("; ".join(problems))
            take_flower(browser, demo, folder / "flower.png")
            take_team(browser, demo, folder)
    except (DemoError, NoRedisError) as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


def take_flower(browser: Browser, demo: RunningDemo, path: Path) -> None:
    """Take a screenshot of Flower's list of tasks, with some failed tasks."""
    _let_some_fail(demo)
    with _page(browser, FLOWER_SIZE) as page:
        _open_until_shown(page, f"{demo.addresses['flower']}/tasks", count=len(FAILED))
        page.screenshot(path=path)


def take_team(browser: Browser, demo: RunningDemo, folder: Path) -> None:
    """Take screenshots of both sides of a chat, and of the support team's view of all chats."""
    # Import the tasks only when the demo is up: they read the broker's address at import.
    from demo import team_pictures as team

    with _page(browser, DEMO_SIZE) as page:
        team.take_demo(page, team.play_chat(demo), folder / "demo.png")
    team.play_team_chats(demo)
    with _page(browser, TEAM_SIZE) as page:
        team.take_channel(page, demo, folder / "team-channel.png")
        page.set_viewport_size({"width": TEAM_SIZE[0], "height": LIST_HEIGHT})
        team.take_threads(page, demo, folder / "team-threads.png")
        team.take_authors(page, demo, team.play_authors(demo), folder / "team-authors.png")


def _open_until_shown(page: Page, url: str, *, count: int) -> None:
    """Reload Flower's list until it shows the failures: the page does not update itself."""
    deadline = time.monotonic() + TIMEOUT_MS / 1_000
    while time.monotonic() < deadline:
        page.goto(url)
        expect(page.locator("#tasks-table td .badge").first).to_be_visible()
        if page.locator("#tasks-table td .text-bg-danger").count() == count:
            return
    raise DemoError(f"Flower does not show {count} failures")


def _let_some_fail(demo: RunningDemo) -> None:
    # Import the tasks only when the demo is up: they read the broker's address at import.
    from tasks import post_reply, send_notification

    tasks = {task.name: task for task in (post_reply, send_notification)}
    for name, arguments in FAILED:
        arguments = {"licence_id": demo.target.public.licence_id, **arguments}
        tasks[name].apply_async(kwargs=arguments)


@contextmanager
def _page(browser: Browser, size: tuple[int, int]) -> Iterator[Page]:
    user, _, password = FLOWER_LOGIN.partition(":")
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        http_credentials={"username": user, "password": password},
    )
    context.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    yield context.new_page()
    context.close()


if __name__ == "__main__":
    sys.exit(main())
