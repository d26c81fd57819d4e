"""The client against servers that answer, refuse, stall, lie and hang up, over real HTTP."""

import json
import logging
import socket
import ssl
import threading
import time
import traceback
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
import trustme

from tasks.mattermost import (
    MattermostClient,
    MattermostError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RefusedError,
    connections,
    transport,
)
from tests.wire import Request, WireServer, always, http

TOKEN = "s3crettoken0123456789abcde"
CHANNEL = "wg5tsoszetb7dknio3uub93ypw"
POST = {"id": "p1", "channel_id": CHANNEL, "message": "hello", "create_at": 7}
USER = {"id": "u1", "username": "bot"}
FILE = {"id": "f1", "name": "a.txt", "size": 5}
HOOK = {"id": "h1", "token": "t", "team_id": "t1"}
ERROR_JSON = b'{"id":"api.context.session_expired.app_error","request_id":"r1"}'


def _json(value: object, status: int = 200) -> bytes:
    return http(status, json.dumps(value).encode())


def _client(server: WireServer, **options: Any) -> MattermostClient:
    return MattermostClient(server.url, TOKEN, **options)


def _post(client: MattermostClient) -> None:
    client.create_post(channel_id=CHANNEL, message="S3CRET text")


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _posts(*ids: str) -> dict[str, object]:
    posts = {each: POST | {"id": each, "create_at": at} for at, each in enumerate(ids)}
    return {"order": list(reversed(ids)), "posts": posts}


def test_a_post_goes_out_as_it_was_given() -> None:
    """One request with the token, the JSON as UTF-8, and without marking the bot as online."""
    with WireServer(always(_json(POST, 201))) as server, _client(server) as client:
        post = client.create_post(
            channel_id=CHANNEL,
            message="é😀",
            root_id="r1",
            file_ids=("f1", "f2"),
            props={"k": 1},
            pending_post_id="key",
        )

    [request] = server.requests
    assert post.id == "p1"
    assert (request.method, request.target) == ("POST", "/api/v4/posts?set_online=false")
    assert json.loads(request.body) == {
        "channel_id": CHANNEL,
        "message": "é😀",
        "root_id": "r1",
        "file_ids": ["f1", "f2"],
        "props": {"k": 1},
        "pending_post_id": "key",
    }
    assert "é😀".encode() in request.body
    assert dict(request.headers) == {
        "host": f"localhost:{server.port}",
        "authorization": f"Bearer {TOKEN}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "ireserve-mattermost",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
    }


def test_a_lone_surrogate_does_not_stop_a_post() -> None:
    """What cannot be sent at all becomes a question mark."""
    with WireServer(always(_json(POST, 201))) as server, _client(server) as client:
        client.create_post(channel_id=CHANNEL, message="a\ud800b")

    assert json.loads(server.requests[0].body)["message"] == "a?b"


