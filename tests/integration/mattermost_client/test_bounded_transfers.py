"""An upload or a download ends if a piece of it takes too long."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from tasks.mattermost import MattermostClient, OutcomeUnknownError, Reason
from tests.integration.mattermost_client.calls import CHANNEL, TOKEN, Zeros
from tests.integration.mattermost_client.slow_servers import (
    IN_TIME_S,
    READ_S,
    dripping,
    impatient_client,
)
from tests.wire import WireServer, http


@pytest.mark.parametrize("kept", [False, True], ids=["fresh", "kept"])
def test_an_upload_that_is_taken_by_drips_is_given_up(kept: bool) -> None:
    """The server must read each 256 KiB of an upload within the read timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_take_by_drips, args=(listener, kept), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with MattermostClient(url, TOKEN, read_timeout_s=READ_S) as client:
            if kept:
                client.ping()
            began = time.monotonic()
            with pytest.raises(OutcomeUnknownError) as caught:
                client.upload_file(channel_id=CHANNEL, name="a", stream=Zeros(), size_bytes=2**30)
            took_s = time.monotonic() - began

    assert caught.value.reason is Reason.TIMEOUT
    assert took_s < 15


def _take_by_drips(listener: socket.socket, kept: bool) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        if kept:
            connection.recv(64 * 1024)
            connection.sendall(http(200, b'{"status": "OK"}'))
        while connection.recv(512):
            time.sleep(0.02)


@pytest.mark.parametrize("kept", [False, True], ids=["fresh", "kept"])
def test_a_stall_in_an_upload_may_last_longer_than_connecting(kept: bool) -> None:
    """A stall in an upload may exceed the connect timeout, on a fresh connection and a used one."""
    size = 16 * 1024 * 1024
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_stall_then_take, args=(listener, size, kept), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with MattermostClient(url, TOKEN, connect_timeout_s=1) as client:
            if kept:
                client.ping()
            info = client.upload_file(channel_id=CHANNEL, name="a", stream=Zeros(), size_bytes=size)
        thread.join()

    assert info.id == "f1"


def _stall_then_take(listener: socket.socket, size: int, kept: bool) -> None:
    connection, _ = listener.accept()
    with connection:
        if kept:
            connection.recv(64 * 1024)
            connection.sendall(http(200, b'{"status": "OK"}'))
        # The test needs this time to pass, so there is no condition to wait for.
        time.sleep(1.5)
        taken = 0
        while taken < size:
            taken += len(connection.recv(1024 * 1024))
        connection.sendall(http(201, b'{"file_infos": [{"id": "f1", "name": "a"}]}'))


def test_a_download_that_drips_is_given_up() -> None:
    """Each 256 KiB of a download must come within the read timeout."""
    answer = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b"a", every_s=0.05)
    with WireServer(answer) as server, impatient_client(server) as client:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknownError) as caught, client.download_file("f1") as file:
            for _ in file.chunks:
                pass
        took_s = time.monotonic() - began

    assert caught.value.reason is Reason.TIMEOUT
    assert took_s < IN_TIME_S
