"""Commands about messages to Mattermost: those that failed, and how many may wait."""

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
    "--all",
    "everything",
    is_flag=True,
    help="Also those that were discarded or are too old to re-send.",
)
def failed() -> None:
    """List messages that were not sent.

    Lists those of LICENCE or of all, the newest last, each with its reason and the cure.
    """


@click.command(cls=Command, runs="tasks.cli.failures:resend")
@licence_argument
@click.argument("ids", metavar="[ID]...", type=int, nargs=-1)
@since_option
@_reason
@yes_option
def resend() -> None:
    """Send failed messages again.

    Sends all of LICENCE, or those with these IDs. They go to the end of their conversation, behind
    newer messages, in the order in which they were first sent. A worker looks in Mattermost first,
    so a message that has arrived is not posted twice. Exit code 1 if one of them was left out.
    """


@click.command(cls=Command, runs="tasks.cli.failures:discard")
@licence_argument
@click.argument("ids", metavar="ID...", type=int, nargs=-1, required=True)
@yes_option
def discard() -> None:
    """Give up failed messages.

    Removes the text of these messages of LICENCE, and `failed` no longer lists them. Exit code 1 if
    one of them had not failed, or its text was already removed.
    """


@click.command(cls=Command, runs="tasks.cli.failures:purge")
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.IntRange(min=1),
    required=True,
    help="Only messages that were sent, failed or were skipped more than DAYS days ago.",
)
@yes_option
def purge() -> None:
    """Remove old messages from the ledger.

    Failed ones are removed with their text. Mattermost keeps its posts. If i-Reserve enqueues a
    removed message again with the same id, it is posted again.
    """


@click.command(cls=Command, runs="tasks.cli.limit:limit")
@click.argument("messages", metavar="[MESSAGES]", type=click.IntRange(min=1), required=False)
@click.option("--default", "to_default", is_flag=True, help=f"Set it to {MAX_WAITING} again.")
def limit() -> None:
    """Show or set how many messages may wait for one licence.

    When that many wait, the licence's next message is refused (TooManyError). Other licences are
    not affected. It is one number for all licences, and takes effect at once.
    """