CALLS: list[tuple[str, Callable[[MattermostClient], Any], object, str, object]] = [
    ("ping", lambda c: c.ping(), {"status": "OK"}, "GET /system/ping", None),
    ("me", lambda c: c.get_me().id, USER, "GET /users/me", None),
    ("user", lambda c: c.get_user("u1").id, USER, "GET /users/u1", None),
    ("users", lambda c: c.get_users_by_ids(["u1"]), [], "POST /users/ids", ["u1"]),
    ("team", lambda c: c.get_team_by_name("x").id, {"id": "t", "name": "x"},
     "GET /teams/name/x", None),
    ("channel", lambda c: c.get_channel("c").id, {"id": "c", "type": "O"}, "GET /channels/c", None),
    ("by-name", lambda c: c.get_channel_by_name(team="t", channel="n").id,
     {"id": "c", "type": "O"}, "GET /teams/name/t/channels/name/n?include_deleted=true", None),
    ("member", lambda c: c.get_my_membership("c").roles,
     {"channel_id": "c", "user_id": "u", "roles": "r"}, "GET /channels/c/members/me", None),
    ("join", lambda c: c.add_channel_member("c", user_id="u").user_id,
     {"channel_id": "c", "user_id": "u"}, "POST /channels/c/members", {"user_id": "u"}),
    ("config", lambda c: c.get_client_config().version, {"Version": "6.7.2"},
     "GET /config/client?format=old", None),
    ("patch", lambda c: c.patch_post("p1", message="x").id, POST,
     "PUT /posts/p1/patch", {"message": "x"}),
    ("patch-props", lambda c: c.patch_post("p1", props={}).id, POST,
     "PUT /posts/p1/patch", {"props": {}}),
    ("delete", lambda c: c.delete_post("p1"), {"status": "OK"}, "DELETE /posts/p1", None),
    ("get", lambda c: c.get_post("p1").id, POST, "GET /posts/p1", None),
    ("ids", lambda c: c.get_posts_by_ids(["p1"]), [POST], "POST /posts/ids", ["p1"]),
    ("page", lambda c: c.get_posts_page("c", page=2, per_page=500), _posts(),
     "GET /channels/c/posts?page=2&per_page=200", None),
    ("since", lambda c: c.get_posts_since("c", since_ms=5), _posts(),
     "GET /channels/c/posts?since=5", None),
    ("after", lambda c: c.get_posts_after("c", post_id="p", per_page=9), _posts(),
     "GET /channels/c/posts?after=p&per_page=9", None),
    ("file-info", lambda c: c.get_file_info("f1").id, FILE, "GET /files/f1/info", None),
    ("react", lambda c: c.add_reaction("p", user_id="u", emoji_name="lock"), {},
     "POST /reactions", {"user_id": "u", "post_id": "p", "emoji_name": "lock"}),
    ("unreact", lambda c: c.remove_reaction("p", user_id="u", emoji_name="+1"),
     {"status": "OK"}, "DELETE /users/u/posts/p/reactions/%2B1", None),
    ("hook", lambda c: c.get_outgoing_webhook("h1").token, HOOK, "GET /hooks/outgoing/h1", None),
    ("hooks", lambda c: len(c.list_outgoing_webhooks(team_id="t")), [HOOK],
     "GET /hooks/outgoing?team_id=t&page=0&per_page=200", None),
    ("regen", lambda c: c.regenerate_outgoing_webhook_token("h1").id, HOOK,
     "POST /hooks/outgoing/h1/regen_token", None),
    ("unhook", lambda c: c.delete_outgoing_webhook("h1"), {"status": "OK"},
     "DELETE /hooks/outgoing/h1", None),
    ("new-hook", lambda c: c.create_outgoing_webhook(
        team_id="t", channel_id="c", display_name="n", callback_urls=["https://x"]).id, HOOK,
     "POST /hooks/outgoing", {
         "team_id": "t", "channel_id": "c", "display_name": "n", "description": "",
         "callback_urls": ["https://x"], "content_type": "application/json",
         "trigger_words": []}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "answer", "line", "payload"),
    [pytest.param(*rest, id=name) for name, *rest in CALLS],
)
def test_each_call_is_one_request(
    call: Callable[[MattermostClient], Any], answer: object, line: str, payload: object
) -> None:
    """Every method asks for exactly one thing, in the server's own words."""
    with WireServer(always(_json(answer))) as server, _client(server) as client:
        call(client)

    [request] = server.requests
    assert f"{request.method} {request.target}" == line.replace(" /", " /api/v4/", 1)
    assert (json.loads(request.body) if request.body else None) == payload


def test_a_subpath_of_the_server_is_kept() -> None:
    """A server under https://host/chat/ is asked there."""
    with (
        WireServer(always(_json(USER))) as server,
        MattermostClient(f"{server.url}/chat/", TOKEN) as client,
    ):
        client.get_me()

    assert server.requests[0].target == "/chat/api/v4/users/me"


