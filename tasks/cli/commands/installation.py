"""Commands about the installation: how it does, its schema, its keys, and the demo."""

from __future__ import annotations

import click

from tasks.cli.command import Command, Group
from tasks.cli.options import licence_if_given
from tasks.cli.words import LANGUAGES


@click.command(cls=Command, runs="tasks.cli.doctor:doctor")
@licence_if_given
@click.option(
    "--round-trip",
    is_flag=True,
    help="Also post in the default channel, wait for the webhook, and delete the post.",
)
@click.option("--callback-url", help="The address that the outgoing webhook must call.")
@click.option(
    "--admin-token-file",
    type=click.File(),
    help="An administrator's token (- for standard input), to look at the webhook itself.",
)
@click.option(
    "--summary/--no-summary",
    default=None,
    help="Show only what is wrong, and how many checks are how; a table of more than 10 licences "
    "is in short by itself.",
)
def doctor() -> None:
    """Find out what is wrong, and how to mend it.

    Looks at everything that must be right, for LICENCE or for all; exit code 1 if anything fails.
    One line for each check: ok, warn (works with a restriction), fail, or skip (not checked, and
    why). What the server says of itself is stored if it has changed; nothing else is.
    """


@click.command(cls=Command, runs="tasks.cli.status:status")
@licence_if_given
def status() -> None:
    """Show how LICENCE, or each, is doing.

    Its server's version and collapsed-threads setting as they were last seen, what was mirrored,
    what waits and since when, what failed, and when it last worked; then what retention removed.
    """


@click.command(cls=Command, runs="tasks.cli.demo:demo")
@click.option("--check", is_flag=True, help="Play, verify the result, stop, and exit 0 or 1.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES, case_sensitive=False),
    default=LANGUAGES[0],
    help="Of the page, of the chat, and of what the team reads: English (en, the default), Dutch "
    "(nl) or German (de).",
)
def demo() -> None:
    """Play a conversation with a stand-in Mattermost.

    Runs all processes on this machine, on embedded defaults, and prints the
    address of a page to watch and to type on. Ctrl-C stops everything. With
    MATTERMOST_URL, _BOT_TOKEN, _TEAM and _CHANNEL it plays on that server.
    """


@click.group(cls=Group)
def db() -> None:
    """The database's schema."""


@db.command("upgrade", cls=Command, runs="tasks.cli.database:upgrade")
def upgrade() -> None:
    """Bring the database to the newest schema. Safe to run again."""


@db.command("check", cls=Command, runs="tasks.cli.database:check")
def check() -> None:
    """Say whether the schema is the newest one; exit code 1 if not."""


@click.group(cls=Group)
def keys() -> None:
    """The keys that encrypt bot tokens (ENCRYPTION_KEYS)."""


@keys.command("new", cls=Command, runs="tasks.cli.keys:new")
def new() -> None:
    """Print a fresh key. Put it in front of ENCRYPTION_KEYS; keep the old ones behind it."""


@keys.command("rotate", cls=Command, runs="tasks.cli.keys:rotate")
def rotate() -> None:
    """Encrypt all bot tokens with the first key.

    That is the first one of ENCRYPTION_KEYS. All processes must know it before this runs.
    Afterwards the old keys can go.
    """
