"""Classify a server's answer: as a success, or as the error that the caller must raise."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tasks.mattermost.errors import (
    MattermostError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
)
from tasks.mattermost.reasons import Reason

# Mattermost names whole seconds, at least 1. A proxy may name none.
DEFAULT_RETRY_AFTER_S = 1.0
# Longer than any window of Mattermost's rate limiter. A proxy that sends the time of the reset
# instead of seconds must not stop a lane.
MAX_RETRY_AFTER_S = 60.0
# Ids are dotted words, or 26 letters and digits. Any other id may quote a message and is dropped.
_ID = re.compile(r"[A-Za-z0-9_.\-]{1,120}")
_PLUGIN = "Post rejected by plugin"
_PERMISSIONS = "api.context.permissions.app_error"

# The error's id takes precedence over the status. Statuses differ between versions (501 became
# 403), and a few ids come with a 500 although the refusal is final. The ids are of 6.7 and of 11.
_BY_ID: dict[str, Reason] = {
    "api.post.create_post.root_id.app_error": Reason.ROOT_REJECTED,
    "api.post.create_post.channel_root_id.app_error": Reason.ROOT_REJECTED,
    "api.post.create_post.can_not_post_to_deleted.error": Reason.CHANNEL_ARCHIVED,
    "api.reaction.save.archived_channel.app_error": Reason.CHANNEL_ARCHIVED,
    "app.channel.get.existing.app_error": Reason.CHANNEL_UNKNOWN,
    "app.channel.get_by_name.missing.app_error": Reason.CHANNEL_UNKNOWN,
    "model.post.is_valid.msg.app_error": Reason.MESSAGE_TOO_LONG,
    "model.post.is_valid.message_length.app_error": Reason.MESSAGE_TOO_LONG,
    "api.file.upload_file.too_large_detailed.app_error": Reason.TOO_LARGE,
    "api.context.request_body_too_large.app_error": Reason.TOO_LARGE,
    "api.file.upload_file.large_image_detailed.app_error": Reason.IMAGE_TOO_LARGE,
    "api.file.attachments.disabled.app_error": Reason.UPLOADS_DISABLED,
    "api.file.upload_file.storage.app_error": Reason.UPLOADS_DISABLED,
    "api.file.upload_file.rejected_by_plugin.app_error": Reason.REJECTED_BY_PLUGIN,
    "api.outgoing_webhook.disabled.app_error": Reason.WEBHOOKS_DISABLED,
    "api.webhook.create_outgoing.intersect.app_error": Reason.INVALID_REQUEST,
}
# A 500 that is no failure: the server still processes an earlier request with the same pending id.
_BEING_MADE = "api.post.deduplicate_create_post.pending"
_BY_STATUS: dict[int, Reason] = {
    401: Reason.TOKEN_REJECTED,
    403: Reason.PERMISSION_MISSING,
    404: Reason.NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The error that an answer stands for."""

    error: type[MattermostError]
    reason: Reason
    error_id: str = ""
    request_id: str = ""


def classify(status: int, content_type: str, body: bytes, *, path: str = "") -> Verdict | None:
    """Return None for a success, or else the error that the answer stands for.

    The error's id and the status decide, since the message is translated. ``path`` (within the
    API) distinguishes a missing permission for webhooks from a missing membership.
    """
    if 200 <= status < 300:
        return _classify_success(content_type, body)
    if 300 <= status < 400:
        return _refused(Reason.REDIRECTED)
    if status == 429:
        return Verdict(RateLimitedError, Reason.RATE_LIMITED)
    return _classify_error(status, _error_fields(body), path=path)


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Return how many seconds to wait; Mattermost's reset is in seconds from now."""
    for name in ("Retry-After", "X-RateLimit-Reset"):
        value = headers.get(name, "").strip()
        if value.isascii() and value.isdigit():
            return min(max(float(value), DEFAULT_RETRY_AFTER_S), MAX_RETRY_AFTER_S)
    return DEFAULT_RETRY_AFTER_S


def redirect_host(location: str) -> str:
    """Return the target of a redirect: scheme and host only, since the rest may be private."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "to an address that cannot be read"
    return f"to {parts.scheme}://{parts.hostname}" if parts.hostname else "to the same host"


def clean_id(value: object) -> str:
    """Return an id for the log, or "" if the value may be anything but an id."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _classify_success(content_type: str, body: bytes) -> Verdict | None:
    if _says_json(content_type):
        return None
    if not body:
        # The connection ended within the headers, and the HTTP library reads them as a whole
        # answer. Only the status is certain: the server has done what was asked.
        return Verdict(OutcomeUnknownError, Reason.CONNECTION_CUT)
    return _refused(Reason.NOT_MATTERMOST)


def _classify_error(status: int, fields: Mapping[str, object], *, path: str) -> Verdict:
    request_id, error_id = clean_id(fields.get("request_id")), clean_id(fields.get("id"))
    if str(fields.get("id", "")).startswith(_PLUGIN):
        # After this text the id holds the plugin's own words, which may quote the message.
        return _refused(Reason.REJECTED_BY_PLUGIN, "post_rejected_by_plugin", request_id)
    if reason := _BY_ID.get(error_id):
        return _refused(reason, error_id, request_id)
    if error_id == _BEING_MADE:
        return Verdict(OutcomeUnknownError, Reason.BEING_MADE, error_id, request_id)
    if status >= 500:
        return Verdict(OutcomeUnknownError, Reason.SERVER_ERROR, error_id, request_id)
    if status == 408:
        return Verdict(OutcomeUnknownError, Reason.TIMEOUT, error_id, request_id)
    return _refused(_refusal(status, error_id, path=path), error_id, request_id)


def _refusal(status: int, error_id: str, *, path: str) -> Reason:
    if status == 413:
        return Reason.TOO_LARGE
    if not error_id:
        return Reason.NOT_MATTERMOST
    # A missing membership, a missing channel and a missing permission share one id. On the routes
    # of webhooks this id never means the membership.
    if error_id == _PERMISSIONS and status == 403 and not path.startswith("/hooks/"):
        return Reason.NOT_A_MEMBER
    return _BY_STATUS.get(status, Reason.INVALID_REQUEST)


def _error_fields(body: bytes) -> Mapping[str, object]:
    # Ignore Content-Type: the server's own 404 for an unknown call is JSON in text/plain.
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _says_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _refused(reason: Reason, error_id: str = "", request_id: str = "") -> Verdict:
    return Verdict(RefusedError, reason, error_id, request_id)
