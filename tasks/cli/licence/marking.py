"""The options of ``add`` and ``edit`` that say how the bot answers what the team writes."""

from __future__ import annotations

import click

from models import Receipts

receipts_option = click.option(
    "--receipts",
    type=click.Choice([each.value for each in Receipts]),
    callback=lambda _context, _parameter, word: None if word is None else Receipts(word),
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
