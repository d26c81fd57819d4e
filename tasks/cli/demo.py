"""``demo``: the whole thing at work on this machine, to be watched in a browser."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click

from tasks.cli.command import Command, OperatorError, wants_json
from tasks.rendering import Language

# Nothing that is deployed imports the demo: it is a program beside us that this starts.
PROGRAM = "demo"


@click.command(cls=Command)
@click.option("--check", is_flag=True, help="Play, verify the result, stop, and exit 0 or 1.")
@click.option(
    "--language",
    type=click.Choice([each.value for each in Language], case_sensitive=False),
    default=Language.ENGLISH.value,
    help="Of the page, of the chat, and of what the team reads: English (en, the default), Dutch "
    "(nl) or German (de).",
)
def demo(check: bool, language: str) -> None:
    """Play a conversation with a stand-in Mattermost.

    Runs all processes on this machine, on embedded defaults, and prints the
    address of a page to watch and to type on. Ctrl-C stops everything. With
    MATTERMOST_URL, _BOT_TOKEN, _TEAM and _CHANNEL it plays on that server.
    """
    if find_spec(PROGRAM) is None:
        raise OperatorError("the demo is not installed here: run it from the repository, bin/demo")
    words = ["--check"] * check + ["--json"] * wants_json() + ["--language", language]
    # In our place, so that signals and the exit code are the demo's own; and never a folder of
    # that name where the command happens to be called (-P).
    os.execv(sys.executable, [sys.executable, "-P", "-m", PROGRAM, *words])
