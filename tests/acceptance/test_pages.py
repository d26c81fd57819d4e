"""The blocks of the docs work as written, in their order, on a real installation.

The runner's Mattermost is the stand-in. READER_ACTIONS does what a page tells the reader to do in
Mattermost. The runner replaces only the addresses of the examples.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from demo.installation import SAMPLE
from demo.mattermost import StandIn, running_server
from demo.ports import free_base_port
from demo.redis_server import running_redis
from tasks.mattermost import MattermostClient, Post
from tasks.watch.last_sweeps import SWEPT
from tests.acceptance.block_runner import BlockRunner
from tests.pages import ROOT, Block, all_pages, blocks
from tests.waiting import wait_until

PLACE = "support/webchat"
QUICK_START, INTEGRATING = "docs/quick-start.md", "docs/integrating.md"
# web, worker, beat and flower, each with a port of its own.
PROCESSES = 4
RUN = [
    block
    for page in all_pages()
    for block in blocks(page)
    if block.language in {"sh", "python"} and block.why_not is None
]


@dataclass(slots=True)
class DocsTrial:
    """A run of the docs' blocks: the runner, a Mattermost server, Redis, and a folder."""

    stand_in: StandIn
    made: dict[str, Any]
    redis: Redis
    web_url: str
    directory: Path
    runner: BlockRunner = field(init=False)
    done: set[tuple[str, str]] = field(default_factory=set)
    outcomes: dict[Block, AssertionError | None] = field(default_factory=dict)

    def read_up_to(self, block: Block) -> None:
        """Run the blocks up to this one that have not run yet.

        Raises:
            AssertionError: this block does not do what it should.
        """
        for each in RUN[: RUN.index(block) + 1]:
            if each not in self.outcomes:
                self.outcomes[each] = self._outcome(each)
        error = self.outcomes[block]
        if error is not None:
            raise error

    def _outcome(self, block: Block) -> AssertionError | None:
        try:
            self._read(block)
        except AssertionError as error:
            return error
        return None

    def _read(self, block: Block) -> None:
        place = (block.page, block.heading)
        if place in READER_ACTIONS and place not in self.done:
            self.done.add(place)
            READER_ACTIONS[place](self)
        self.runner.follow(block)

    def reset(self) -> None:
        """Forget that beat and a worker have run."""
        self.redis.delete(SWEPT)

    def is_ready(self) -> bool:
        """Return whether web answers, and beat and a worker have run."""
        try:
            with urllib.request.urlopen(f"{self.web_url}/mattermost/health", timeout=5) as answer:
                return bool(answer.status == 200 and self.redis.exists(SWEPT))
        except OSError:
            return False

    def posts(self) -> list[Post]:
        """Return the posts of the channel, oldest first."""
        found = self._member().get_posts_page(
            self.made["channels"][PLACE]["id"], page=0, per_page=200
        )
        return found[::-1]

    def answer_in_thread(self, text: str) -> Post:
        """Reply in the first thread as a member; return the post."""
        root = wait_until(
            lambda: next((post for post in self.posts() if not post.root_id), None),
            what="a thread to answer in",
        )
        return self._member().create_post(
            channel_id=self.made["channels"][PLACE]["id"], root_id=root.id, message=text
        )

    def _member(self) -> MattermostClient:
        return MattermostClient(self.stand_in.url, self.made["users"]["anna"]["token"])


def _answer(trial: DocsTrial) -> None:
    """Reply in the thread, and wait for the check mark on the reply."""
    post = trial.answer_in_thread("Yes, it is free.")
    wait_until(lambda: _has_check_mark(trial, post), what="the check mark on the reply")


