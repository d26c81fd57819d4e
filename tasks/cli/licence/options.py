"""The options of ``add`` and ``edit`` for mentions, names, receipts, hints and replies."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from tasks.cli.words import DEFAULT_REPLY_PREFIXES, MAX_REPLY_PAUSE_S, NAMES, RECEIPTS, REPLY_MODES


def _as(kind: str) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Return a callback that turns a word into a member of an enumeration of ``models``.

    The callback imports ``models`` only when there is a word, so that help answers at once.
    """

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
    help="Mention this member on each conversation's root, so that they are notified of its "
    "messages. May be given several times; @channel means all members.",
)

names_option = click.option(
    "--names",
    type=click.Choice(NAMES),
    callback=_as("Names"),
    help="How a thread shows who speaks: by a line above each text (header), or with visitor and "
    "agent as the posts' authors (author), where the server allows that.",
)

receipts_option = click.option(
    "--receipts",
    type=click.Choice(RECEIPTS),
    callback=_as("Receipts"),
    help="Which posts of the team the bot marks with a reaction: all replies (all, the default), "
    "only notes and warnings (notes), or none.",
)

hints_option = click.option(
    "--hints",
    type=click.Choice(["on", "off"]),
    callback=lambda _context, _parameter, word: None if word is None else word == "on",
    help="Whether the bot tells a member, once a day, that a post outside of a conversation's "
    "thread reaches no visitor. The default is on.",
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
    help="Which posts in a conversation's thread the visitor gets: all except notes (all, the "
    "default), those that begin with a reply prefix (explicit), or none (alerts).",
)
reply_prefixes_option = click.option(
    "--reply-prefixes",
    metavar="WORDS",
    help="Words, separated by spaces. In mode explicit, a post for the visitor begins with one. "
    f"The default is: {DEFAULT_REPLY_PREFIXES}.",
)
reply_pause_option = click.option(
    "--reply-pause",
    "reply_pause_s",
    metavar="TIME",
    type=_Pause(),
    help="How long a reply waits before i-Reserve gets it, so that its author may edit or delete "
    f"it: for example 10s, at most {MAX_REPLY_PAUSE_S}s. The default is 0, no pause.",
)