@pytest.mark.parametrize("post_id", ["", ".", ".."])
def test_an_empty_id_is_refused_before_anything_is_sent(post_id: str) -> None:
    """An id that is missing must not turn one call into another."""
    with (
        WireServer(always(_json(POST))) as server,
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_thread(post_id)

    assert caught.value.reason is Reason.INVALID_REQUEST
    assert server.requests == []


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    """A slash or question mark in an id is data, not syntax."""
    with WireServer(always(_json(POST))) as server, _client(server) as client:
        client.get_post("../users/me?x")

    assert server.requests[0].target == "/api/v4/posts/..%2Fusers%2Fme%3Fx"


def test_a_thread_comes_oldest_first() -> None:
    """Whatever the server's order, a thread reads from its root on."""
    with WireServer(always(_json(_posts("root", "b", "c")))) as server, _client(server) as client:
        thread = client.get_thread("root")

    assert [post.id for post in thread] == ["root", "b", "c"]


def test_the_root_comes_before_replies_of_its_millisecond() -> None:
    """A server is quick enough for a reply in the millisecond of the root."""
    posts = {each: POST | {"id": each, "create_at": 7} for each in ("a", "root", "b")}
    answer = _json({"order": ["a", "root", "b"], "posts": posts})
    with WireServer(always(answer)) as server, _client(server) as client:
        thread = client.get_thread("root")

    assert [post.id for post in thread] == ["root", "a", "b"]


def test_many_ids_are_asked_for_in_portions() -> None:
    """The server takes 1,000 ids at once."""
    with WireServer(always(_json([POST]))) as server, _client(server) as client:
        posts = client.get_posts_by_ids([f"p{number}" for number in range(1_001)])

    assert [len(json.loads(request.body)) for request in server.requests] == [1_000, 1]
    assert len(posts) == 2


def test_ids_that_never_existed_are_an_empty_list() -> None:
    """The server says 404 only when none of the ids ever existed."""
    answer = http(404, b'{"id":"app.post.get.app_error"}')
    with WireServer(always(answer)) as server, _client(server) as client:
        assert client.get_posts_by_ids(["p1"]) == []


def test_a_missing_route_is_not_an_empty_list() -> None:
    """A server without this call must not make every post look unknown."""
    answer = http(404, b'{"id":"api.context.404.app_error"}')
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_posts_by_ids(["p1"])

    assert caught.value.reason is Reason.NOT_FOUND


def test_a_file_goes_up_raw_with_its_length() -> None:
    """The body is the file alone, its name is in the query, and progress is told."""
    content = bytes(range(256)) * 4_000
    answer = _json({"file_infos": [FILE], "client_ids": None}, 201)
    told: list[int] = []

    with WireServer(always(answer)) as server, _client(server) as client:
        info = client.upload_file(
            channel_id=CHANNEL,
            name="é & ü.png",
            stream=BytesIO(content),
            size_bytes=len(content),
            on_progress=lambda: told.append(1),
        )

    [request] = server.requests
    assert info.id == "f1"
    assert request.target == (f"/api/v4/files?channel_id={CHANNEL}&filename=%C3%A9+%26+%C3%BC.png")
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in request.headers
    assert request.body == content[: len(request.body)]
    assert request.body_size == len(content)
    assert len(told) == 4


def test_no_more_goes_up_than_was_announced() -> None:
    """A file that grows meanwhile must not spill into the next request."""
    answer = _json({"file_infos": [FILE]}, 201)
    with WireServer(always(answer)) as server, _client(server) as client:
        for _ in range(2):
            client.upload_file(
                channel_id=CHANNEL, name="a", stream=BytesIO(b"12345678"), size_bytes=5
            )

    assert [request.body for request in server.requests] == [b"12345", b"12345"]


@pytest.mark.parametrize(("content", "size_bytes"), [(b"", 0), (b"123", 5)], ids=["empty", "short"])
def test_a_stream_that_is_not_its_size_is_a_fault_of_the_caller(
    content: bytes, size_bytes: int
) -> None:
    """It is no failure of the server, so it is no MattermostError."""
    with (
        WireServer(always(_json({}))) as server,
        _client(server) as client,
        pytest.raises(ValueError, match=r"upload of no bytes|ended before"),
    ):
        client.upload_file(
            channel_id=CHANNEL, name="a", stream=BytesIO(content), size_bytes=size_bytes
        )


def test_what_progress_raises_passes_through() -> None:
    """A lane that was lost in the middle of an upload ends it as itself."""

    class LostError(Exception):
        """The caller's own."""

    def lose() -> None:
        raise LostError

    with (
        WireServer(always(_json({}))) as server,
        _client(server) as client,
        pytest.raises(LostError),
    ):
        client.upload_file(
            channel_id=CHANNEL, name="a", stream=BytesIO(b"x"), size_bytes=1, on_progress=lose
        )


def test_a_refusal_in_the_middle_of_an_upload_is_heard() -> None:
    """A server that says 413 and closes before it has read the file is understood."""
    size = 64 * 1024 * 1024
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refuse_early, args=(listener,))
        thread.start()
        with (
            MattermostClient(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN) as client,
            pytest.raises(RefusedError) as caught,
        ):
            client.upload_file(channel_id=CHANNEL, name="a", stream=_Zeros(), size_bytes=size)
        thread.join()

    assert caught.value.reason is Reason.TOO_LARGE


