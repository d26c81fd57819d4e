"""Checks of the server's settings: edits, e-mails, uploads, webhooks and limits."""

from __future__ import annotations

from tasks.checks.check import Check, failed, passed, warned
from tasks.mattermost import ClientConfig

_MEGABYTE = 1024 * 1024


def judge_options(config: ClientConfig) -> list[Check]:
    """Return the checks of the server's settings."""
    return [
        judge_edits(config),
        judge_emails(config),
        judge_uploads(config),
        judge_webhooks(config),
    ]


def judge_edits(config: ClientConfig) -> Check:
    """Return whether a sign in the root post can show the state of its conversation."""
    if config.allows_edits:
        return passed("edits", "the message of a root can be changed: its sign shows the state")
    return passed(
        "edits",
        f"messages can be edited for {config.post_edit_time_limit} s: roots have no state sign, "
        "the line below them shows the state (System Console > Site Configuration > Posts > Post "
        "Edit Time Limit)",
    )


def judge_emails(config: ClientConfig) -> Check:
    """Return whether the authors of replies can be matched with i-Reserve's users."""
    if config.show_email_address:
        return passed("e-mails", "the bot sees e-mail addresses")
    return warned(
        "e-mails",
        "the server hides e-mail addresses: no author of a reply is one of i-Reserve's users",
        "Switch on System Console > Site Configuration > Users and Teams > Show Email Address.",
    )


def judge_uploads(config: ClientConfig) -> Check:
    """Return whether files can be sent."""
    if config.uploads_enabled:
        megabytes = config.max_file_size_bytes / _MEGABYTE
        return passed("uploads", f"files of up to {megabytes:.3g} MB can be sent")
    return failed(
        "uploads",
        "file uploads are switched off: messages come without their files",
        "Switch on System Console > Site Configuration > File Sharing and Downloads > Allow File "
        "Sharing.",
    )


def judge_webhooks(config: ClientConfig) -> Check:
    """Return whether the server calls outgoing webhooks at all."""
    if config.outgoing_webhooks_enabled:
        return passed("webhooks", "outgoing webhooks are switched on")
    return failed(
        "webhooks",
        "outgoing webhooks are switched off: replies come late, by catch-up",
        "Switch on System Console > Integrations > Integration Management > Enable Outgoing "
        "Webhooks.",
    )


def judge_limits(config: ClientConfig, *, stored: tuple[int, int]) -> Check:
    """Return whether the stored limits (characters, bytes) are those of the server.

    The caller then stores the server's limits.
    """
    limits = (config.max_post_length, config.max_file_size_bytes)
    sentence = f"posts of {limits[0]} characters, files of {limits[1]} bytes"
    if stored == limits:
        return passed("limits", sentence)
    was = f"stored were {stored[0]} and {stored[1]}"
    return passed("limits", f"{sentence}; {was}: brought up to date")
