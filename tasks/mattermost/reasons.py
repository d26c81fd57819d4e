"""The reasons why a call to Mattermost failed: a closed set, each with its cure."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a call failed; stored in the ledger, shown by the command line, listed in the docs."""

    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    CONNECTION_CUT = "connection_cut"
    STOPPED = "stopped"
    SERVER_ERROR = "server_error"
    BEING_MADE = "being_made"
    ANSWER_TOO_LARGE = "answer_too_large"
    RATE_LIMITED = "rate_limited"
    TOKEN_REJECTED = "token_rejected"
    NOT_A_MEMBER = "not_a_member"
    PERMISSION_MISSING = "permission_missing"
    CHANNEL_ARCHIVED = "channel_archived"
    CHANNEL_UNKNOWN = "channel_unknown"
    ROOT_REJECTED = "root_rejected"
    MESSAGE_TOO_LONG = "message_too_long"
    TOO_LARGE = "too_large"
    IMAGE_TOO_LARGE = "image_too_large"
    UPLOADS_DISABLED = "uploads_disabled"
    WEBHOOKS_DISABLED = "webhooks_disabled"
    REJECTED_BY_PLUGIN = "rejected_by_plugin"
    NOT_FOUND = "not_found"
    NOT_MATTERMOST = "not_mattermost"
    REDIRECTED = "redirected"
    INVALID_REQUEST = "invalid_request"

    @property
    def what(self) -> str:
        """What happened, as half a sentence without a subject."""
        return _TEXTS[self][0]

    @property
    def cure(self) -> str:
        """What the operator must do, as one sentence."""
        return _TEXTS[self][1]


_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.UNREACHABLE: (
        "no connection to the server",
        "Check that the server runs, its address, DNS and the firewall.",
    ),
    Reason.TLS_FAILED: (
        "the TLS connection could not be made",
        "Renew or complete the server's certificate, or name its CA in CA_BUNDLE.",
    ),
    Reason.TIMEOUT: (
        "the server did not answer in time; it may have done what was asked",
        "Look whether it was done before sending again, then look at the server's load.",
    ),
    Reason.CONNECTION_CUT: (
        "the connection was cut before the answer; it may have done what was asked",
        "Look whether it was done before sending again, then look at the proxy and the network.",
    ),
    Reason.STOPPED: (
        "this process was asked to stop and broke the call off",
        "Nothing is to be done: the next worker looks whether it was done.",
    ),
    Reason.SERVER_ERROR: (
        "the server failed; it may have done what was asked",
        "Look for the request id in the server's log, and whether its database is up.",
    ),
    Reason.BEING_MADE: (
        "the server is at work on this very post for an earlier request",
        "It is looked for again; if it stays away, look for the request id in the server's log.",
    ),
    Reason.ANSWER_TOO_LARGE: (
        "the answer is larger than this client reads",
        "Check that the address is that of a Mattermost server, and ask for fewer objects.",
    ),
    Reason.RATE_LIMITED: (
        "the server refuses more requests for the moment",
        "Wait for the time it names; raise RateLimitSettings on the server if it happens often.",
    ),
    Reason.TOKEN_REJECTED: (
        "the bot token was rejected",
        "Check that the bot and its owner are active; store a new token if it stays rejected.",
    ),
    Reason.NOT_A_MEMBER: (
        "the bot may not use this channel, or the channel does not exist",
        "Invite the bot to the team and to the channel, and check the channel's id.",
    ),
    Reason.PERMISSION_MISSING: (
        "the account of this token lacks a permission",
        "Give it the permission in the System Console, or use an administrator's token once.",
    ),
    Reason.CHANNEL_ARCHIVED: (
        "the channel is archived",
        "Unarchive it, or choose another channel for this licence.",
    ),
    Reason.CHANNEL_UNKNOWN: (
        "there is no such channel, or it is private and the bot is not in it",
        "Check the channel's name in its URL, and invite the bot if the channel is private.",
    ),
    Reason.ROOT_REJECTED: (
        "the server does not take the root post for this reply",
        "Look whether the root still exists; if it does, the server had trouble: send again.",
    ),
    Reason.MESSAGE_TOO_LONG: (
        "the message is longer than the server takes",
        "Split it at the MaxPostSize that the server's client config names.",
    ),
    Reason.TOO_LARGE: (
        "the file or the request is larger than the server or its proxy takes",
        "Raise MaxFileSize on the server, and the proxy's body limit with it.",
    ),
    Reason.IMAGE_TOO_LARGE: (
        "the image has more pixels than the server takes",
        "Raise MaxImageResolution on the server, or send a smaller picture.",
    ),
    Reason.UPLOADS_DISABLED: (
        "file uploads are switched off on the server",
        "Switch on EnableFileAttachments and set a file storage in the System Console.",
    ),
    Reason.WEBHOOKS_DISABLED: (
        "outgoing webhooks are switched off, or the channel is not public",
        "Switch on EnableOutgoingWebhooks; a private channel is covered by catch-up alone.",
    ),
    Reason.REJECTED_BY_PLUGIN: (
        "a plugin of the server rejected it",
        "Ask the server's administrator which plugin filters posts, and exempt the bot.",
    ),
    Reason.NOT_FOUND: (
        "there is no such object, or it was deleted",
        "Check the id; a deleted post or file does not come back.",
    ),
    Reason.NOT_MATTERMOST: (
        "the answer is not one of Mattermost's API",
        "Check the server's address and its subpath, and what the proxy in front of it answers.",
    ),
    Reason.REDIRECTED: (
        "the server sends elsewhere, and redirects are not followed",
        "Store the address to which it redirects: https, and the final host name.",
    ),
    Reason.INVALID_REQUEST: (
        "the server does not accept the request",
        "Look the error id up; it names the field that the server minds.",
    ),
}
