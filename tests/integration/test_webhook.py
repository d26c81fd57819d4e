"""The webhook endpoint over real HTTP: what it accepts, refuses and stores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests
from celery import Celery
from flask import Flask, request
from sqlalchemy import update

from demo.mattermost import StandIn
from inbound.wake_ups import WakeUps
from inbound.web import make_blueprint, register
from inbound.webhook import MAX_BODY_BYTES
from ireserve_mattermost.connections import worker_redis
from models import Database, Licence, ReplySource, ReplyState
from tasks.replies.webhook_tokens import add_token, finish_rotation
from tests.stage.database_cost import counted
from tests.waiting import wait_until
from tests.webhook_calls import (
    BOT_USER_ID,
    CALLS,
    FORM,
    FORM_TOKEN,
    JSON,
    OTHER_TOKEN,
    POST_ID,
    TOKEN,
    add_licence,
    as_form,
    as_json,
    inbox,
    payload,
    replies,
    running_app,
    send,
)

RECEIVED = (ReplyState.RECEIVED, ReplySource.WEBHOOK)
UNKNOWN = "x" * 26


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A served endpoint and its database."""

    url: str
    database: Database

    def send(self, body: bytes, content_type: str | None = JSON) -> tuple[int, Any]:
        """Call the endpoint; return status and answer."""
        return answer_of(send(self.url, body, content_type=content_type))


def answer_of(response: requests.Response) -> tuple[int, Any]:
    """Return status and JSON of an answer."""
    assert response.headers["Content-Type"] == JSON
    return response.status_code, response.json()


@pytest.fixture
def app(database: Database, redis_url: str) -> Flask:
    """Another application with our blueprint, and without our settings."""
    made = Flask("host")
    redis = worker_redis(redis_url)
    blueprint = make_blueprint(
        database=lambda: database,
        redis=lambda: redis,
        wake_ups=WakeUps(Celery(broker=redis_url), redis=lambda: redis),
    )
    register(made, blueprint)
    return made


@pytest.fixture
def endpoint(app: Flask, database: Database) -> Iterator[Endpoint]:
    """The served endpoint, for licence L1 with the recorded tokens and bot."""
    add_licence(database, tokens=(TOKEN, FORM_TOKEN))
    with running_app(app) as url:
        yield Endpoint(url, database)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"of_bot_post"}))
def test_recorded_call_is_taken_byte_for_byte(endpoint: Endpoint, name: str) -> None:
    """A recorded call of a real server comes into the inbox, and the answer is an empty object."""
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


def test_unknown_token_takes_no_write_lock(endpoint: Endpoint) -> None:
    """A call with an unknown token takes no write lock, of which SQLite has only one."""
    writer = Database(endpoint.database.engine.url.render_as_string(hide_password=False))
    with writer.connection() as connection:
        connection.execute(update(Licence).values(enabled=True))
        status, _ = endpoint.send(as_json(payload(token=UNKNOWN)))
    writer.dispose()

    assert status == 401


