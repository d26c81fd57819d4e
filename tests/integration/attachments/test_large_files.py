"""A large file is uploaded from its source without being whole in memory."""

import hashlib
import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pages import ROOT
from tests.wire import Request, WireServer, always, http

# A separate process measures its own peak of memory. The small file loads all code and buffers.
# Then the peak is reset before the large file.
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
    """Uploading 100 MB raises the worker's memory by less than 16 MB."""
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
