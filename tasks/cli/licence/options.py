"""The options of ``add`` and ``edit``: who is told, who speaks, and how the bot answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from tasks.cli.words import DEFAULT_REPLY_PREFIXES, MAX_REPLY_PAUSE_S, NAMES, RECEIPTS, REPLY_MODES


def _as(kind: str) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Return what makes of a word the member of an enumeration of ``models``, loaded only then."""

    def convert(_context: click.Context, _parameter: click.Parameter, word: str | None) -> Any:
        if word is None:
            return None
        import models

        return getattr(models, kind)(word)

    return convert


def _mention(
    _context: click.Context, _parameter: click.Parameter, words: Sequence[str]
) -> str | None:
    if not words:
        return None
    from tasks.licences.mention import MentionError, parse_mention

    try:
        mention = parse_mention(" ".join(words))
    except MentionError as error:
        raise click.BadParameter(str(error)) from None
    if not mention:
        raise click.BadParameter("it is empty: name a member")
    return mention


mention_option = click.option(
    "--mention",
    metavar="MEMBER",
    multiple=True,
    callback=_mention,
    help="Mention this member on each conversation's root, and so tell them of its messages; may "
    "be given several times. @channel: all members.",
)

names_option = click.option(
    "--names",
    type=click.Choice(NAMES),
    callback=_as("Names"),
    help="Who speaks in a thread: a line above each text says it (header), or visitor and agent "
    "are the posts' authors (author), where the server allows that.",
)

receipts_option = click.option(
    "--receipts",
    type=click.Choice(RECEIPTS),
    callback=_as("Receipts"),
    help="Which posts of the team the bot marks with a reaction: all replies (all, the default), "
    "notes and trouble alone (notes), or none.",
)

hints_option = click.option(
    "--hints",
    type=click.Choice(["on", "off"]),
    callback=lambda _context, _parameter, word: None if word is None else word == "on",
    help="Whether the bot tells a member, once a day, that a post outside of a conversation's "
    "thread reaches no visitor; on is the default.",
)

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
    type=click.Choice(REPLY_MODES),
    callback=_as("ReplyMode"),
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
