"""The round trip: the bot's post comes back through the webhook, and is removed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from redis import Redis

from inbound.wake_ups import WakeUps
from inbound.web import make_blueprint
from ireserve_mattermost.connections import worker_redis
from tasks.app import app as celery_app
from tasks.checks.check import Check, State
from tasks.checks.round_trip import check_round_trip
from tasks.mattermost import MattermostError
from tasks.mattermost.exchange import Stopping
from tasks.rendering.english import ENGLISH
from tasks.replies.webhook_tokens import add_token
from tasks.watch.seen_posts import has_seen
from tests.stage.stage import BOT, CHANNEL, LICENCE, TEAM, Stage
from tests.waiting import wait_until
from tests.webhook_calls import inbox, running_app

TOKEN = "h" * 26
# How long to wait for a webhook that comes, and for a webhook that does not come.
WAIT_S = 10.0
IN_VAIN_S = 0.3


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, which the round trip does not use."""
    return sqlite_url


@pytest.fixture
def redis(stage: Stage) -> Iterator[Redis]:
    """The installation's Redis."""
    with worker_redis(stage.runtime.settings.redis_url) as connection:
        yield connection


@pytest.fixture
def web(stage: Stage, redis: Redis) -> Iterator[str]:
    """The web process's endpoint."""
    flask = Flask(__name__)
    flask.register_blueprint(
        make_blueprint(
            database=lambda: stage.runtime.database,
            redis=lambda: redis,
            wake_ups=WakeUps(celery_app, redis=lambda: redis),
        )
    )
    with running_app(flask) as url:
        yield url


def make_hook(stage: Stage, callback_url: str) -> None:
    """Make the channel's outgoing webhook."""
    hook = {"channel": f"{TEAM}/{CHANNEL}", "callback_urls": [callback_url], "token": TOKEN}
    stage.stand_in.setup({"hooks": [hook]})


def store_token(stage: Stage) -> None:
    """Store the webhook's token."""
    with stage.runtime.database.transaction() as session:
        add_token(session, LICENCE, token=TOKEN)


def _check(stage: Stage, redis: Redis, *, wait_s: float) -> Check:
    return check_round_trip(
        stage.bot(),
        redis,
        channel_id=stage.channel_id,
        wording=ENGLISH,
        stopping=Stopping(),
        wait_s=wait_s,
    )


def test_webhook_that_works_is_seen(stage: Stage, web: str, redis: Redis) -> None:
    """A working webhook is seen, the post is removed, and the inbox stays empty."""
    make_hook(stage, web)
    store_token(stage)

    check = _check(stage, redis, wait_s=WAIT_S)

    assert (check.state, check.cure) == (State.OK, "")
    assert stage.channel_posts() == []
    assert inbox(stage.runtime.database) == []


def test_hook_without_a_stored_token_is_not_seen(stage: Stage, web: str, redis: Redis) -> None:
    """A refused call is no round trip, and the post is still removed."""
    make_hook(stage, web)

    check = _check(stage, redis, wait_s=IN_VAIN_S)

    assert check.state is State.FAIL
    assert "AllowedUntrustedInternalConnections" in check.cure
    assert stage.channel_posts() == []


def test_webhook_of_another_post_is_not_taken_for_it(stage: Stage, web: str, redis: Redis) -> None:
    """The webhook of another post, in another channel, does not count as the round trip."""
    made = stage.stand_in.setup(
        {
            "channels": [{"team": TEAM, "name": "other"}],
            "bots": [{"username": BOT, "channels": [f"{TEAM}/other"]}],
            "hooks": [{"channel": f"{TEAM}/other", "callback_urls": [web], "token": TOKEN}],
        }
    )
    store_token(stage)
    other_id = made["channels"][f"{TEAM}/other"]["id"]
    beside = stage.bot().create_post(channel_id=other_id, message="beside")
    wait_until(lambda: has_seen(redis, beside.id), what="the other channel's webhook")

    check = _check(stage, redis, wait_s=IN_VAIN_S)

    assert check.state is State.FAIL


def test_post_of_the_team_is_no_round_trip_but_a_reply(
    stage: Stage, web: str, redis: Redis
) -> None:
    """A member's post is no round trip and comes into the inbox."""
    make_hook(stage, web)
    store_token(stage)

    post = stage.member().create_post(channel_id=stage.channel_id, message="hello")

    wait_until(lambda: inbox(stage.runtime.database), what="the reply in the inbox")
    assert [row[1] for row in inbox(stage.runtime.database)] == [post.id]
    assert not has_seen(redis, post.id)


def test_post_that_cannot_be_made_is_told(stage: Stage, redis: Redis) -> None:
    """If the post cannot be made, the check raises Mattermost's error."""
    stage.stand_in.set_fault("plugin_rejection", scope="posts")

    with pytest.raises(MattermostError, match="plugin"):
        _check(stage, redis, wait_s=IN_VAIN_S)
