"""Why a message was not sent: one closed set of words, each with its cure."""

from __future__ import annotations

from enum import StrEnum


class OwnReason(StrEnum):
    """The reasons that arise on our side; those of Mattermost are ``tasks.mattermost.Reason``."""

    INVALID_ARGUMENTS = "invalid_arguments"
    LICENCE_UNKNOWN = "licence_unknown"
    LICENCE_DISABLED = "licence_disabled"
    TOKEN_UNREADABLE = "token_unreadable"
    FROM_MATTERMOST = "from_mattermost"
    TYPE_SWITCHED_OFF = "type_switched_off"
    INTERNAL_ERROR = "internal_error"

    @property
    def cure(self) -> str:
        """Return what to do about it, in one sentence."""
        return _CURES[self]


_CURES = {
    OwnReason.INVALID_ARGUMENTS: "Correct the named field where i-Reserve enqueues the message.",
    OwnReason.LICENCE_UNKNOWN: "Register the licence: ireserve-mattermost licence add.",
    OwnReason.LICENCE_DISABLED: "Enable the licence, then re-send.",
    OwnReason.TOKEN_UNREADABLE: "Put the key that it was stored with back on ENCRYPTION_KEYS.",
    OwnReason.FROM_MATTERMOST: "Nothing: the message came from Mattermost and is there already.",
    OwnReason.INTERNAL_ERROR: "Report it with the line message_broke_the_worker of the log.",
    OwnReason.TYPE_SWITCHED_OFF: "Nothing, or switch the notification type on for this licence.",
}
