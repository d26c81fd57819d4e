"""Commands about the installation: its state, its schema, its keys, and the demo."""

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
    help="Show only what is wrong, and the number of checks for each result. The default for more "
    "than 10 licences in a table.",
)
def doctor() -> None:
    """Find out what is wrong, and how to correct it.

    Checks everything that must be right, for LICENCE or for all. Each check is one line: ok, warn
    (works with a restriction), fail, or skip (not checked, and why). Stores what the server says
    about itself, if that has changed, and nothing else. Exit code 1 if a check fails.
    """


@click.command(cls=Command, runs="tasks.cli.status:status")
@licence_if_given
def status() -> None:
    """Show the state of LICENCE, or of each licence.

    Shows the server's last known version and collapsed-threads setting. Shows how many messages
    were mirrored, wait or failed, since when they wait, and when each direction last worked. Ends
    with what retention has removed.
    """


@click.command(cls=Command, runs="tasks.cli.demo:demo")
@click.option("--check", is_flag=True, help="Play, check the result, stop, and exit with 0 or 1.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES, case_sensitive=False),
    default=LANGUAGES[0],
    help="The language of the page, the chat and the team's texts: English (en, the default), "
    "Dutch (nl) or German (de).",
)
def demo() -> None:
    """Play a conversation with a stand-in Mattermost.

    Runs all processes on this machine, with built-in settings. Prints the address of a page on
    which you can watch and type. Ctrl-C stops everything. With MATTERMOST_URL, _BOT_TOKEN, _TEAM
    and _CHANNEL it uses that server.
    """


@click.group(cls=Group)
def db() -> None:
    """The database's schema."""


@db.command("upgrade", cls=Command, runs="tasks.cli.database:upgrade")
def upgrade() -> None:
    """Bring the database to the newest schema. It is safe to run again."""


@db.command("check", cls=Command, runs="tasks.cli.database:check")
def check() -> None:
    """Check whether the schema is the newest one; exit code 1 if not."""


@click.group(cls=Group)
def keys() -> None:
    """The keys that encrypt bot tokens (ENCRYPTION_KEYS)."""


@keys.command("new", cls=Command, runs="tasks.cli.keys:new")
def new() -> None:
    """Print a new key. Put it in front of ENCRYPTION_KEYS, and keep the old keys behind it."""


@keys.command("rotate", cls=Command, runs="tasks.cli.keys:rotate")
def rotate() -> None:
    """Encrypt all bot tokens with the first key.

    This is the first key of ENCRYPTION_KEYS. All processes must have it before this runs.
    Afterwards you can remove the old keys.
    """
