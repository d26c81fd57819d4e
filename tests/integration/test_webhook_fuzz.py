"""Thousands of malformed calls cause no server error and store nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.ports import free_port
from inbound.wake_ups import WakeUps
from inbound.web import make_blueprint
from ireserve_mattermost.connections import worker_redis
from models import Database
from tests.webhook_calls import (
    FORM,
    JSON,
    POST_ID,
    TOKEN,
    add_licence,
    as_form,
    as_json,
    inbox,
    payload,
)

# An example has 20 calls, because hypothesis needs longer to make one than we to answer it.
EXAMPLES = 500
CALLS_PER_EXAMPLE = 20
PROFILE = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                           HealthCheck.data_too_large],
)  # fmt: skip
# The allowed answers to an unknown or malformed call.
REFUSALS = {400, 401, 413, 415}
UNKNOWN = "x" * 26
ID = re.compile(r"[a-z0-9]{26}", re.ASCII)

TYPES = st.sampled_from(
    [JSON, FORM, f"{JSON}; charset=utf-16", f"{FORM}; charset=latin-1", f"{JSON};;==\"", "", "*/*",
     "text/plain", "multipart/form-data; boundary=a", "multipart/form-data", "application/xml",
     "APPLICATION/JSON", "application/json, text/plain"]
)  # fmt: skip
SEEDS = [
    as_json(payload(token=UNKNOWN)),
    as_form(payload(token=UNKNOWN)),
    as_json(payload(token=UNKNOWN, post_id="a\0b", text="\ud800")),
    as_json(payload(token=None)),
    b'{"token": "%s", "token": "%s"}' % (UNKNOWN.encode(), UNKNOWN.encode()),
    b'{"timestamp": %s}' % (b"9" * 5_000),
    b'{"token": "", "timestamp": -1e99999, "post_id": Infinity}',
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"token=%ff&post_id=%00&" * 20,
]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(10**400, 10**410), st.floats(),
    st.text(max_size=30), st.sampled_from(["", "\0", "\ud800", "a" * 26, "a" * 27, TOKEN, POST_ID]),
)  # fmt: skip
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(), SCALARS))
NAMES = sorted(payload())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A call without a known token, with some bytes replaced, cut or added."""
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 5))
        body[place : place + length] = draw(st.binary(max_size=5))
    return bytes(body)


STRANGERS = st.lists(
    st.tuples(st.one_of(st.binary(max_size=300), damaged()), TYPES),
    min_size=CALLS_PER_EXAMPLE,
    max_size=CALLS_PER_EXAMPLE,
)


@pytest.fixture
def client(database: Database) -> Iterator[FlaskClient]:
    """The endpoint without a network, on a real database and without a broker."""
    add_licence(database)
    broker = Celery(broker=f"redis://127.0.0.1:{free_port()}/0")
    redis = worker_redis(broker.conf.broker_url)
    app = Flask("host")
    app.register_blueprint(
        make_blueprint(
            database=lambda: database,
            redis=lambda: redis,
            wake_ups=WakeUps(broker, redis=lambda: redis),
        )
    )
    with app.test_client() as made:
        yield made


@pytest.mark.one_database
def test_strangers_are_refused_and_leave_nothing(client: FlaskClient, database: Database) -> None:
    """10,000 calls without a known token are refused in JSON and store nothing."""
    statuses: list[int] = []

    @PROFILE
    @given(calls=STRANGERS)
    def call(calls: list[tuple[bytes, str]]) -> None:
        for body, content_type in calls:
            response = client.post("/mattermost/replies", data=body, content_type=content_type)
            statuses.append(response.status_code)
            assert response.status_code in REFUSALS
            assert set(response.get_json()) <= {"error", "field"}

    call()

    assert len(statuses) >= EXAMPLES * CALLS_PER_EXAMPLE
    assert set(statuses) >= {400, 401, 415}
    assert inbox(database) == []


@pytest.mark.one_database
def test_holder_of_the_token_stores_what_has_ids_and_nothing_else(
    client: FlaskClient, database: Database
) -> None:
    """With the right token, a call is stored if its ids are ids, and else gets a 400."""
    stored: set[str] = set()
    statuses: set[int] = set()

    @PROFILE
    @given(changes=st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3))
    def call(changes: dict[str, Any]) -> None:
        fields = {**json.loads(as_json(payload())), **changes, "token": TOKEN}
        response = client.post("/mattermost/replies", json=fields)
        statuses.add(response.status_code)
        if response.status_code == 200:
            stored.add(fields["post_id"])
        assert response.status_code == (200 if is_valid_call(fields) else 400)

    call()

    assert statuses == {200, 400}
    assert {post_id for _, post_id, *_ in inbox(database)} == stored


def is_valid_call(fields: dict[str, Any]) -> bool:
    """Return whether the body is JSON with two valid ids, whatever the other fields."""
    ids = [fields["post_id"], fields["user_id"]]
    return is_json(fields) and all(isinstance(value, str) and ID.fullmatch(value) for value in ids)


def is_json(fields: dict[str, Any]) -> bool:
    """Return whether the fields have a JSON form, which NaN and Infinity lack."""
    try:
        json.dumps(fields, allow_nan=False)
    except ValueError:
        return False
    return True