def _has_check_mark(trial: DocsTrial, post: Post) -> bool:
    request = urllib.request.Request(
        f"{trial.stand_in.url}/api/v4/posts/{post.id}/reactions",
        headers={"Authorization": f"Bearer {trial.made['users']['anna']['token']}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return b"white_check_mark" in answer.read()


def _answer_once_more(trial: DocsTrial) -> None:
    """Reply in the thread, and wait until i-Reserve's own worker stores it with the user."""
    trial.answer_in_thread("Yes, until the 28th.")
    stored = wait_until(lambda: _stored_by_ireserve(trial), what="a reply in i-Reserve's table")
    assert stored == [("conversation-1042", "user-7", "Yes, until the 28th.")]


def _stored_by_ireserve(trial: DocsTrial) -> list[Any]:
    query = "SELECT conversation_id, author_user_id, text FROM team_replies"
    with closing(sqlite3.connect(trial.directory / "ireserve.db")) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:
            # The table does not exist before the first reply.
            return []


def _copy_tokens(trial: DocsTrial) -> None:
    """Write the bot's token and a webhook's token into files."""
    callback = f"{trial.web_url}/mattermost/replies"
    hook = trial.stand_in.setup({"hooks": [{"channel": PLACE, "callback_urls": [callback]}]})
    (trial.directory / "bot.token").write_text(trial.made["bots"]["ireserve"]["token"])
    (trial.directory / "webhook.token").write_text(hook["hooks"][0]["token"])


# What the reader does in Mattermost before the blocks below a heading.
READER_ACTIONS: dict[tuple[str, str], Callable[[DocsTrial], None]] = {
    (QUICK_START, "6. Answer"): _answer,
    ("README.md", "Set up a licence"): _copy_tokens,
    (INTEGRATING, "Try it"): _answer_once_more,
}


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocsTrial]:
    """A run with the package installed, and the Mattermost objects that the docs ask for."""
    directory = tmp_path_factory.mktemp("runner")
    port = free_base_port(PROCESSES)
    web_url = f"http://127.0.0.1:{port}"
    with running_redis(tmp_path_factory.mktemp("redis")) as redis_server, running_server() as mm:
        made = _click(mm)
        _install(directory, made)
        with Redis.from_url(redis_server.url) as redis:
            trial = DocsTrial(mm, made, redis, web_url, directory)
            trial.runner = BlockRunner(
                directory,
                _environment(directory, redis_server.url, port),
                {"https://chat.example.com": mm.url, "https://ireserve.example.com": web_url},
                trial,
            )
            yield trial
            trial.runner.stop()


def _click(stand_in: StandIn) -> dict[str, Any]:
    places = [PLACE, "support/bookings"]
    anna = {"username": "anna", "email": "anna@example.com", "channels": places}
    return stand_in.setup(
        {
            "teams": [{"name": "support"}],
            "channels": [{"team": "support", "name": place.split("/")[1]} for place in places],
            "users": [anna],
            "bots": [{"username": "ireserve", "channels": places}],
        }
    )


def _install(directory: Path, made: dict[str, Any]) -> None:
    shutil.copy(ROOT / "Procfile", directory)
    uploads = directory / "attachments" / "uploads" / "2026"
    uploads.mkdir(parents=True)
    shutil.copy(SAMPLE / "lake-house.png", uploads / "photo.png")
    (directory / "bot.token").write_text(made["bots"]["ireserve"]["token"])
    (directory / "admin.token").write_text(made["admin"]["token"])


def _environment(directory: Path, redis_url: str, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {
        **kept,
        # Files that a page saves in the home folder go into the run's folder.
        "HOME": str(directory),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "PORT": str(port),
        "REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{directory / 'ours.db'}",
        "ATTACHMENTS_URL": f"file://{directory / 'attachments'}",
    }


@pytest.mark.parametrize("block", RUN, ids=str)
def test_block_does_what_the_page_says(trial: DocsTrial, block: Block) -> None:
    """Each block succeeds after all blocks before it, or keeps running if it should."""
    trial.read_up_to(block)


def test_what_the_reader_does_in_mattermost_stands_in_the_docs() -> None:
    """Each action of the reader in Mattermost belongs to a heading with a block to run."""
    assert set(READER_ACTIONS) - {(block.page, block.heading) for block in RUN} == set()
