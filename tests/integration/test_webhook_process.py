"""The Procfile's web process: how it reads broken chunks, and what its log tells of a call."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from demo.ports import free_port
from models import Database
from tests.stage.deployment import Deploy
from tests.waiting import wait_until
from tests.webhook_calls import TOKEN, add_licence, as_json, payload, send, start_web

SECRET = "geheim0123456789geheim0123"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"zz\r\n{}\r\n0\r\n\r\n", b"HTTP/1.1 400 "),
        (b"2\r\n{}XX0\r\n\r\n", b"HTTP/1.1 400 "),
        (b"-1\r\n{}", b"HTTP/1.1 400 "),
        (b"5\r\n{}", b""),
    ],
    ids=["no length", "no end of chunk", "negative", "cut off"],
)
def test_broken_chunks_are_refused(
    tmp_path: Path, sqlite_url: str, body: bytes, expected: bytes, deploy: Deploy
) -> None:
    """An unreadable chunked body gets 400, and a broken-off one no answer."""
    deployment = deploy(tmp_path, redis_url="redis://", database_url=sqlite_url)
    web, _ = start_web(deployment)
    head = b"POST /mattermost/replies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    with socket.create_connection(("127.0.0.1", web.port), 10) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4_096)

    deployment.stop()
    assert answer[: len(b"HTTP/1.1 400 ")] == expected
    assert "Traceback" not in web.log_text()


def test_log_tells_ids_and_never_token_text_or_name(
    tmp_path: Path, sqlite_url: str, deploy: Deploy
) -> None:
    """No secret in any field appears in the log or an answer, however the call fails."""
    database = Database(sqlite_url)
    add_licence(database)
    deployment = deploy(
        tmp_path,
        redis_url=f"redis://:{SECRET}@127.0.0.1:{free_port()}/0",
        database_url=sqlite_url,
    )
    web, url = start_web(deployment)
    marked = payload(text=SECRET, user_name=SECRET, channel_name=SECRET, token=SECRET)
    bodies = [
        as_json(marked),
        as_json({**marked, "token": TOKEN}),
        as_json({**marked, "token": TOKEN, "post_id": SECRET + "!"}),
        as_json({**marked, "token": TOKEN, SECRET: SECRET, "timestamp": SECRET}),
        as_json(marked)[:-5],
    ]

    answers = [send(url, body) for body in bodies]
    wait_until(lambda: "wake_up_not_published" in web.log_text(), what="all of the log")
    log = web.log_text()

    deployment.stop()
    database.dispose()
    assert [answer.status_code for answer in answers] == [401, 200, 400, 200, 400]
    assert log.count("webhook_refused") == 1 + 3
    assert SECRET not in log + "".join(answer.text for answer in answers)
