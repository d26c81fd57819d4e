"""Which answer of the server becomes which error."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.mattermost.answers import (
    Verdict,
    classify,
    clean_id,
    redirect_host,
    retry_after_s,
)
from tasks.mattermost.errors import OutcomeUnknownError, RateLimitedError, RefusedError
from tasks.mattermost.reasons import Reason

RECORDED = json.loads(
    (Path(__file__).parents[1] / "samples" / "recorded-6.7.2.json").read_text(encoding="utf-8")
)["cases"]
JSON = "application/json"
HTML = "text/html; charset=utf-8"

# The recorded error answers of a real server, and the reason of each.
RECORDED_REASONS = {
    "me.bad_token": Reason.TOKEN_REJECTED,
    "me.no_token": Reason.TOKEN_REJECTED,
    "channel.member.me.not_member": Reason.NOT_A_MEMBER,
    "channel.get.unknown": Reason.CHANNEL_UNKNOWN,
    "channel.get.malformed": Reason.INVALID_REQUEST,
    "channel.by_name.unknown": Reason.CHANNEL_UNKNOWN,
    "post.reply.to_reply": Reason.ROOT_REJECTED,
    "post.reply.unknown_root": Reason.ROOT_REJECTED,
    "post.reply.malformed_root": Reason.ROOT_REJECTED,
    "post.reply.other_channel_root": Reason.ROOT_REJECTED,
    "post.reply.deleted_root": Reason.ROOT_REJECTED,
    "post.not_member_public": Reason.NOT_A_MEMBER,
    "post.unknown_channel": Reason.NOT_A_MEMBER,
    "post.malformed_channel": Reason.NOT_A_MEMBER,
    "post.no_channel": Reason.NOT_A_MEMBER,
    "post.removed_from_channel": Reason.NOT_A_MEMBER,
    "post.too_long": Reason.MESSAGE_TOO_LONG,
    "post.bad_token": Reason.TOKEN_REJECTED,
    "post.token_disabled": Reason.TOKEN_REJECTED,
    "post.bot_disabled": Reason.TOKEN_REJECTED,
    "post.bad_json": Reason.INVALID_REQUEST,
    "post.nul": Reason.SERVER_ERROR,
    "post.archived_channel": Reason.CHANNEL_ARCHIVED,
    "post.eleven_files": Reason.INVALID_REQUEST,
    "file.empty": Reason.INVALID_REQUEST,
    "file.no_channel": Reason.INVALID_REQUEST,
    "file.not_member": Reason.NOT_A_MEMBER,
    "file.too_large.raw": Reason.TOO_LARGE,
    "file.too_large.multipart": Reason.TOO_LARGE,
    "file.disabled": Reason.UPLOADS_DISABLED,
    "file.info.unknown": Reason.NOT_FOUND,
    "user.unknown": Reason.NOT_FOUND,
    "post.get.unknown": Reason.NOT_FOUND,
    "post.get.deleted": Reason.NOT_FOUND,
    "post.get.private_not_member": Reason.TOKEN_REJECTED,
    "post.get.reply_of_deleted_root": Reason.NOT_FOUND,
    "thread.get.deleted": Reason.NOT_FOUND,
    "hook.list.by_bot": Reason.PERMISSION_MISSING,
    "hook.create.by_bot": Reason.PERMISSION_MISSING,
    "hook.create.private_by_admin": Reason.WEBHOOKS_DISABLED,
    "rate.exceeded": Reason.RATE_LIMITED,
}


def _recorded_answers() -> list[dict[str, Any]]:
    return [case for case in RECORDED if case.get("headers") and "response" in case]


def _judge(case: dict[str, Any]) -> Verdict | None:
    response = case["response"]
    body = response if isinstance(response, str) else json.dumps(response)
    path = (case.get("request") or {}).get("path", "")
    content_type = case["headers"].get("Content-Type", "")
    return classify(case["status"], content_type, body.encode(), path=path)


def _error(error_id: str) -> bytes:
    return json.dumps({"id": error_id, "message": "egal", "request_id": "r" * 26}).encode()


def test_no_recorded_error_is_left_out_of_the_table() -> None:
    """The table has a line for each recorded error, and no other line."""
    errors = {case["case"] for case in _recorded_answers() if case["status"] >= 300}

    assert errors == set(RECORDED_REASONS)


@pytest.mark.parametrize(
    "case",
    [case for case in _recorded_answers() if case["status"] >= 300],
    ids=lambda case: case["case"],
)
def test_a_recorded_error_has_its_reason(case: dict[str, Any]) -> None:
    """Each recorded error of a real server gives its reason and ids."""
    fields = case["response"] if isinstance(case["response"], dict) else {}

    verdict = _judge(case)

    reason = RECORDED_REASONS[case["case"]]
    kinds = {Reason.SERVER_ERROR: OutcomeUnknownError, Reason.RATE_LIMITED: RateLimitedError}
    kind = kinds.get(reason, RefusedError)
    assert verdict == Verdict(kind, reason, fields.get("id", ""), fields.get("request_id", ""))


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in _recorded_answers()
        if case["headers"]["Content-Type"] == JSON and case["status"] < 300
    ],
    ids=lambda case: case["case"],
)
def test_a_recorded_success_is_no_error(case: dict[str, Any]) -> None:
    """No good JSON answer of a real server becomes an error."""
    assert _judge(case) is None


@pytest.mark.parametrize(
    ("status", "content_type", "body", "kind", "reason"),
    [
        pytest.param(200, HTML, b"<html>", RefusedError, Reason.NOT_MATTERMOST, id="subpath"),
        pytest.param(201, "", b"{}", RefusedError, Reason.NOT_MATTERMOST, id="no-type"),
        pytest.param(201, "", b"", OutcomeUnknownError, Reason.CONNECTION_CUT, id="cut-header"),
        pytest.param(302, HTML, b"", RefusedError, Reason.REDIRECTED, id="redirect"),
        pytest.param(404, HTML, b"<html>", RefusedError, Reason.NOT_MATTERMOST, id="other-site"),
        pytest.param(401, HTML, b"<html>", RefusedError, Reason.NOT_MATTERMOST, id="login-page"),
        pytest.param(403, HTML, b"<html>", RefusedError, Reason.NOT_MATTERMOST, id="firewall"),
        pytest.param(413, HTML, b"<html>", RefusedError, Reason.TOO_LARGE, id="proxy-413"),
        pytest.param(408, HTML, b"", OutcomeUnknownError, Reason.TIMEOUT, id="proxy-408"),
        pytest.param(502, HTML, b"<html>", OutcomeUnknownError, Reason.SERVER_ERROR, id="502"),
        pytest.param(503, HTML, b"", OutcomeUnknownError, Reason.SERVER_ERROR, id="503"),
        pytest.param(504, HTML, b"", OutcomeUnknownError, Reason.SERVER_ERROR, id="504"),
        pytest.param(
            500,
            JSON,
            b'{"id":"","message":"Internal Server Error"}',
            OutcomeUnknownError,
            Reason.SERVER_ERROR,
            id="hardened-500",
        ),
        pytest.param(400, JSON, b'["id"]', RefusedError, Reason.NOT_MATTERMOST, id="array"),
        pytest.param(400, JSON, b"[" * 9_999, RefusedError, Reason.NOT_MATTERMOST, id="deep"),
        pytest.param(400, JSON, b'{"id":7}', RefusedError, Reason.NOT_MATTERMOST, id="number-id"),
        pytest.param(429, "text/plain", b"x", RateLimitedError, Reason.RATE_LIMITED, id="429"),
    ],
)
def test_an_answer_without_an_error_id_is_judged_by_status(
    status: int, content_type: str, body: bytes, kind: type, reason: Reason
) -> None:
    """An answer without an error id is judged by its status."""
    verdict = classify(status, content_type, body)

    assert verdict == Verdict(kind, reason)


@pytest.mark.parametrize(
    ("status", "error_id", "kind", "reason"),
    [
        (400, "model.post.is_valid.message_length.app_error", RefusedError,
         Reason.MESSAGE_TOO_LONG),
        (403, "api.file.attachments.disabled.app_error", RefusedError, Reason.UPLOADS_DISABLED),
        (501, "api.file.upload_file.storage.app_error", RefusedError, Reason.UPLOADS_DISABLED),
        (501, "api.outgoing_webhook.disabled.app_error", RefusedError, Reason.WEBHOOKS_DISABLED),
        (413, "api.context.request_body_too_large.app_error", RefusedError, Reason.TOO_LARGE),
        (400, "api.file.upload_file.large_image_detailed.app_error", RefusedError,
         Reason.IMAGE_TOO_LARGE),
        (500, "api.post.deduplicate_create_post.pending", OutcomeUnknownError,
         Reason.BEING_MADE),
        (500, "api.webhook.create_outgoing.intersect.app_error", RefusedError,
         Reason.INVALID_REQUEST),
        (403, "api.reaction.save.archived_channel.app_error", RefusedError,
         Reason.CHANNEL_ARCHIVED),
        (403, "api.user.get_user_by_email.permissions.app_error", RefusedError,
         Reason.PERMISSION_MISSING),
        (403, "api.file.upload_file.rejected_by_plugin.app_error", RefusedError,
         Reason.REJECTED_BY_PLUGIN),
        (400, "app.post.save.existing.app_error", RefusedError, Reason.INVALID_REQUEST),
        (414, "api.context.uri_too_long.app_error", RefusedError, Reason.INVALID_REQUEST),
    ],
)  # fmt: skip
def test_an_error_id_has_its_reason(status: int, error_id: str, kind: type, reason: Reason) -> None:
    """Error ids of other versions give the same reasons as the error ids of 6.7.2."""
    verdict = classify(status, JSON, _error(error_id))

    assert verdict == Verdict(kind, reason, error_id, "r" * 26)


def test_an_error_is_understood_in_plain_text_too() -> None:
    """The server's JSON error for an unknown call is read, though its type is plain text."""
    case = next(case for case in RECORDED if case["case"] == "wrong_method")
    # The recording has only the beginning of this body.
    body = case["body"] + '"}'

    verdict = classify(case["status"], case["type"], body.encode())

    assert verdict == Verdict(RefusedError, Reason.NOT_FOUND, "api.context.404.app_error")