class _Zeros:
    def read(self, size: int, /) -> bytes:
        return bytes(size)


def _refuse_early(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(http(413, b"<html>", content_type="text/html"))
        connection.shutdown(socket.SHUT_WR)
        # As proxies do: what still comes is read and thrown away until the client stops.
        connection.settimeout(0.5)
        try:
            while connection.recv(1024 * 1024):
                pass
        except OSError:
            return


def test_a_file_comes_down_in_chunks() -> None:
    """Size, type and bytes arrive, and the connection is used again."""
    content = b"x" * 300_000
    answer = http(200, content, content_type="image/png")
    with WireServer(always(answer)) as server, _client(server) as client:
        for _ in range(2):
            with client.download_file("f1") as download:
                chunks = list(download.chunks)

    assert (download.size_bytes, download.content_type) == (300_000, "image/png")
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 64 * 1024
    assert server.connection_count == 1


def test_a_file_that_is_gone_is_not_found() -> None:
    """A download that is refused says why before anything is read."""
    answer = http(404, b'{"id":"app.file_info.get.app_error"}')
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
        client.download_file("f1"),
    ):
        pass

    assert caught.value.reason is Reason.NOT_FOUND


def test_a_page_is_not_taken_for_a_file() -> None:
    """A wrong subpath answers every address with the web client's page."""
    answer = http(200, b"<html></html>", content_type="text/html; charset=utf-8")
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
        client.download_file("f1"),
    ):
        pass

    assert caught.value.reason is Reason.NOT_MATTERMOST