REFUSED_TOKENS: list[tuple[str, str | None]] = [
    ("unknown", UNKNOWN), ("empty", ""), ("missing", None), ("disabled", OTHER_TOKEN),
    ("hash itself", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("with NUL", TOKEN + "\0"), ("lone surrogate", "\ud800"), ("capitals", TOKEN.upper()),
]  # fmt: skip


def test_wrong_tokens_cannot_be_told_apart(endpoint: Endpoint) -> None:
    """All wrong tokens get the same answer after the same query, and store nothing."""
    add_licence(endpoint.database, "off", tokens=(OTHER_TOKEN,), enabled=False)
    bodies = [as_json(payload(token=token)) for _, token in REFUSED_TOKENS]

    answers, work = [], []
    for body in bodies:
        with counted(endpoint.database) as cost:
            answers.append(endpoint.send(body))
        work.append([statement for statement in cost.statements if "BEGIN" not in statement])

    assert answers == [(401, {"error": "unknown token"})] * len(bodies)
    assert work == [work[0]] * len(bodies)
    assert len(work[0]) == 1
    assert inbox(endpoint.database) == []


def test_token_comes_before_all_other_fields(endpoint: Endpoint) -> None:
    """Without a valid token, no other field's mistake is named."""
    assert endpoint.send(as_json(payload(token=UNKNOWN, post_id=5))) == (
        401,
        {"error": "unknown token"},
    )


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


def test_two_tokens_are_valid_in_a_rotation(endpoint: Endpoint) -> None:
    """During a rotation both tokens are valid, and then only the new one."""
    with endpoint.database.transaction() as session:
        add_token(session, "L1", token=OTHER_TOKEN)
    during = [
        endpoint.send(as_json(payload(token=token, post_id=letter * 26)))[0]
        for letter, token in (("a", TOKEN), ("b", OTHER_TOKEN))
    ]
    with endpoint.database.transaction() as session:
        gone = finish_rotation(session, "L1")

    after = [
        endpoint.send(as_json(payload(token=token, post_id=letter * 26)))[0]
        for letter, token in (("c", TOKEN), ("d", OTHER_TOKEN))
    ]

    assert (during, gone, after) == ([200, 200], 2, [401, 200])
    assert [post_id[0] for _, post_id, *_ in inbox(endpoint.database)] == ["a", "b", "d"]


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


def test_licence_that_is_disabled_is_refused_at_once(endpoint: Endpoint) -> None:
    """A disabled licence's token is refused at the next call, without a cache."""
    before = endpoint.send(as_json(payload()))[0]
    with endpoint.database.transaction() as session:
        session.get_one(Licence, "L1").enabled = False

    after = endpoint.send(as_json(payload(post_id="b" * 26)))[0]

    assert (before, after) == (200, 401)


def padded(size_bytes: int) -> bytes:
    """Return a valid body of this size."""
    empty = as_json(payload(text=""))
    return empty.replace(b'"text": ""', b'"text": "%s"' % (b"x" * (size_bytes - len(empty))))


def test_body_may_have_the_limit_and_no_byte_more(endpoint: Endpoint) -> None:
    """A body of 256 KiB is accepted, and one byte more is refused unread."""
    answers = [endpoint.send(padded(MAX_BODY_BYTES)), endpoint.send(padded(MAX_BODY_BYTES + 1))]

    error = {"error": f"the body is larger than {MAX_BODY_BYTES} bytes"}
    assert answers == [(200, {}), (413, error)]


def test_chunked_body_has_the_same_limit(endpoint: Endpoint) -> None:
    """A chunked body has the same limit."""
    bodies = [padded(MAX_BODY_BYTES), padded(MAX_BODY_BYTES + 1)]

    statuses = [
        requests.post(
            endpoint.url, data=iter([body]), headers={"Content-Type": JSON}, timeout=10
        ).status_code
        for body in bodies
    ]

    assert statuses == [200, 413]


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (f"{JSON}; charset=utf-8", as_json(payload()), (200, None, None)),
        (f"{FORM}; charset=UTF-8", as_form(payload()), (200, None, None)),
        (JSON.upper(), as_json(payload()), (200, None, None)),
        (None, as_json(payload()), (415, "the content type must be", None)),
        ("text/plain", as_json(payload()), (415, "the content type must be", None)),
        ("multipart/form-data; boundary=x", b"--x--", (415, "the content type must be", None)),
        (JSON, as_form(payload()), (400, "the body is not valid JSON", None)),
        (FORM, as_json(payload()), (401, "unknown token", None)),
        (JSON, as_json(payload(text=5, file_ids=[], timestamp=-1.5)), (200, None, None)),
        (JSON, as_json(payload(post_id="a\0b")), (400, "post_id: is not an id", "post_id")),
        (FORM, as_form(payload(post_id="a\0b")), (400, "post_id: is not an id", "post_id")),
        (JSON, as_json(payload(user_id=None)), (400, "user_id: is missing", "user_id")),
        (JSON, as_json(payload(token=5)), (400, "token: must be a string", "token")),
    ],
    ids=[
        "JSON charset", "form charset", "capitals", "no type", "text", "multipart", "form as JSON",
        "JSON as form", "unused types", "JSON NUL", "form NUL", "no author", "token type",
    ],
)  # fmt: skip
def test_content_type_and_fields_decide(
    endpoint: Endpoint,
    content_type: str | None,
    body: bytes,
    expected: tuple[int, str | None, str | None],
) -> None:
    """A wrong type or field is refused with its status, and nothing is stored."""
    status, answer = endpoint.send(body, content_type)

    problem, field = answer.get("error"), answer.get("field")
    assert (status, problem and problem[: len(expected[1] or "")], field) == expected
    assert len(inbox(endpoint.database)) == (status == 200)
    assert "text" not in answer


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_is_allowed(endpoint: Endpoint, method: str) -> None:
    """Another method is refused with the right one."""
    response = requests.request(method, endpoint.url, json=payload(), timeout=10)

    assert answer_of(response) == (405, {"error": "only POST"})
    assert response.headers["Allow"] == "POST"


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