def test_a_plugins_words_are_not_kept() -> None:
    """The text of a plugin's rejection, which may quote the message, is not kept."""
    body = json.dumps({"id": "Post rejected by plugin. 'my secret' is a bad word"}).encode()

    verdict = classify(400, JSON, body)

    assert verdict == Verdict(RefusedError, Reason.REJECTED_BY_PLUGIN, "post_rejected_by_plugin")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"Retry-After": "3"}, 3.0, id="retry-after"),
        pytest.param({"X-RateLimit-Reset": "7"}, 7.0, id="reset-in-seconds"),
        pytest.param({"Retry-After": "2", "X-RateLimit-Reset": "9"}, 2.0, id="both"),
        pytest.param({}, 1.0, id="none"),
        pytest.param({"Retry-After": "0"}, 1.0, id="zero"),
        pytest.param({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1.0, id="date"),
        pytest.param({"X-RateLimit-Reset": "1795352199"}, 60.0, id="epoch"),
        pytest.param({"Retry-After": "²"}, 1.0, id="not-ascii"),
    ],
)
def test_the_wait_is_in_seconds_and_bounded(headers: dict[str, str], expected: float) -> None:
    """Whatever a server or proxy asks for, a lane waits between 1 and 60 seconds."""
    assert retry_after_s(headers) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://login.example/sso?user=anna", "to https://login.example"),
        ("https://anna:pw@chat.example/x", "to https://chat.example"),
        ("/api/v4/users", "to the same host"),
        ("https://[::1", "to an address that cannot be read"),
        ("", "to the same host"),
    ],
)
def test_of_a_redirect_only_the_host_is_told(location: str, expected: str) -> None:
    """An error about a redirect shows only the host of the Location."""
    assert redirect_host(location) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("api.context.404.app_error", "api.context.404.app_error"),
        ("a b", ""),
        ("x" * 121, ""),
        ("a@example.com", ""),
        (None, ""),
    ],
)
def test_only_what_looks_like_an_id_is_kept(value: object, expected: str) -> None:
    """A text in the place of an id does not reach the log."""
    assert clean_id(value) == expected
