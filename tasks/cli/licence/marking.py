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
