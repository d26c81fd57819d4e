"""Commands about the team's replies on their way to i-Reserve."""

from __future__ import annotations

import click

from tasks.cli.command import Command
from tasks.cli.options import licence_argument, licence_if_given, limit_option, reason_option
from tasks.cli.words import REPLY_REASONS

_reason = reason_option(REPLY_REASONS)


@click.command(cls=Command, runs="tasks.cli.replies:replies")
@licence_if_given
@_reason
@click.option("--given-up", is_flag=True, help="Only those that are not tried any more.")
@limit_option
def replies() -> None:
    """List replies that are not recorded.

    Those of LICENCE or of all, the newest last, each with its reason and the cure. What is not
    given up is tried again by itself; one without a reason has not been tried yet.
    """


@click.command(cls=Command, runs="tasks.cli.replies:collect")
@licence_argument
@click.argument("ids", metavar="[ID]...", type=int, nargs=-1)
@_reason
@click.option("--files", is_flag=True, help="Those that are recorded with a file missing, instead.")
def collect() -> None:
    """Ask Mattermost again for replies that are not recorded.

    All of LICENCE that were given up, or whose files are missing, or those with these IDs. A worker
    does it within seconds: look at `replies` afterwards. A file that comes is told as a later
    revision of its reply. Exit code 1 if one of them was left.
    """
