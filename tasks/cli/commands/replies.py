"""Commands about the team's replies that i-Reserve does not have yet."""

from __future__ import annotations

import click

from tasks.cli.command import Command
from tasks.cli.options import licence_argument, licence_if_given, limit_option, reason_option
from tasks.cli.words import REPLY_REASONS

_reason = reason_option(REPLY_REASONS)


@click.command(cls=Command, runs="tasks.cli.replies:replies")
@licence_if_given
@_reason
@click.option("--given-up", is_flag=True, help="Only those that are no longer tried.")
@limit_option
def replies() -> None:
    """List replies that are not recorded.

    Lists those of LICENCE or of all, the newest last, each with its reason and the cure. A reply
    that is not given up is tried again automatically. One without a reason has not been tried yet.
    """


@click.command(cls=Command, runs="tasks.cli.replies:collect")
@licence_argument
@click.argument("ids", metavar="[ID]...", type=int, nargs=-1)
@_reason
@click.option("--files", is_flag=True, help="Instead, ask for missing files of recorded replies.")
def collect() -> None:
    """Ask Mattermost again for replies that are not recorded.

    Asks for all of LICENCE that were given up, or whose files are missing, or for those with these
    IDs. A worker does it within seconds: check `replies` afterwards. When a missing file arrives,
    i-Reserve gets a later revision of its reply. Exit code 1 if one of them was left out.
    """
