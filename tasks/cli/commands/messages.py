"""Commands about messages on their way to Mattermost: what failed, and how many may wait."""

from __future__ import annotations

import click

from tasks.cli.command import Command
from tasks.cli.options import (
    licence_argument,
    licence_if_given,
    limit_option,
    reason_option,
    since_option,
    yes_option,
)
from tasks.cli.words import MAX_WAITING, REASONS

_reason = reason_option(REASONS)


@click.command(cls=Command, runs="tasks.cli.failures:failed")
@licence_if_given
@since_option
@_reason
@limit_option
@click.option(
    "--all", "everything", is_flag=True, help="Also what was discarded or is too old to re-send."
)
def failed() -> None:
    """List messages that were not sent.

    Those of LICENCE or of all, the newest last, each with its reason and the cure.
    """


@click.command(cls=Command, runs="tasks.cli.failures:resend")
@licence_argument
@click.argument("ids", metavar="[ID]...", type=int, nargs=-1)
@since_option
@_reason
@yes_option
def resend() -> None:
    """Send failed messages again.

    All of LICENCE, or those with these IDs. They go to the end of their conversation, behind newer
    messages, in the order in which they were first sent. Mattermost is looked through first: one
    that arrived after all is not posted twice. Exit code 1 if one of them was left.
    """


@click.command(cls=Command, runs="tasks.cli.failures:discard")
@licence_argument
@click.argument("ids", metavar="ID...", type=int, nargs=-1, required=True)
@yes_option
def discard() -> None:
    """Give failed messages up.

    What these messages of LICENCE say is forgotten, and `failed` lists them no more. Exit code 1 if
    one of them had not failed or was forgotten already.
    """


@click.command(cls=Command, runs="tasks.cli.failures:purge")
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.IntRange(min=1),
    required=True,
    help="Only what was sent, failed or was skipped more than DAYS days ago.",
)
@yes_option
def purge() -> None:
    """Remove old messages from the ledger.

    Failed ones go with what they say. Mattermost keeps its posts. A message that i-Reserve enqueues
    once more after this, with the same id, is posted once more.
    """


@click.command(cls=Command, runs="tasks.cli.limit:limit")
@click.argument("messages", metavar="[MESSAGES]", type=click.IntRange(min=1), required=False)
@click.option("--default", "to_default", is_flag=True, help=f"Go back to {MAX_WAITING}.")
def limit() -> None:
    """Show or set how many messages may wait for one licence.

    With that many waiting, the licence's next message is refused (TooManyError), and the other
    licences are not touched. It is one number for all licences, and holds at once.
    """
