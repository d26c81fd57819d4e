"""Commands about what is stored of people: shown, erased, and files that were left behind."""

from __future__ import annotations

import click

from tasks.cli.command import Command
from tasks.cli.options import licence_argument, licence_if_given, limit_option, yes_option


@click.command(cls=Command, runs="tasks.cli.conversation:conversation")
@licence_argument
@click.argument("conversation_id", metavar="ID")
@click.option(
    "--personal",
    is_flag=True,
    help="Also show names, addresses and what was said, as far as it is stored.",
)
@limit_option
def conversation() -> None:
    """Show one conversation of LICENCE.

    Its thread in Mattermost, how its card stands, its messages and the team's replies with their
    states and reasons. ID is i-Reserve's. Without --personal there are only ids, states and
    moments, so that it can be shown to others.
    """


@click.command(cls=Command, runs="tasks.cli.erase:erase")
@licence_argument
@click.option(
    "--conversation",
    "conversation_ids",
    multiple=True,
    help="i-Reserve's id of one; may be given several times.",
)
@click.option("--visitor", help="All conversations of visitors with exactly this name.")
@click.option("--posts", is_flag=True, help="Also delete the threads in Mattermost, as the bot.")
@click.option("--dry-run", is_flag=True, help="Only list what is stored.")
@yes_option
def erase() -> None:
    """Remove conversations of LICENCE, for privacy.

    Lists what is stored of each, then asks. Who it was with, what still waits or failed, its
    replies and files are gone. The ids of its messages stay in the ledger, so that none is posted
    again. What i-Reserve was told of replies is i-Reserve's to erase. Mattermost's posts stay
    unless --posts is given.

    Two people may have one name: look at the list, and give their conversations instead.
    """


@click.command(cls=Command, runs="tasks.cli.leftovers:leftovers")
@licence_if_given
@click.option("--dry-run", is_flag=True, help="Only list them.")
@yes_option
def leftovers() -> None:
    """Remove files of replies that were left behind.

    Lists the files in the folder of LICENCE, or of each, that look like a reply's, are older than a
    day and belong to no reply; then asks. Versions before this one left them when a file was taken
    off or a worker was killed. i-Reserve may keep files of its own there: look at the list.
    """
