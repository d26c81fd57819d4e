"""The webhook endpoint over real HTTP: what it accepts, and stores for which licence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
from flask import Flask, request

from demo.mattermost import StandIn
from models import Database, ReplySource, ReplyState
from tests.waiting import wait_until
from tests.webhook_calls import (
    BOT_USER_ID,
    CALLS,
    FORM,
    JSON,
    OTHER_TOKEN,
    POST_ID,
    TOKEN,
    Endpoint,
    add_licence,
    as_form,
    as_json,
    host_app,
    inbox,
    payload,
    replies,
    running_app,
    send,
)

RECEIVED = (ReplyState.RECEIVED, ReplySource.WEBHOOK)


@pytest.fixture
def app(database: Database, redis_url: str) -> Flask:
    """Another application with our blueprint, and without our settings."""
    return host_app(database, redis_url)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"of_bot_post"}))
def test_recorded_call_is_taken_byte_for_byte(endpoint: Endpoint, name: str) -> None:
    """A recorded call of a real server fills the inbox, and the answer is an empty object."""
    call = CALLS[name]
    post_id = call["body"].split("post_id")[1].lstrip('":=')[:26]
    headers = {key: value for key, value in call["headers"].items() if key != "Host"}

    answer = requests.post(endpoint.url, data=call["body"].encode(), headers=headers, timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (
        200,
        JSON,
        b"{}",
    )
    assert inbox(endpoint.database) == [("L1", post_id, *RECEIVED)]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/mattermost/replies/", id="slash"),
        pytest.param("/chat/mattermost/replies", id="prefix"),
        pytest.param("/a/b/mattermost/replies/", id="prefix of two parts, and slash"),
    ],
)
def test_address_with_a_slash_or_a_prefix_answers_as_the_address(
    endpoint: Endpoint, path: str
) -> None:
    """The address also works with a final slash or a prefix."""
    other = replace(endpoint, url=endpoint.url.removesuffix("/mattermost/replies") + path)

    refused = other.send(as_json(payload(token=OTHER_TOKEN)))
    taken = other.send(as_json(payload()))

    assert (refused, taken) == ((401, {"error": "unknown token"}), (200, {}))
    assert [row[1] for row in inbox(endpoint.database)] == [payload()["post_id"]]


def test_own_post_of_the_bot_is_dropped(endpoint: Endpoint) -> None:
    """A call about the bot's own post is answered and not stored."""
    recorded = CALLS["of_bot_post"]["body"]
    assert json.loads(recorded)["user_id"] == BOT_USER_ID

    answer = endpoint.send(recorded.encode())

    assert (answer, inbox(endpoint.database)) == ((200, {}), [])


@pytest.mark.parametrize("encode", [as_json, as_form], ids=["json", "form"])
def test_second_delivery_changes_nothing(endpoint: Endpoint, encode: Callable[..., bytes]) -> None:
    """A second call for a post changes nothing, whatever its form or text."""
    first = endpoint.send(as_json(payload()))
    before = [vars(row) for row in replies(endpoint.database)]

    second = endpoint.send(encode(payload(text="changed")), {as_json: JSON, as_form: FORM}[encode])

    after = [vars(row) for row in replies(endpoint.database)]
    assert first == second == (200, {})
    assert without_state(after) == without_state(before)
    assert len(after) == 1


def without_state(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the columns' values without the ORM's state."""
    return [{k: v for k, v in row.items() if k != "_sa_instance_state"} for row in rows]


def test_token_speaks_for_its_own_licence_alone(endpoint: Endpoint) -> None:
    """The same post id for two licences gives one row each."""
    add_licence(endpoint.database, "L2", tokens=(OTHER_TOKEN,), bot_user_id="z" * 26)

    answers = [
        endpoint.send(as_json(payload(token=token))) for token in (TOKEN, OTHER_TOKEN, TOKEN)
    ]

    assert answers == [(200, {})] * 3
    assert inbox(endpoint.database) == [("L1", POST_ID, *RECEIVED), ("L2", POST_ID, *RECEIVED)]


def test_another_licences_bot_is_a_person_like_any(endpoint: Endpoint) -> None:
    """Only the bot of the token's own licence is dropped."""
    add_licence(endpoint.database, "L2", tokens=(OTHER_TOKEN,), bot_user_id="z" * 26)

    endpoint.send(as_json(payload(user_id="z" * 26)))
    endpoint.send(as_json(payload(token=OTHER_TOKEN, user_id="z" * 26)))

    assert inbox(endpoint.database) == [("L1", POST_ID, *RECEIVED)]


def test_application_around_us_may_have_other_limits_and_read_the_form_first(
    app: Flask, database: Database
) -> None:
    """Another application's limits and hooks do not affect our address."""
    add_licence(database)
    app.config.update(MAX_CONTENT_LENGTH=10, MAX_FORM_MEMORY_SIZE=10)
    peeking = Flask("peeking")
    peeking.before_request(lambda: request.form.get("csrf"))
    peeking.register_blueprint(app.blueprints["mattermost"])

    with running_app(app) as url:
        limited = send(url, as_form(payload()), content_type=FORM).status_code
    with running_app(peeking) as url:
        peeked = send(url, as_form(payload(post_id="b" * 26)), content_type=FORM).status_code

    assert (limited, peeked) == (200, 200)
    assert [post_id for _, post_id, *_ in inbox(database)] == [POST_ID, "b" * 26]


@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_hook_of_the_stand_in_reaches_the_inbox(
    endpoint: Endpoint, stand_in: StandIn, content_type: str
) -> None:
    """A post on the stand-in triggers the webhook and comes into the inbox."""
    place = "support/webchat"
    hook = {"channel": place, "callback_urls": [endpoint.url], "token": TOKEN}
    made = stand_in.setup(
        {
            "teams": [{"name": "support"}],
            "channels": [{"team": "support", "name": "webchat"}],
            "users": [{"username": "anna", "channels": [place]}],
            "hooks": [{**hook, "content_type": content_type}],
        }
    )

    answer = requests.post(
        f"{stand_in.url}/api/v4/posts",
        json={"channel_id": made["channels"][place]["id"], "message": "ünï & **form** = yes 👋"},
        headers={"Authorization": f"Bearer {made['users']['anna']['token']}"},
        timeout=10,
    )

    wait_until(lambda: bool(stand_in.webhook_calls()), what="the hook's call")
    assert [call.status for call in stand_in.webhook_calls()] == [200]
    assert inbox(endpoint.database) == [("L1", answer.json()["id"], *RECEIVED)]
