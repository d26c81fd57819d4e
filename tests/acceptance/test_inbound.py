"""The team's replies with real processes: at once by webhook, all of them by catch-up."""

from __future__ import annotations

import signal
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from demo.mattermost import StandIn
from demo.redis_server import RedisServer
from models import Conversation, Database, Reply, ReplySource, ReplyState
from tasks.mattermost import MattermostClient
from tests.acceptance.conftest import Site
from tests.deployment import Deployment, Running
from tests.waiting import wait_until

INTERVAL_S = 5
# Stands in every reply's text; it may appear in no log.
WORD = "geheimtekst"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PLACE = "team-l1/webchat"


@pytest.fixture
def site(
    own_redis: RedisServer, database_url: str, stand_in: StandIn, tmp_path: Path
) -> Iterator[Site]:
    """A deployment with one conversation; the test starts what else it needs."""
    deployment = Deployment.create(
        tmp_path,
        redis_url=own_redis.url,
        database_url=database_url,
        CATCH_UP_INTERVAL_S=str(INTERVAL_S),
    )
    made = Site(deployment, stand_in, {})
    made.add_licence("L1")
    deployment.start_worker()
    host = deployment.start_host()
    host.delay("create_root_post", "L1", "c1", visitor_name="Jan")
    wait_until(lambda: len(made.accepted()) == 1, what="the thread")
    yield made
    deployment.stop()


def _hook(site: Site) -> Running:
    """Start the web process and make an outgoing webhook that calls it."""
    web = site.deployment.start("web")
    _wait_for_web(web)
    url = f"http://127.0.0.1:{web.port}/mattermost/replies"
    made = site.stand_in.setup(
        {"hooks": [{"channel": PLACE, "callback_urls": [url], "content_type": "application/json"}]}
    )
    token = made["hooks"][0]["token"]
    done = site.deployment.command("licence", "webhook", "L1", "--token-file", "-", stdin=token)
    assert done.returncode == 0, done.stderr
    return web


def _wait_for_web(web: Running) -> None:
    def is_up() -> bool:
        try:
            url = f"http://127.0.0.1:{web.port}/mattermost/health"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(is_up, timeout_s=60, what="the web process")


def _say(site: Site, database: Database, count: int) -> list[str]:
    """Let a member write so many replies in the thread; return the posts' ids in order."""
    with database.transaction() as session:
        root = session.scalars(select(Conversation.root_post_id)).one()
    token = site.stand_in.setup({"users": [{"username": "anna"}]})["users"]["anna"]["token"]
    member = MattermostClient(site.stand_in.url, token)
    return [
        member.create_post(
            channel_id=site.channel_ids["L1"], root_id=root or "", message=f"{WORD} {number}"
        ).id
        for number in range(count)
    ]


def _recorded(database: Database) -> list[tuple[str, ReplySource]]:
    with database.transaction() as session:
        return [
            (post_id, source)
            for post_id, source in session.execute(
                select(Reply.post_id, Reply.source)
                .where(Reply.state == ReplyState.RECORDED)
                .order_by(Reply.posted_at, Reply.id)
            )
        ]


def test_reply_is_recorded_within_a_second_or_two(site: Site, database: Database) -> None:
    """From the member's post by the webhook into the table, without any beat; no log has a word."""
    _hook(site)

    posts = _say(site, database, 3)
    wait_until(lambda: len(_recorded(database)) == 3, timeout_s=10, what="three replies")

    logs = site.deployment.logs()
    assert sorted(_recorded(database)) == sorted((post, ReplySource.WEBHOOK) for post in posts)
    assert [word for word in (WORD, "anna", "@example.com") if word in logs] == []


@SQLITE
def test_replies_written_while_the_endpoint_was_down_are_all_recorded(
    site: Site, database: Database
) -> None:
    """500 webhooks go nowhere; one catch-up brings every reply, once."""
    web = _hook(site)
    web.kill()
    posts = _say(site, database, 500)

    site.deployment.start("beat")
    wait_until(lambda: len(_recorded(database)) >= 500, timeout_s=60, what="all replies")

    assert sorted(_recorded(database)) == sorted((post, ReplySource.CATCH_UP) for post in posts)


@SQLITE
def test_private_channel_is_covered_by_catch_up(site: Site, database: Database) -> None:
    """No webhook ever comes from a private channel; the replies do."""
    site.stand_in.setup({"channels": [{"team": "team-l1", "name": "webchat", "type": "P"}]})
    posts = _say(site, database, 3)

    site.deployment.start("beat")
    wait_until(lambda: len(_recorded(database)) == 3, timeout_s=30, what="the replies")

    assert [post_id for post_id, _ in _recorded(database)] == posts


@SQLITE
def test_webhook_is_taken_while_redis_is_down(
    site: Site, database: Database, own_redis: RedisServer
) -> None:
    """The row is there at once; what is woken later is recorded once."""
    _hook(site)
    own_redis.stop(with_signal=signal.SIGKILL)
    posts = _say(site, database, 20)

    def received() -> int:
        with database.transaction() as session:
            return session.scalar(select(func.count()).select_from(Reply)) or 0

    wait_until(lambda: received() == 20, timeout_s=30, what="the inbox")
    answers = [call.status for call in site.stand_in.webhook_calls()]
    own_redis.start()
    site.deployment.start_worker()
    site.deployment.start("beat")
    wait_until(lambda: len(_recorded(database)) == 20, timeout_s=90, what="the replies")

    assert set(answers) == {200}
    assert sorted(post_id for post_id, _ in _recorded(database)) == sorted(posts)


@SQLITE
def test_killed_web_and_workers_lose_no_reply(site: Site, database: Database) -> None:
    """The web process and a worker are killed while replies come in; catch-up brings the rest."""
    web = _hook(site)
    site.deployment.start("beat")
    worker = site.deployment.running[0]

    with ThreadPoolExecutor(1) as background:
        saying = background.submit(_say, site, database, 200)
        wait_until(lambda: len(_recorded(database)) > 20, timeout_s=30, what="some replies")
        worker.kill()
        web.kill()
        site.deployment.start_worker()
        posts = saying.result()
    wait_until(lambda: len(_recorded(database)) >= 200, timeout_s=120, what="all replies")

    assert sorted(post_id for post_id, _ in _recorded(database)) == sorted(posts)
