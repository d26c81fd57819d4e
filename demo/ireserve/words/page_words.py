"""The texts that each language of the demo's page must have; mypy reports a missing text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

# The sign beside a message, and its explanation.
PassageWords = tuple[str, str]
# The singular and the plural.
Counted = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageScript:
    """The texts that the page's script writes; a name in braces is filled in."""

    sending: PassageWords
    waiting: PassageWords
    unsettled: PassageWords
    sent: PassageWords
    failed: PassageWords
    ireserve_told: str
    not_available: str
    deleted: str
    edited: str
    from_mattermost: str
    # Texts about a server that is switched off.
    is_off: str
    still_waiting: Counted
    waiting_again: Counted
    not_delivered: Counted
    live: str
    not_reachable: str
    attach: str
    attached: Counted
    not_sent: str
    not_done: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWords:
    """The texts of the page."""

    title: str
    skip: str
    and_: str
    conversation: str
    no_conversation: str
    new_conversation: str
    new: str
    mattermost_server: str
    on: str
    off: str
    side_to_show: str
    visitors_chat: str
    teams_mattermost: str
    chat_label: str
    web_chat: str
    on_page: str
    what_the_visitor_sees: str
    thread: str
    take: str
    end_chat: str
    messages: str
    no_messages: str
    begin_one: str
    message: str
    write_as: str
    send: str
    team_label: str
    channel_label: str
    not_framed: str
    open_channel: str
    visitors_name: str
    question: str
    page: str
    mirrored_into: str
    private: str
    cancel: str
    begin: str
    cure: str
    not_found: str
    why_not_found: str
    to_the_page: str
    script: PageScript

    def for_script(self) -> dict[str, Any]:
        """Return the texts that the page's script writes."""
        return asdict(self.script)
