"""The options of ``add`` and ``edit`` that say who is told, and under which name people speak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from models import Licence, Names
from tasks.licences.mention import MentionError, parse_mention

UNTOLD = (
    "No member is mentioned on a conversation's root: where threads are collapsed, none is told of "
    "a visitor's further messages. Name members: ireserve-mattermost licence edit {licence_id} "
    "--mention @MEMBER"
)

names_option = click.option(
    "--names",
    type=click.Choice([each.value for each in Names]),
    help="Who speaks in a thread: a line above each text says it (header), or visitor and agent "
    "are the posts' authors (author), where the server allows that.",
)


def _parse(
    _context: click.Context, _parameter: click.Parameter, words: Sequence[str]
) -> str | None:
    try:
        mention = parse_mention(" ".join(words))
    except MentionError as error:
        raise click.BadParameter(str(error)) from None
    if words and not mention:
        raise click.BadParameter("it is empty: name a member")
    return mention or None


mention_option = click.option(
    "--mention",
    metavar="MEMBER",
    multiple=True,
    callback=_parse,
    help="Mention this member on each conversation's root, and so tell them of its messages; may "
    "be given several times. @channel: all members.",
)


def store_settings(licence: Licence, **settings: Any) -> None:
    """Store what is given of the licence's settings; None: it stays as it is."""
    for name, value in settings.items():
        if value is not None:
            setattr(licence, name, value)
