"""A message's file by link comes only from an allowed host, and only if the answer is the file."""

import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tasks.attachments import Attachment, AttachmentReason, AttachmentSource
from tests.integration.attachments.calls import (
    LIMIT,
    link_to,
    linked_source,
    read_all,
    refusal_of,
)
from tests.wire import Answer, Request, WireServer, always, http


def test_a_link_is_fetched(tls: ssl.SSLContext, bundle: str) -> None:
    """An allowed https link gives the file, named by its host's content type."""
    answer = http(200, b"hello", content_type="image/png")
    told: list[int] = []

    with WireServer(always(answer), tls=tls) as server:
        name, content = read_all(
            linked_source(server, bundle), link_to(server), on_progress=lambda: told.append(1)
        )

    assert (name, content) == ("S3CRET.png", b"hello")
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert "authorization" not in server.requests[0].headers
    assert told == [1]


def test_no_temporary_file_is_left(
    tls: ssl.SSLContext, bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary copy has no name on disk, so it cannot be left there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        WireServer(always(http(200, b"hello")), tls=tls) as server,
        linked_source(server, bundle).open(link_to(server), limit_bytes=LIMIT),
    ):
        during = list(tmp_path.iterdir())

    assert (during, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize(
    ("url", "hosts", "reason"),
    [
        ("http://localhost/f", {"localhost"}, AttachmentReason.NOT_HTTPS),
        ("file:///etc/passwd", {"localhost"}, AttachmentReason.NOT_HTTPS),
        ("//localhost/f", {"localhost"}, AttachmentReason.NOT_HTTPS),
        ("https://localhost:1/f", set(), AttachmentReason.HOST_NOT_ALLOWED),
        ("https://localhost:1/f", {"localhost"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://localhost:1/f", {"localhost:2"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://other:1/f", {"localhost:1"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://localhost:1@other/f", {"localhost:1"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://u:S3CRET@localhost:1/f", {"localhost:1"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://other\\@localhost:1/f", {"localhost:1"}, AttachmentReason.HOST_NOT_ALLOWED),
        # Our code and the HTTP library start the path at the backslash. Port 1 has no server.
        ("https://localhost:1\\@other/f", {"localhost:1"}, AttachmentReason.DOWNLOAD_FAILED),
        ("https://other#@localhost:1/f", {"localhost:1"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://localhost.other/f", {"localhost"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https:///f", {""}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://localhost:99999/f", {"localhost:99999"}, AttachmentReason.HOST_NOT_ALLOWED),
        ("https://[::1/f", {"::1"}, AttachmentReason.HOST_NOT_ALLOWED),
    ],
)  # fmt: skip
def test_a_link_that_may_not_be_fetched_is_not_fetched(
    url: str, hosts: set[str], reason: AttachmentReason
) -> None:
    """Only https links to allowed hosts are fetched, whatever trick an address uses."""
    source = AttachmentSource("file:///nowhere", frozenset(hosts))

    assert refusal_of(source, Attachment("a", url=url)) is reason


def test_the_port_of_https_needs_no_naming() -> None:
    """An allowed host without a port allows port 443, whatever the case of its letters."""
    source = AttachmentSource("file:///nowhere", frozenset({"Files.invalid"}))

    for url in ("https://files.INVALID/f", "https://files.invalid:443/f"):
        assert refusal_of(source, Attachment("a", url=url)) is AttachmentReason.DOWNLOAD_FAILED


def test_a_redirect_to_an_allowed_host_is_followed(tls: ssl.SSLContext, bundle: str) -> None:
    """Five redirects to allowed hosts lead to the file."""

    def answer(request: Request, connection: socket.socket) -> bytes:
        step = int(request.target[2:])
        return http(200, b"hello") if step == 5 else http(302, headers={"Location": f"f{step + 1}"})

    with WireServer(answer, tls=tls) as server:
        _, content = read_all(linked_source(server, bundle), link_to(server, "/f0"))

    assert content == b"hello"
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "location",
    ["http://localhost:{port}/f", "https://other.invalid/f", "https://[::1", "file:///etc/passwd",
     "https://x@localhost:{port}/f", "/f"],
)  # fmt: skip
def test_a_redirect_elsewhere_is_not_followed(
    tls: ssl.SSLContext, bundle: str, location: str
) -> None:
    """A redirect to another host, or in a circle, is not followed."""

    def answer(request: Request, connection: socket.socket) -> bytes:
        return http(302, b"x", headers={"Location": location.format(port=server.port)})

    with WireServer(answer, tls=tls) as server:
        reason = refusal_of(linked_source(server, bundle), link_to(server, "/f"))

    assert reason is AttachmentReason.BAD_REDIRECT
    assert len(server.requests) == (6 if location == "/f" else 1)


def _endless(request: Request, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b"x" * 10_000)


def _dripping(request: Request, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def _silent(request: Request, connection: socket.socket) -> None:
    connection.settimeout(5)
    connection.recv(1)


def _short(request: Request, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nx")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(always(http(404, b"S3CRET")), AttachmentReason.GONE, id="404"),
        pytest.param(always(http(410)), AttachmentReason.GONE, id="410"),
        pytest.param(always(http(401)), AttachmentReason.LINK_REFUSED, id="401"),
        pytest.param(always(http(403)), AttachmentReason.LINK_REFUSED, id="403"),
        pytest.param(always(http(500)), AttachmentReason.DOWNLOAD_FAILED, id="500"),
        pytest.param(always(http(206, b"x")), AttachmentReason.DOWNLOAD_FAILED, id="partial"),
        pytest.param(always(http(304)), AttachmentReason.DOWNLOAD_FAILED, id="304"),
        pytest.param(always(http(200)), AttachmentReason.EMPTY, id="empty"),
        pytest.param(always(http(200, b"x" * 1_001)), AttachmentReason.TOO_LARGE, id="too-large"),
        pytest.param(_endless, AttachmentReason.TOO_LARGE, id="endless"),
        pytest.param(_short, AttachmentReason.DOWNLOAD_FAILED, id="breaks-off"),
        pytest.param(always(None), AttachmentReason.DOWNLOAD_FAILED, id="cut"),
        pytest.param(_dripping, AttachmentReason.DOWNLOAD_TIMEOUT, id="drips"),
        pytest.param(_silent, AttachmentReason.DOWNLOAD_TIMEOUT, id="silent"),
        pytest.param(
            always(http(200, b"x", headers={"Content-Encoding": "gzip"})),
            AttachmentReason.COMPRESSED,
            id="compressed",
        ),
        pytest.param(
            always(http(200, b"x", headers={"Content-Encoding": "aws-chunked, BR"})),
            AttachmentReason.COMPRESSED,
            id="compressed-at-last",
        ),
        pytest.param(
            always(http(200, b"x", headers={"Content-Encoding": "x-lzma"})),
            AttachmentReason.COMPRESSED,
            id="compressed-oddly",
        ),
    ],
)
def test_a_download_that_does_not_give_the_file_says_why(
    tls: ssl.SSLContext, bundle: str, answer: Answer, reason: AttachmentReason
) -> None:
    """A wrong, slow, endless or dishonest answer costs only its file, and less than 5 s."""
    began = time.monotonic()
    with WireServer(answer, tls=tls) as server:
        source = linked_source(server, bundle, read_timeout_s=0.5, total_timeout_s=0.6)
        actual = refusal_of(source, link_to(server))

    assert actual is reason
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "encoding",
    ["", "identity", "Identity", "aws-chunked", "utf-8", "binary", "none", "UTF-8,x-odd"],
)
def test_an_encoding_that_names_no_compression_changes_nothing(
    tls: ssl.SSLContext, bundle: str, encoding: str
) -> None:
    """A Content-Encoding that is no compression does not change the bytes."""
    answer = always(http(200, b"hello", headers={"Content-Encoding": encoding}))
    with WireServer(answer, tls=tls) as server:
        _, content = read_all(linked_source(server, bundle), link_to(server))

    assert content == b"hello"


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        pytest.param({"name": "holiday.png"}, None, id="ending"),
        pytest.param({"name": "holiday", "content_type": "image/png"}, None, id="type"),
        pytest.param({"name": "offer.pdf"}, None, id="pdf"),
        pytest.param({"name": "terms"}, "terms.html", id="nothing promised"),
        pytest.param({"name": "terms.html"}, "terms.html", id="a page"),
        pytest.param(
            {"name": "terms", "content_type": "text/html"}, "terms.html", id="page by type"
        ),
    ],
)
def test_a_page_in_the_place_of_a_file_is_refused(
    tls: ssl.SSLContext, bundle: str, attachment: dict[str, str], expected: str | None
) -> None:
    """A web page with status 200, such as a sign-in page, is refused if another type was given."""
    answer = always(http(200, b"<html>Sign in</html>", content_type="text/html; charset=utf-8"))
    with WireServer(answer, tls=tls) as server:
        source = linked_source(server, bundle)
        asked = Attachment(url=f"{server.url}/f", **attachment)
        if expected is None:
            assert refusal_of(source, asked) is AttachmentReason.WEB_PAGE
        else:
            assert read_all(source, asked)[0] == expected


def test_blanks_around_a_link_are_left_out(tls: ssl.SSLContext, bundle: str) -> None:
    """Blanks around a link are removed."""
    with WireServer(always(http(200, b"hello")), tls=tls) as server:
        _, content = read_all(
            linked_source(server, bundle), Attachment("a", url=f" {server.url}/f\n")
        )

    assert content == b"hello"


def test_a_host_with_a_strange_certificate_is_not_asked(tls: ssl.SSLContext) -> None:
    """A host with an untrusted certificate gets no request."""
    with WireServer(always(http(200, b"x")), tls=tls) as server:
        source = AttachmentSource("file:///nowhere", frozenset({f"localhost:{server.port}"}))
        reason = refusal_of(source, link_to(server))

    assert reason is AttachmentReason.DOWNLOAD_FAILED
    assert server.requests == []


def test_what_progress_raises_passes_through(tls: ssl.SSLContext, bundle: str) -> None:
    """An error of the progress callback, such as a lost lane, ends the download unchanged."""

    class LostError(Exception):
        """The caller's own error."""

    def lose() -> None:
        raise LostError

    with WireServer(always(http(200, b"hello")), tls=tls) as server:
        source = linked_source(server, bundle)
        with pytest.raises(LostError):
            read_all(source, link_to(server), on_progress=lose)


def test_threads_share_a_source(tls: ssl.SSLContext, bundle: str) -> None:
    """Threads can fetch files from one source at the same time, each its own."""

    def answer(request: Request, connection: socket.socket) -> bytes:
        return http(200, request.target.encode())

    wrong: list[int] = []

    def fetch(source: AttachmentSource, server: WireServer, number: int) -> None:
        for _ in range(5):
            _, content = read_all(source, link_to(server, f"/{number}"))
            if content != f"/{number}".encode():
                wrong.append(number)

    with WireServer(answer, tls=tls) as server:
        source = linked_source(server, bundle)
        threads = [threading.Thread(target=fetch, args=(source, server, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        source.close()

    assert wrong == []
    assert len(server.requests) == 20
