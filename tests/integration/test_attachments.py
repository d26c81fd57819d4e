"""Files from the store and from links, up to a server, and what is refused on the way."""

import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import trustme

from tasks.attachments import Attachment, AttachmentError, AttachmentReason, AttachmentSource
from tests.wire import Answer, Request, WireServer, always, http

ROOT = Path(__file__).parents[2]
LIMIT = 1_000
NOBODY: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS of a file host on localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA) -> Iterator[str]:
    """The CA bundle that trusts it."""
    with authority.cert_pem.tempfile() as path:
        yield path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one file, and a file beside it that no path may reach."""
    (tmp_path / "outside.txt").write_bytes(b"outside")
    home = tmp_path / "store"
    (home / "sub").mkdir(parents=True)
    (home / "sub" / "a.txt").write_bytes(b"hello")
    return home


def _read(source: AttachmentSource, attachment: Attachment, **options: Any) -> tuple[str, bytes]:
    with source.open(attachment, limit_bytes=options.pop("limit_bytes", LIMIT), **options) as file:
        content = file.stream.read(LIMIT)
        assert file.size_bytes == len(content)
        return file.name, content


def _refusal(source: AttachmentSource, attachment: Attachment, **options: Any) -> AttachmentReason:
    with pytest.raises(AttachmentError) as caught:
        _read(source, attachment, **options)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "S3CRET" not in shown
    return caught.value.reason


def _local(store: Path) -> AttachmentSource:
    return AttachmentSource(f"file://{store}", NOBODY)


def _linked(server: WireServer, bundle: str, **options: Any) -> AttachmentSource:
    hosts = options.pop("hosts", frozenset({f"localhost:{server.port}"}))
    return AttachmentSource("file:///nowhere", hosts, ca_bundle=bundle, **options)


def _link(server: WireServer, path: str = "/f?sig=S3CRET") -> Attachment:
    return Attachment("S3CRET", url=server.url + path)


def test_a_stored_file_is_opened_by_its_path(store: Path) -> None:
    """A path below the store gives the file, its size and a safe name."""
    name, content = _read(_local(store), Attachment("x/a.txt", path="sub/./a.txt"))

    assert (name, content) == ("a.txt", b"hello")


def test_a_stored_file_gets_the_extension_of_its_type(store: Path) -> None:
    """i-Reserve's content type stands in for an extension."""
    name, _ = _read(_local(store), Attachment("scan", path="sub/a.txt", content_type="image/png"))

    assert name == "scan.png"


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "sub/../../outside.txt",
        "sub/../sub/a.txt",
        "/etc/passwd",
        "..\\outside.txt",
        "sub\\a.txt",
        "sub/a.txt\0",
        "sub/a\n.txt",
        "file:///etc/passwd",
        "https://example.com/a",
        "simplecache::file:///etc/passwd",
        "",
        ".",
        "link-to-outside.txt",
        "link-to-parent/outside.txt",
        "../store-twin/a.txt",
        "link-to-twin/a.txt",
    ],
)
def test_no_path_leads_out_of_the_store(store: Path, path: str) -> None:
    """Neither dots, nor absolute paths, nor links, nor addresses in the path get out."""
    twin = store.parent / "store-twin"
    twin.mkdir()
    (twin / "a.txt").write_bytes(b"twin")
    (store / "link-to-outside.txt").symlink_to(store.parent / "outside.txt")
    (store / "link-to-parent").symlink_to(store.parent)
    (store / "link-to-twin").symlink_to(twin)

    assert _refusal(_local(store), Attachment("a", path=path)) is AttachmentReason.OUTSIDE_STORE


def test_a_link_within_the_store_is_followed(store: Path) -> None:
    """A store may arrange its own files as it likes."""
    (store / "link.txt").symlink_to(store / "sub" / "a.txt")

    assert _read(_local(store), Attachment("a.txt", path="link.txt")) == ("a.txt", b"hello")


@pytest.mark.parametrize("path", ["S3CRET.txt", "sub", "sub/a.txt/b", "pipe", "loop", "x" * 300])
def test_what_is_no_file_is_gone(store: Path, path: str) -> None:
    """A missing file, a folder, a pipe, a link in circles: none holds the worker up."""
    os.mkfifo(store / "pipe")
    (store / "loop").symlink_to(store / "loop")

    assert _refusal(_local(store), Attachment("a", path=path)) is AttachmentReason.GONE


@pytest.mark.parametrize("url", ["file:///nowhere/at/all", "s4://bucket", "", "store"], ids=str)
def test_a_store_that_is_not_there_is_told_from_a_missing_file(url: str) -> None:
    """An unmounted disk must not read as files that were deleted."""
    source = AttachmentSource(url, NOBODY)

    reason = _refusal(source, Attachment("a", path="S3CRET/a.txt"))

    assert reason is AttachmentReason.STORE_UNAVAILABLE


def test_a_file_at_the_limit_passes_and_one_above_does_not(store: Path) -> None:
    """The limit is the largest size that is taken."""
    attachment = Attachment("a.txt", path="sub/a.txt")

    assert _read(_local(store), attachment, limit_bytes=5) == ("a.txt", b"hello")
    assert _refusal(_local(store), attachment, limit_bytes=4) is AttachmentReason.TOO_LARGE


