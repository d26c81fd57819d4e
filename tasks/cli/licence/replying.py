"""Check and store the settings that say which posts are for the visitor, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy.orm import Session

from models import Licence, ReplyMode
from models.licence import (
    DEFAULT_NOTE_PREFIXES,
    DEFAULT_REPLY_PREFIXES,
    NOTE_PREFIXES_LENGTH,
)
from tasks.cli.installation import Installation
from tasks.cli.licence.speaking import store_settings
from tasks.outbound.redraw import redraw_live_cards
from tasks.replies.notes import prefixes_of
from tasks.replies.prefixes import PrefixError, require_sendable_prefixes
from tasks.replies.reply_prefixes import require_usable_reply_prefixes

# The licence's settings that each card shows, besides its mention.
_SHOWN = ("reply_mode", "reply_prefixes", "language", "time_zone")


def require_usable_prefixes(
    parts: Installation, licence_id: str, settings: Mapping[str, Any]
) -> None:
    """Require that the given prefixes can be used together with those that are stored.

    Raises:
        UsageError: one of them cannot be used.
    """
    for name in ("note_prefixes", "reply_prefixes"):
        if len(settings.get(name) or "") > NOTE_PREFIXES_LENGTH:
            raise click.UsageError(f"{_option(name)}: at most {NOTE_PREFIXES_LENGTH} characters")
    _require(require_sendable_prefixes, "note_prefixes", settings.get("note_prefixes") or "")
    with parts.database.snapshot() as session:
        stored = session.get(Licence, licence_id) or Licence(
            note_prefixes=DEFAULT_NOTE_PREFIXES,
            reply_prefixes=DEFAULT_REPLY_PREFIXES,
            reply_mode=ReplyMode.ALL,
        )
    wanted = {
        name: getattr(stored, name) if settings.get(name) is None else settings[name]
        for name in ("note_prefixes", "reply_prefixes", "reply_mode")
    }
    if settings.get("reply_prefixes") is None and wanted["reply_mode"] is not ReplyMode.EXPLICIT:
        return
    notes = prefixes_of(wanted["note_prefixes"])
    _require(require_usable_reply_prefixes, "reply_prefixes", wanted["reply_prefixes"], notes=notes)


def _require(require: Any, name: str, setting: str, **more: Any) -> None:
    try:
        require(setting, **more)
    except PrefixError as error:
        raise click.UsageError(f"{_option(name)}: {error}") from None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def store(session: Session, licence: Licence, settings: Mapping[str, Any]) -> None:
    """Store the given settings of the licence; if cards show one that has changed, redraw them."""
    told = [getattr(licence, name) for name in _SHOWN]
    store_settings(licence, **settings)
    if [getattr(licence, name) for name in _SHOWN] != told:
        redraw_live_cards(session, licence.id)
