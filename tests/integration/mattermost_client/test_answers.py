"""Refusals, redirects and pages of a server become our errors."""

import pytest

from tasks.mattermost import (
    OutcomeUnknownError,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tasks.mattermost.transport import ONE_ANSWER_BYTES
from tests.integration.mattermost_client.calls import (
    CHANNEL,
    POST,
    client_of,
    json_answer,
    post_once,
)
from tests.wire import WireServer, always, http


def test_an_error_carries_what_the_server_said_about_it() -> None:
    """An error has the server's ids and status, the call and the channel."""
    answer = http(403, b'{"id":"api.context.permissions.app_error","request_id":"r1"}')
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        post_once(client)

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
    """The request id is read from the header of an answer that is no JSON."""
    answer = http(502, b"<html>", content_type="text/html", headers={"X-Request-Id": "r2"})
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        post_once(client)

    assert (caught.value.reason, caught.value.request_id) == (Reason.SERVER_ERROR, "r2")


def test_too_many_requests_name_the_wait() -> None:
    """The server's recorded 429 in plain text gives the time to wait."""
    answer = http(
        429,
        b"limit exceeded\n",
        content_type="text/plain; charset=utf-8",
        headers={"Retry-After": "1", "X-Ratelimit-Reset": "3"},
    )
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(RateLimitedError) as caught,
    ):
        post_once(client)

    assert caught.value.retry_after_s == 1.0


def test_a_page_instead_of_json_is_not_mattermost() -> None:
    """The web client's page with status 200, as for a wrong subpath, is not Mattermost's API."""
    answer = http(200, b"<html></html>", content_type="text/html; charset=utf-8")
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_me()

    assert caught.value.reason is Reason.NOT_MATTERMOST


def test_json_of_another_shape_is_not_mattermost() -> None:
    """JSON of another API is an error that names the missing field."""
    with (
        WireServer(always(json_answer({"id": "u1"}))) as server,
        client_of(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_me()

    assert (caught.value.reason, caught.value.detail) == (
        Reason.NOT_MATTERMOST,
        "username is missing",
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_named_and_not_followed(status: int) -> None:
    """A redirect is an error and is not followed, since it could lose the body or the token."""
    with WireServer(always(json_answer(POST))) as elsewhere:
        location = {"Location": f"{elsewhere.url}/login?next=S3CRET"}
        with (
            WireServer(always(http(status, headers=location))) as server,
            client_of(server) as client,
            pytest.raises(RefusedError) as caught,
        ):
            post_once(client)

    assert (caught.value.reason, caught.value.detail) == (Reason.REDIRECTED, "to http://localhost")
    assert elsewhere.requests == []


def test_the_body_of_a_redirect_is_bounded_too() -> None:
    """The body of a redirect is limited, though the HTTP library would read it whole."""
    answer = http(302, b" " * (ONE_ANSWER_BYTES + 1), headers={"Location": "/x"})
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        client.get_me()

    assert caught.value.reason is Reason.ANSWER_TOO_LARGE
