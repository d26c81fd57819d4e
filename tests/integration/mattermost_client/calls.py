"""A client for the tests, its requests, and raw answers of a server."""

import json
from typing import Any

from tasks.mattermost import MattermostClient
from tests.wire import WireServer, http

TOKEN = "s3crettoken0123456789abcde"
CHANNEL = "wg5tsoszetb7dknio3uub93ypw"
POST = {"id": "p1", "channel_id": CHANNEL, "message": "hello", "create_at": 7}
USER = {"id": "u1", "username": "bot"}
FILE = {"id": "f1", "name": "a.txt", "size": 5}
HOOK = {"id": "h1", "token": "t", "team_id": "t1"}
ERROR_JSON = b'{"id":"api.context.session_expired.app_error","request_id":"r1"}'


def json_answer(value: object, status: int = 200) -> bytes:
    """Return the raw answer with this value as JSON."""
    return http(status, json.dumps(value).encode())


def client_of(server: WireServer, **options: Any) -> MattermostClient:
    """Return a client of the server."""
    return MattermostClient(server.url, TOKEN, **options)


def post_once(client: MattermostClient) -> None:
    """Send a post whose text no error may show."""
    client.create_post(channel_id=CHANNEL, message="S3CRET text")


def post_list(*ids: str) -> dict[str, object]:
    """Return the server's list of these posts, the last one newest."""
    posts = {each: POST | {"id": each, "create_at": at} for at, each in enumerate(ids)}
    return {"order": list(reversed(ids)), "posts": posts}


class Zeros:
    """A stream of zeros that never ends."""

    def read(self, size: int, /) -> bytes:
        """Return this number of zeros."""
        return bytes(size)