def test_an_empty_file_is_refused_here(store: Path) -> None:
    """The server would refuse it with an error that names nothing."""
    (store / "empty").touch()

    assert _refusal(_local(store), Attachment("a", path="empty")) is AttachmentReason.EMPTY


def test_a_file_that_shrinks_meanwhile_is_gone(store: Path) -> None:
    """Its length was announced to the server; a shorter body would hang."""
    attachment = Attachment("a.txt", path="sub/a.txt")
    with _local(store).open(attachment, limit_bytes=LIMIT) as file:
        (store / "sub" / "a.txt").write_bytes(b"")

        with pytest.raises(AttachmentError) as caught:
            file.stream.read(10)

    assert caught.value.reason is AttachmentReason.GONE


def test_another_kind_of_store_serves_too() -> None:
    """What fsspec knows can be the store, with the same rules."""
    fsspec.filesystem("memory").pipe("/prefix/sub/a.txt", b"hello")
    source = AttachmentSource("memory://prefix", NOBODY)

    assert _read(source, Attachment("a.txt", path="sub/a.txt")) == ("a.txt", b"hello")
    assert _refusal(source, Attachment("a", path="sub/b.txt")) is AttachmentReason.GONE
    assert _refusal(source, Attachment("a", path="sub")) is AttachmentReason.GONE
    assert _refusal(source, Attachment("a", path="../x")) is AttachmentReason.OUTSIDE_STORE


def test_a_link_is_fetched(tls: ssl.SSLContext, bundle: str) -> None:
    """An allowed https link gives the file, named by the type that its host says."""
    answer = http(200, b"hello", content_type="image/png")
    told: list[int] = []

    with WireServer(always(answer), tls=tls) as server:
        name, content = _read(
            _linked(server, bundle), _link(server), on_progress=lambda: told.append(1)
        )

    assert (name, content) == ("S3CRET.png", b"hello")
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert "authorization" not in server.requests[0].headers
    assert told == [1]


def test_no_temporary_file_is_left(
    tls: ssl.SSLContext, bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy on disk goes with the upload, even while it runs it has no name."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        WireServer(always(http(200, b"hello")), tls=tls) as server,
        _linked(server, bundle).open(_link(server), limit_bytes=LIMIT),
    ):
        during = list(tmp_path.iterdir())

    assert during == []


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
        # The library takes the backslash for the path's beginning, and so do we: nobody is there.
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
    """Only https, only the named hosts, and no trick with the address."""
    source = AttachmentSource("file:///nowhere", frozenset(hosts))

    assert _refusal(source, Attachment("a", url=url)) is reason


def test_the_port_of_https_needs_no_naming() -> None:
    """A host on the list is meant with its own port; it is tried, and nobody is there."""
    source = AttachmentSource("file:///nowhere", frozenset({"Files.invalid"}))

    for url in ("https://files.INVALID/f", "https://files.invalid:443/f"):
        assert _refusal(source, Attachment("a", url=url)) is AttachmentReason.DOWNLOAD_FAILED


def test_a_redirect_to_an_allowed_host_is_followed(tls: ssl.SSLContext, bundle: str) -> None:
    """Short links and signed addresses lead to the file in a few steps."""

    def answer(request: Request, connection: socket.socket) -> bytes:
        step = int(request.target[2:])
        return http(200, b"hello") if step == 5 else http(302, headers={"Location": f"f{step + 1}"})

    with WireServer(answer, tls=tls) as server:
        _, content = _read(_linked(server, bundle), _link(server, "/f0"))

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
    """An allowed host may be an open redirector; and one that turns in circles is left."""

    def answer(request: Request, connection: socket.socket) -> bytes:
        return http(302, b"x", headers={"Location": location.format(port=server.port)})

    with WireServer(answer, tls=tls) as server:
        reason = _refusal(_linked(server, bundle), _link(server, "/f"))

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
    ],
)
def test_a_download_that_does_not_give_the_file_says_why(
    tls: ssl.SSLContext, bundle: str, answer: Answer, reason: AttachmentReason
) -> None:
    """A host that is wrong, slow, endless or dishonest costs one file, and little time."""
    began = time.monotonic()
    with WireServer(answer, tls=tls) as server:
        source = _linked(server, bundle, read_timeout_s=0.5, total_timeout_s=0.6)
        actual = _refusal(source, _link(server))

    assert actual is reason
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "encoding",
    ["", "identity", "Identity", "aws-chunked", "utf-8", "binary", "none", "UTF-8,x-odd"],
)
def test_an_encoding_that_names_no_compression_changes_nothing(
    tls: ssl.SSLContext, bundle: str, encoding: str
) -> None:
    """Stores of files repeat what was said of an upload; the bytes are those of the file."""
    answer = always(http(200, b"hello", headers={"Content-Encoding": encoding}))
    with WireServer(answer, tls=tls) as server:
        _, content = _read(_linked(server, bundle), _link(server))

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
    """A host that asks to sign in answers 200 with a page: that is not the promised file."""
    answer = always(http(200, b"<html>Sign in</html>", content_type="text/html; charset=utf-8"))
    with WireServer(answer, tls=tls) as server:
        source = _linked(server, bundle)
        asked = Attachment(url=f"{server.url}/f", **attachment)
        if expected is None:
            assert _refusal(source, asked) is AttachmentReason.WEB_PAGE
        else:
            assert _read(source, asked)[0] == expected


