"""The webhook endpoint over real HTTP: which tokens, bodies and methods it refuses, and how."""

from __future__ import annotations

import pytest
import requests
from sqlalchemy import update

from inbound.webhook import MAX_BODY_BYTES
from models import Database, Licence
from tasks.replies.webhook_tokens import add_token, finish_rotation
from tests.stage.database_cost import counted
from tests.webhook_calls import (
    FORM,
    JSON,
    OTHER_TOKEN,
    TOKEN,
    Endpoint,
    add_licence,
    answer_of,
    as_form,
    as_json,
    inbox,
    payload,
)

UNKNOWN = "x" * 26


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
    """A wrong type or field is refused with its status, and nothing is stored or posted."""
    status, answer = endpoint.send(body, content_type)

    problem, field = answer.get("error"), answer.get("field")
    assert (status, problem and problem[: len(expected[1] or "")], field) == expected
    assert len(inbox(endpoint.database)) == (status == 200)
    # Mattermost would post the value of a field "text", at any status.
    assert answer.keys() <= {"error", "field"}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_is_allowed(endpoint: Endpoint, method: str) -> None:
    """Any other method is refused, and the answer names POST."""
    response = requests.request(method, endpoint.url, json=payload(), timeout=10)

    assert answer_of(response) == (405, {"error": "only POST"})
    assert response.headers["Allow"] == "POST"
