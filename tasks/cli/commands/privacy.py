"""Commands about data of people: show it, erase it, and remove files that were left behind."""

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
    help="Also show names, addresses and texts, as far as they are stored.",
)
@limit_option
def conversation() -> None:
    """Show one conversation of LICENCE.

    Shows its thread in Mattermost, the state of its card, its messages and the team's replies, with
    states and reasons. ID is i-Reserve's. Without --personal the output has only ids, states and
    times, so you can show it to others.
    """


@click.command(cls=Command, runs="tasks.cli.erase:erase")
@licence_argument
@click.option(
    "--conversation",
    "conversation_ids",
    multiple=True,
    help="i-Reserve's id of a conversation; may be given several times.",
)
@click.option("--visitor", help="All conversations of visitors with exactly this name.")
@click.option("--posts", is_flag=True, help="Also delete the threads in Mattermost, as the bot.")
@click.option("--dry-run", is_flag=True, help="Only list what is stored.")
@yes_option
def erase() -> None:
    """Remove conversations of LICENCE, for privacy.

    Lists what is stored of each, then asks. Removes the visitor's data, waiting and failed
    messages, and replies with their files. The ids of messages stay in the ledger, so that none is
    posted again. i-Reserve must erase its own copies of replies. Mattermost's posts stay unless
    --posts is given.

    Two people may have the same name: check the list, and give their conversations instead.
    """


@click.command(cls=Command, runs="tasks.cli.leftovers:leftovers")
@licence_if_given
@click.option("--dry-run", is_flag=True, help="Only list them.")
@yes_option
def leftovers() -> None:
    """Remove files of replies that were left behind.

    Lists files in the folder of LICENCE, or of each licence, then asks. These look like files of a
    reply, are older than a day and belong to no reply. Earlier versions left them when a file was
    removed from a reply or a worker was killed. i-Reserve may keep its own files there: check the
    list.
    """