def test_blanks_around_a_link_are_left_out(tls: ssl.SSLContext, bundle: str) -> None:
    """A link that was pasted with blanks around it leads to its file."""
    with WireServer(always(http(200, b"hello")), tls=tls) as server:
        _, content = _read(_linked(server, bundle), Attachment("a", url=f" {server.url}/f\n"))

    assert content == b"hello"


def test_a_host_with_a_strange_certificate_is_not_asked(tls: ssl.SSLContext) -> None:
    """https means that the host is who it says it is."""
    with WireServer(always(http(200, b"x")), tls=tls) as server:
        source = AttachmentSource("file:///nowhere", frozenset({f"localhost:{server.port}"}))
        reason = _refusal(source, _link(server))

    assert reason is AttachmentReason.DOWNLOAD_FAILED
    assert server.requests == []


def test_what_progress_raises_passes_through(tls: ssl.SSLContext, bundle: str) -> None:
    """A lane that was lost in the middle of a download ends it as itself."""

    class LostError(Exception):
        """The caller's own."""

    def lose() -> None:
        raise LostError

    with WireServer(always(http(200, b"hello")), tls=tls) as server:
        source = _linked(server, bundle)
        with pytest.raises(LostError):
            _read(source, _link(server), on_progress=lose)


# Run in a process of its own, for its peak of memory is then its own too. The first, small file
# brings in all code and buffers; the peak is set back before the large one.
UPLOADER = """
import json, sys
from pathlib import Path
from tasks.attachments import Attachment, AttachmentSource
from tasks.mattermost import MattermostClient

def peak_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

def upload(place):
    with source.open(Attachment("a.bin", **place), limit_bytes=2**30) as file:
        client.upload_file(channel_id="c", name=file.name, stream=file.stream,
                           size_bytes=file.size_bytes)

work = json.loads(sys.argv[1])
source = AttachmentSource(work["store"], frozenset(work["hosts"]), ca_bundle=work["bundle"])
client = MattermostClient(work["server"], "a" * 26)
upload(work["small"])
Path("/proc/self/clear_refs").write_text("5")
before = peak_kb()
upload(work["large"])
print(json.dumps(peak_kb() - before))
"""
LARGE_BYTES = 100 * 1024 * 1024
CHUNK = bytes(range(256)) * 1024


@pytest.mark.parametrize("place", ["path", "url"])
@pytest.mark.timeout(120)
def test_a_large_file_does_not_go_through_memory(
    store: Path, tls: ssl.SSLContext, bundle: str, place: str
) -> None:
    """100 MB go up whole, and the worker's memory grows by less than 16 MB."""
    with (store / "large.bin").open("wb") as file:
        for _ in range(LARGE_BYTES // len(CHUNK)):
            file.write(CHUNK)
    uploaded = http(201, b'{"file_infos":[{"id":"f1"}]}')

    with WireServer(_file_host, tls=tls) as host, WireServer(always(uploaded)) as server:
        work = {
            "store": f"file://{store}",
            "hosts": [f"localhost:{host.port}"],
            "bundle": bundle,
            "server": server.url,
            "small": {"path": "sub/a.txt"} if place == "path" else {"url": f"{host.url}/small"},
            "large": {"path": "large.bin"} if place == "path" else {"url": f"{host.url}/large"},
        }
        grown_kb = int(_run_uploader(work))

    expected = hashlib.sha256()
    for _ in range(LARGE_BYTES // len(CHUNK)):
        expected.update(CHUNK)
    assert server.requests[1].body_size == LARGE_BYTES
    assert server.requests[1].body_sha256 == expected.hexdigest()
    assert grown_kb < 16 * 1024


def _file_host(request: Request, connection: socket.socket) -> bytes | None:
    if request.target == "/small":
        return http(200, b"hello")
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE_BYTES)
    for _ in range(LARGE_BYTES // len(CHUNK)):
        connection.sendall(CHUNK)
    return b""


def _run_uploader(work: dict[str, Any]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", UPLOADER, json.dumps(work)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_threads_share_a_source(tls: ssl.SSLContext, bundle: str) -> None:
    """Files of several conversations are fetched at once, each its own."""

    def answer(request: Request, connection: socket.socket) -> bytes:
        return http(200, request.target.encode())

    wrong: list[int] = []

    def fetch(source: AttachmentSource, server: WireServer, number: int) -> None:
        for _ in range(5):
            _, content = _read(source, _link(server, f"/{number}"))
            if content != f"/{number}".encode():
                wrong.append(number)

    with WireServer(answer, tls=tls) as server:
        source = _linked(server, bundle)
        threads = [threading.Thread(target=fetch, args=(source, server, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        source.close()

    assert wrong == []
    assert len(server.requests) == 20
