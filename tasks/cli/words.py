"""Words and numbers in help texts; they stand here so that help imports no other module.

A unit test compares each of them with its origin.
"""

from __future__ import annotations

NAMES = ("header", "author")
LANGUAGES = ("en", "nl", "de")
RECEIPTS = ("all", "notes", "none")
REPLY_MODES = ("all", "explicit", "alerts")
DEFAULT_REPLY_PREFIXES = "reply: antwoord: antwort: r:"
MAX_REPLY_PAUSE_S = 60
MAX_WAITING = 100_000

# The reasons for which a message fails.
REASONS = (
    "unreachable", "tls_failed", "timeout", "connection_cut", "stopped", "server_error",
    "being_made", "answer_too_large", "rate_limited", "token_rejected", "not_a_member",
    "permission_missing", "channel_archived", "channel_unknown", "root_rejected",
    "message_too_long", "too_large", "image_too_large", "uploads_disabled", "webhooks_disabled",
    "rejected_by_plugin", "not_found", "not_mattermost", "redirected", "invalid_request",
    "invalid_arguments", "licence_unknown", "licence_disabled", "token_unreadable",
    "from_mattermost", "type_switched_off", "internal_error",
)  # fmt: skip
# The reasons for which a reply is not recorded.
REPLY_REASONS = (
    *REASONS, "paused", "unknown_thread", "store_unavailable", "gone", "outside_store",
    "download_failed", "download_timeout",
)  # fmt: skip
