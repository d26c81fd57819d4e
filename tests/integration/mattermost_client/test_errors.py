"""Errors and mistakes in the settings show no token, name or text."""

import logging
import socket
import traceback
from io import BytesIO
from typing import Any

import pytest

from demo.ports import free_port
from tasks.mattermost import (
    MattermostClient,
    MattermostError,
    NotSentError,
)
from tests.integration.mattermost_client.calls import CHANNEL, ERROR_JSON, TOKEN, client_of
from tests.wire import Request, WireServer, always, http


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
    """No error, traceback or log shows a token, a file name or the server's text."""
    caplog.set_level(logging.INFO)
    with (
        WireServer(answer) as server,
        client_of(server) as client,
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
    """The library's error, which quotes the address with the file name, is not shown."""
    caplog.set_level(logging.INFO)
    with (
        MattermostClient(f"{scheme}://127.0.0.1:{free_port()}", TOKEN) as client,
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
    """An impossible token is refused at once, without being shown."""
    with pytest.raises(ValueError, match="bot token must be") as caught:
        MattermostClient("https://chat.example", token)

    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize(
    "server_url",
    ["", "chat.example", "ftp://chat.example", "https://", "https://u:S3CRET@chat.example",
     "https://chat.example/?S3CRET", "https://chat.example/#S3CRET"],
)  # fmt: skip
def test_an_address_that_cannot_be_a_servers_is_refused(server_url: str) -> None:
    """An impossible server address is refused at once."""
    with pytest.raises(ValueError, match="server URL must") as caught:
        MattermostClient(server_url, TOKEN)

    assert "S3CRET" not in str(caught.value)
