"""``conversation``: show a conversation, its place in Mattermost, and each message's state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.cli.installation import Installation
from tasks.cli.licence.registration import require_licence
from tasks.cli.output import show
from tasks.cli.tables import Rows, cell_text, table
from tasks.privacy.report import (
    CardReport,
    ConversationReport,
    MessageReport,
    ReplyReport,
    report_on,
)
from tasks.rendering.characters import one_line

# The most characters of a text that are shown, so that it fits beside the other columns.
SAID_LENGTH = 200
_MESSAGES = (
    "id", "when", "kind", "key", "state", "post", "correlation id", "reason", "detail", "cure",
)  # fmt: skip
_REPLIES = (
    "id", "when", "post", "path", "state", "for", "revision", "files", "to tell", "given up",
    "reason", "detail", "cure",
)  # fmt: skip


def conversation(licence_id: str, conversation_id: str, personal: bool, limit: int) -> None:
    """Show one conversation of LICENCE."""
    parts = Installation()
    with parts.database.snapshot() as session:
        licence = require_licence(session, licence_id)
        report = report_on(
            session, parts.redis, licence, conversation_id, limit=limit, personal=personal
        )
    show({"conversation": report.data()}, *_lines(report, personal=personal))


def _lines(report: ConversationReport, *, personal: bool) -> list[str | Rows]:
    headings = ("said",) if personal else ()
    messages = [[*_of_message(each), *_said(each.said, personal)] for each in report.messages]
    replies = [[*_of_reply(each), *_said(each.said, personal)] for each in report.replies]
    return [
        table(("", ""), _facts(report)),
        "",
        table((*_MESSAGES, *headings), messages) if messages else "No message is known.",
        "",
        table((*_REPLIES, *headings), replies) if replies else "No reply is known.",
    ]


def _facts(report: ConversationReport) -> list[tuple[str, str]]:
    thread = report.thread
    facts: dict[str, object] = {
        "conversation": report.conversation,
        "started": report.started_at,
        "last active": report.last_active_at,
        "thread": thread.permalink if thread else "none yet",
        "channel": thread and thread.channel_id,
        "threads before": ", ".join(thread.earlier) if thread else "",
        "card": _card(report.card) if report.card else "",
        "waiting messages": report.waiting,
        **{name: _seen(value) for name, value in (report.personal or {}).items()},
    }
    return [(name, cell_text(value)) for name, value in facts.items() if value not in (None, "")]


def _card(card: CardReport) -> str:
    """Return the state of the conversation's card, in one line."""
    moments = {
        "since": card.since,
        "visitor waits since": card.waiting_since,
        "answered": card.answered_at,
        "not drawn since": card.changed_at,
    }
    told = [f"{name} {cell_text(moment)}" for name, moment in moments.items() if moment]
    who = [f"user {card.assignee_user_id}"] if card.assignee_user_id else []
    revision = [] if card.revision is None else [f"revision {card.revision}"]
    return ", ".join([card.state, *who, *told, *revision])


def _of_message(each: MessageReport) -> list[object]:
    return [
        each.id, each.at, each.kind, each.key, each.state, each.post_id, each.correlation_id,
        each.reason, each.detail, each.cure,
    ]  # fmt: skip


def _of_reply(each: ReplyReport) -> list[object]:
    return [
        each.id, each.at, each.post_id, each.path, each.state, each.visibility, each.revision,
        each.files, each.pending_event, each.given_up, each.reason, each.detail, each.cure,
    ]  # fmt: skip


def _said(said: Mapping[str, Any] | None, personal: bool) -> list[str | None]:
    """Return who said what, as one line; None for a sent message, whose text is not stored."""
    if not personal:
        return []
    names = ("visitor_name", "sender_name", "author", "question", "text")
    found = [str(said[name]) for name in names if said and said.get(name)]
    return [_seen(": ".join(found)) if found else None]


def _seen(value: object) -> str:
    """Return a text from outside without characters that a terminal would take for a command."""
    return one_line("" if value is None else str(value), limit=SAID_LENGTH)