def test_a_download_that_breaks_off_is_not_taken_for_whole() -> None:
    """Fewer bytes than announced are an error, not a shorter file."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n12345"

    def break_off(request: Request, connection: socket.socket) -> None:
        connection.sendall(raw)

    with (
        WireServer(break_off) as server,
        _client(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
        client.download_file("f1") as download,
    ):
        list(download.chunks)

    assert caught.value.reason is Reason.CONNECTION_CUT


def test_a_refused_connection_is_not_sent() -> None:
    """Nobody listens: nothing was done."""
    with (
        MattermostClient(f"http://127.0.0.1:{_closed_port()}", TOKEN) as client,
        pytest.raises(NotSentError) as caught,
    ):
        _post(client)

    assert (caught.value.reason, caught.value.detail) == (Reason.UNREACHABLE, "Connection refused")


def test_an_unknown_host_is_not_sent() -> None:
    """A name that does not exist by definition."""
    with (
        MattermostClient("http://mattermost.invalid", TOKEN) as client,
        pytest.raises(NotSentError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_host_that_cannot_be_one_is_not_sent() -> None:
    """A label that is too long never gets as far as a connection."""
    with (
        MattermostClient(f"http://{'a' * 64}.example", TOKEN) as client,
        pytest.raises(NotSentError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_connection_that_is_not_accepted_in_time_is_not_sent() -> None:
    """A full queue of connections, as a hung or cut-off host has it."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        with (
            MattermostClient(
                f"http://127.0.0.1:{address[1]}", TOKEN, connect_timeout_s=0.3
            ) as client,
            pytest.raises(NotSentError) as caught,
        ):
            _post(client)
        for filler in fillers:
            filler.close()

    assert (caught.value.reason, caught.value.detail) == (Reason.UNREACHABLE, "connect timeout")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's TLS for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def test_a_certificate_of_nobody_is_not_sent(tls: ssl.SSLContext) -> None:
    """Without the CA the server is not trusted, and nothing is said to it."""
    with (
        WireServer(always(_json(USER)), tls=tls) as server,
        _client(server) as client,
        pytest.raises(NotSentError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.TLS_FAILED
    assert "certificate" in caught.value.detail
    assert server.requests == []


def test_a_server_of_a_private_ca_is_reached(tls: ssl.SSLContext, authority: trustme.CA) -> None:
    """With its CA bundle the same server is trusted."""
    with (
        authority.cert_pem.tempfile() as bundle,
        WireServer(always(_json(USER)), tls=tls) as server,
        _client(server, ca_bundle=bundle) as client,
    ):
        assert client.get_me().id == "u1"


def test_a_ca_bundle_that_is_missing_is_not_sent() -> None:
    """A setting that names no file is a failure of TLS, with nothing sent."""
    with (
        MattermostClient("https://localhost:1", TOKEN, ca_bundle="/nowhere.pem") as client,
        pytest.raises(NotSentError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.TLS_FAILED


def test_a_tls_handshake_that_hangs_is_not_sent() -> None:
    """A port that accepts and says nothing: the post cannot have arrived."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}"
        with (
            MattermostClient(url, TOKEN, connect_timeout_s=0.2) as client,
            pytest.raises(NotSentError) as caught,
        ):
            _post(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_server_without_tls_is_not_sent() -> None:
    """An https address at which plain http is spoken."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_speak_plainly, args=(listener,))
        thread.start()
        with (
            MattermostClient(f"https://localhost:{listener.getsockname()[1]}", TOKEN) as client,
            pytest.raises(NotSentError) as caught,
        ):
            _post(client)
        thread.join()

    assert caught.value.reason is Reason.TLS_FAILED


def _speak_plainly(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_tls_that_is_cut_after_the_request_leaves_the_outcome_open(
    tls: ssl.SSLContext, authority: trustme.CA
) -> None:
    """The same TLS error class as a failed handshake, with the opposite consequence."""
    with (
        authority.cert_pem.tempfile() as bundle,
        WireServer(always(None), tls=tls) as server,
        _client(server, ca_bundle=bundle) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.CONNECTION_CUT
    assert len(server.requests) == 1


def test_a_cut_after_the_request_leaves_the_outcome_open() -> None:
    """The request arrived, and the connection ended without an answer."""
    with (
        WireServer(always(None)) as server,
        _client(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.CONNECTION_CUT
    assert len(server.requests) == 1


def test_a_late_answer_leaves_the_outcome_open() -> None:
    """The server took the request, and nothing came within the read timeout."""
    released = threading.Event()

    def stall(request: Request, connection: socket.socket) -> None:
        released.wait(10)

    with WireServer(stall) as server, _client(server, read_timeout_s=0.2) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            _post(client)
        released.set()

    assert caught.value.reason is Reason.TIMEOUT
    assert len(server.requests) == 1


def test_an_answer_that_drips_in_is_given_up() -> None:
    """Each byte comes in time, the whole never does."""

    def drip(request: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    began = time.monotonic()
    with (
        WireServer(drip) as server,
        _client(server, read_timeout_s=0.3) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.TIMEOUT
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{", id="short-body"),
        pytest.param(b"HTTP/1.1 201 Created\r\n", id="short-head"),
        pytest.param(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
            b'Connection: close\r\n\r\n{"id": "p',
            id="no-length",
        ),
        pytest.param(
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
            b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"id"',
            id="short-chunk",
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="not-http"),
    ],
)
def test_an_answer_that_breaks_off_leaves_the_outcome_open(raw: bytes) -> None:
    """Half an answer says that the server did something, not what."""

    def break_off(request: Request, connection: socket.socket) -> None:
        connection.sendall(raw)

    with (
        WireServer(break_off) as server,
        _client(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.CONNECTION_CUT


def test_a_huge_answer_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer beyond the limit is given up, whatever it would be."""
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 1_000)
    with (
        WireServer(always(http(200, b" " * 200_000))) as server,
        _client(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        client.get_me()

    assert caught.value.reason is Reason.ANSWER_TOO_LARGE


def test_a_server_that_takes_no_bytes_leaves_the_outcome_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An upload that stalls ends after the send timeout, not never."""
    monkeypatch.setattr(connections, "SEND_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            MattermostClient(url, TOKEN) as client,
            pytest.raises(OutcomeUnknownError) as caught,
        ):
            client.upload_file(channel_id=CHANNEL, name="a", stream=_Zeros(), size_bytes=2**30)

    assert caught.value.reason is Reason.TIMEOUT


def test_a_stall_in_an_upload_may_last_longer_than_connecting() -> None:
    """The HTTP library would apply the short connect timeout to sending."""
    size = 16 * 1024 * 1024
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_stall_then_take, args=(listener, size))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with MattermostClient(url, TOKEN, connect_timeout_s=0.2) as client:
            info = client.upload_file(
                channel_id=CHANNEL, name="a", stream=_Zeros(), size_bytes=size
            )
        thread.join()

    assert info.id == "f1"


def _stall_then_take(listener: socket.socket, size: int) -> None:
    connection, _ = listener.accept()
    with connection:
        # No wait for a condition: the passing of this time is what is tested.
        time.sleep(0.8)
        taken = 0
        while taken < size:
            taken += len(connection.recv(1024 * 1024))
        connection.sendall(_json({"file_infos": [FILE]}, 201))


def test_an_error_carries_what_the_server_said_about_it() -> None:
    """Ids, status, call and channel, for the ledger and the log."""
    answer = http(403, b'{"id":"api.context.permissions.app_error","request_id":"r1"}')
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        _post(client)

    assert vars(caught.value) == {
        "reason": Reason.NOT_A_MEMBER,
        "method": "POST",
        "path": "/posts",
        "channel_id": CHANNEL,
        "status": 403,
        "error_id": "api.context.permissions.app_error",
        "request_id": "r1",
        "retry_after_s": 0.0,
        "detail": "",
    }


def test_the_request_id_is_taken_from_the_header_of_a_proxy() -> None:
    """An answer that is no JSON still names its request there."""
    answer = http(502, b"<html>", content_type="text/html", headers={"X-Request-Id": "r2"})
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        _post(client)

    assert (caught.value.reason, caught.value.request_id) == (Reason.SERVER_ERROR, "r2")


def test_too_many_requests_name_the_wait() -> None:
    """The server's plain-text 429, as recorded."""
    answer = http(
        429,
        b"limit exceeded\n",
        content_type="text/plain; charset=utf-8",
        headers={"Retry-After": "1", "X-Ratelimit-Reset": "3"},
    )
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(RateLimitedError) as caught,
    ):
        _post(client)

    assert caught.value.retry_after_s == 1.0


def test_a_page_instead_of_json_is_not_mattermost() -> None:
    """A wrong subpath is answered with the web client's page and status 200."""
    answer = http(200, b"<html></html>", content_type="text/html; charset=utf-8")
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_me()

    assert caught.value.reason is Reason.NOT_MATTERMOST


def test_json_of_another_shape_is_not_mattermost() -> None:
    """Some other API answers here; the field that is missing is named."""
    with (
        WireServer(always(_json({"id": "u1"}))) as server,
        _client(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_me()

    assert (caught.value.reason, caught.value.detail) == (
        Reason.NOT_MATTERMOST,
        "username is missing",
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_named_and_not_followed(status: int) -> None:
    """A post that is sent on elsewhere would lose its body, or its token to a stranger."""
    with WireServer(always(_json(POST))) as elsewhere:
        location = {"Location": f"{elsewhere.url}/login?next=S3CRET"}
        with (
            WireServer(always(http(status, headers=location))) as server,
            _client(server) as client,
            pytest.raises(RefusedError) as caught,
        ):
            _post(client)

    assert (caught.value.reason, caught.value.detail) == (Reason.REDIRECTED, "to http://localhost")
    assert elsewhere.requests == []


def test_the_body_of_a_redirect_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The HTTP library would read it whole before it shows the answer."""
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 1_000)
    answer = http(302, b" " * 200_000, headers={"Location": "/x"})
    with (
        WireServer(always(answer)) as server,
        _client(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        client.get_me()

    assert caught.value.reason is Reason.ANSWER_TOO_LARGE


def test_one_connection_serves_many_calls() -> None:
    """Connections are kept alive, also after an error and a chunked answer."""
    chunked = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'15\r\n{"id":"u1","username"\r\n6\r\n:"bot"\r\n1\r\n}\r\n0\r\n\r\n'
    )
    answers = iter([_json(USER), http(401, ERROR_JSON), chunked, _json(USER)])
    with (
        WireServer(lambda request, connection: next(answers)) as server,
        _client(server) as client,
    ):
        client.get_me()
        with pytest.raises(RefusedError):
            client.get_me()
        client.get_me()
        client.get_me()

    assert [request.connection for request in server.requests] == [0, 0, 0, 0]


def test_an_idle_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that the server may be closing just now must not carry a message."""
    clock = time.monotonic
    with WireServer(always(_json(USER))) as server, _client(server) as client:
        client.get_me()
        monkeypatch.setattr("tasks.mattermost.connections.monotonic", lambda: clock() + 29.0)
        client.get_me()
        monkeypatch.setattr("tasks.mattermost.connections.monotonic", lambda: clock() + 60.0)
        client.get_me()

    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    """A restart of the server between two posts costs no post."""
    with WireServer(always(_json(USER))) as server, _client(server) as client:
        client.get_me()
        server.cut()
        client.get_me()

    assert [request.connection for request in server.requests] == [0, 1]


def test_no_cookie_is_kept() -> None:
    """The server would prefer a session cookie to the token, and then fail with 401."""
    answer = http(200, json.dumps(USER).encode(), headers={"Set-Cookie": "MMAUTHTOKEN=x; Path=/"})
    with WireServer(always(answer)) as server, _client(server) as client:
        client.get_me()
        client.get_me()

    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No proxy, no password file and no CA of the machine gets between us and the server."""
    (tmp_path / ".netrc").write_text("machine localhost login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{_closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with WireServer(always(_json(USER))) as server, _client(server) as client:
        client.get_me()

    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_is_used_when_it_is_named() -> None:
    """Plain http goes through the proxy with the whole address."""
    with (
        WireServer(always(_json(USER))) as proxy,
        MattermostClient("http://chat.example", TOKEN, proxy_url=proxy.url) as client,
    ):
        client.get_me()

    assert proxy.requests[0].target == "http://chat.example/api/v4/users/me"


def test_a_proxy_gets_its_own_login() -> None:
    """User and password are taken from the proxy's address, as they stand before their escaping."""
    with (
        WireServer(always(_json(USER))) as proxy,
        MattermostClient(
            "http://chat.example", TOKEN, proxy_url=f"http://jan:p%40ss@localhost:{proxy.port}"
        ) as client,
    ):
        client.get_me()

    [request] = proxy.requests
    assert request.headers["proxy-authorization"] == f"Basic {b64encode(b'jan:p@ss').decode()}"
    assert request.headers["host"] == "chat.example"


def test_tls_goes_through_a_proxys_tunnel(tls: ssl.SSLContext, authority: trustme.CA) -> None:
    """The proxy sees a host name and bytes, the server sees the request."""

    def tunnel(request: Request, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_copy, args=(onward, connection))
            back.start()
            _copy(connection, onward)
            back.join()

    with (
        authority.cert_pem.tempfile() as bundle,
        WireServer(always(_json(USER)), tls=tls) as server,
        WireServer(tunnel) as proxy,
        _client(server, ca_bundle=bundle, proxy_url=proxy.url) as client,
    ):
        client.get_me()
        client.get_me()

    assert [request.target for request in proxy.requests] == [f"localhost:{server.port}"]
    assert len(server.requests) == 2


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("server_url", ["http://chat.example", "https://chat.example"])
def test_a_proxy_that_is_away_is_not_sent(server_url: str) -> None:
    """Nothing can have reached the server behind it."""
    proxy_url = f"http://127.0.0.1:{_closed_port()}"
    with (
        MattermostClient(server_url, TOKEN, proxy_url=proxy_url) as client,
        pytest.raises(NotSentError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_proxy_that_lets_nothing_through_is_not_sent() -> None:
    """A tunnel that the proxy refuses ends before TLS."""
    with (
        WireServer(always(http(407))) as proxy,
        MattermostClient("https://chat.example", TOKEN, proxy_url=proxy.url) as client,
        pytest.raises(NotSentError) as caught,
    ):
        _post(client)

    assert caught.value.reason is Reason.UNREACHABLE


def test_threads_share_a_client() -> None:
    """Each thread gets its own answer, and the pool's connections serve them all."""

    def echo(request: Request, connection: socket.socket) -> bytes:
        return _json(USER | {"id": request.target.rsplit("/", 1)[1]})

    wrong: list[str] = []

    def ask(client: MattermostClient, number: int) -> None:
        for turn in range(25):
            user_id = f"u{number}x{turn}"
            if client.get_user(user_id).id != user_id:
                wrong.append(user_id)

    with WireServer(echo) as server, _client(server) as client:
        threads = [threading.Thread(target=ask, args=(client, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

    assert wrong == []
    assert len(server.requests) == 200
    assert server.connection_count <= 8


def _cut(request: Request, connection: socket.socket) -> None:
    return None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_cut, id="cut"),
        pytest.param(always(http(401, ERROR_JSON)), id="refused"),
        pytest.param(always(http(500, b'{"id":"x","message":"S3CRET"}')), id="server-error"),
        pytest.param(always(http(400, b'{"id":"S3CRET is long"}')), id="odd-id"),
        pytest.param(always(http(200, b"{S3CRET")), id="broken-json"),
        pytest.param(always(http(200, b'{"file_infos":"S3CRET"}')), id="other-shape"),
    ],
)
def test_no_error_or_log_holds_a_secret(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither token nor file name nor the server's words show in error, traceback or log."""
    caplog.set_level(logging.INFO)
    with (
        WireServer(answer) as server,
        _client(server) as client,
        pytest.raises(MattermostError) as caught,
    ):
        client.upload_file(
            channel_id=CHANNEL, name="S3CRET.png", stream=BytesIO(b"S3CRET"), size_bytes=6
        )

    assert _secrets_in(_shown(caught.value) + repr(client) + caplog.text) == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_error_of_the_library_shows_through(
    scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The library's own error of a refused connection quotes the address with the file name."""
    caplog.set_level(logging.INFO)
    with (
        MattermostClient(f"{scheme}://127.0.0.1:{_closed_port()}", TOKEN) as client,
        pytest.raises(NotSentError) as caught,
    ):
        client.upload_file(
            channel_id=CHANNEL, name="S3CRET.png", stream=BytesIO(b"x"), size_bytes=1
        )

    assert _secrets_in(_shown(caught.value) + caplog.text) == []


def _shown(error: MattermostError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


def _secrets_in(text: str) -> list[str]:
    return [word for word in ("S3CRET", TOKEN) if word in text]


@pytest.mark.parametrize("token", ["", "S3CRET with space", "S3CRET\n", "é" * 26, "x" * 51])
def test_a_token_that_cannot_be_one_is_refused_unquoted(token: str) -> None:
    """A slip in the settings shows at once, and does not show the token."""
    with pytest.raises(ValueError, match="bot token must be") as caught:
        MattermostClient("https://chat.example", token)

    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize(
    "server_url",
    ["", "chat.example", "ftp://chat.example", "https://", "https://u:S3CRET@chat.example",
     "https://chat.example/?S3CRET", "https://chat.example/#S3CRET"],
)  # fmt: skip
def test_an_address_that_cannot_be_a_servers_is_refused(server_url: str) -> None:
    """A slip in the settings shows at once."""
    with pytest.raises(ValueError, match="server URL must") as caught:
        MattermostClient(server_url, TOKEN)

    assert "S3CRET" not in str(caught.value)
