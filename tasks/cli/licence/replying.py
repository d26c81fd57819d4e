"""The options of ``add`` and ``edit`` that say which posts are for the visitor, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy.orm import Session

from models import Licence, ReplyMode
from models.licence import (
    DEFAULT_NOTE_PREFIXES,
    DEFAULT_REPLY_PREFIXES,
    MAX_REPLY_PAUSE_S,
    NOTE_PREFIXES_LENGTH,
)
from tasks.cli.installation import Installation
from tasks.cli.licence.speaking import store_settings
from tasks.outbound.redraw import redraw_live_cards
from tasks.replies.notes import prefixes_of
from tasks.replies.prefixes import PrefixError, check_typed
from tasks.replies.reply_prefixes import check_reply_prefixes

# What each card shows of its licence, beside its mention.
_SHOWN = ("reply_mode", "reply_prefixes", "language", "time_zone")
_PAUSE = re.compile(r"([0-9]{1,6})(s|m|)")
_SECONDS = {"m": 60, "s": 1, "": 1}


class _Pause(click.ParamType[int]):
    """A pause: ``10s``, ``1m``, or 0 for none."""

    name = "pause"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Return the pause in seconds."""
        found = _PAUSE.fullmatch(value)
        seconds = int(found[1]) * _SECONDS[found[2]] if found else -1
        if not 0 <= seconds <= MAX_REPLY_PAUSE_S:
            self.fail(
                f"give 0 or a time such as 10s, at most {MAX_REPLY_PAUSE_S}s: visitors wait for it "
                "with every answer",
                param,
                ctx,
            )
        return seconds


replies_option = click.option(
    "--replies",
    "reply_mode",
    metavar="MODE",
    type=click.Choice([each.value for each in ReplyMode]),
    callback=lambda _context, _parameter, word: None if word is None else ReplyMode(word),
    help="Which posts in a conversation's thread the visitor gets: all but notes (all, the "
    "default), those that begin with a reply prefix (explicit), or none (alerts).",
)
reply_prefixes_option = click.option(
    "--reply-prefixes",
    metavar="WORDS",
    help="Words, separated by spaces, with which a post for the visitor begins in mode explicit; "
    f"{DEFAULT_REPLY_PREFIXES} are the default.",
)
reply_pause_option = click.option(
    "--reply-pause",
    "reply_pause_s",
    metavar="TIME",
    type=_Pause(),
    help="How long a reply waits before i-Reserve is told, so that its author may edit or delete "
    f"it: 10s, at most {MAX_REPLY_PAUSE_S}s; 0, the default, is no pause.",
)


def check_words(parts: Installation, licence_id: str, settings: Mapping[str, Any]) -> None:
    """Say whether the prefixes can be used, those that are given and those that are stored.

    Raises:
        UsageError: one of them cannot.
    """
    for name in ("note_prefixes", "reply_prefixes"):
        if len(settings.get(name) or "") > NOTE_PREFIXES_LENGTH:
            raise click.UsageError(f"{_option(name)}: at most {NOTE_PREFIXES_LENGTH} characters")
    _check(check_typed, "note_prefixes", settings.get("note_prefixes") or "")
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
    _check(check_reply_prefixes, "reply_prefixes", wanted["reply_prefixes"], notes=notes)


def _check(check: Any, name: str, setting: str, **more: Any) -> None:
    try:
        check(setting, **more)
    except PrefixError as error:
        raise click.UsageError(f"{_option(name)}: {error}") from None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def store(session: Session, licence: Licence, settings: Mapping[str, Any]) -> None:
    """Store what is given of the licence's settings, and have cards drawn that show them."""
    told = [getattr(licence, name) for name in _SHOWN]
    store_settings(licence, **settings)
    if [getattr(licence, name) for name in _SHOWN] != told:
        redraw_live_cards(session, licence.id)
