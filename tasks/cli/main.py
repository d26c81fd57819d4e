"""The command ``ireserve-mattermost`` and what belongs to it."""

from __future__ import annotations

import click

from tasks.cli.command import Group
from tasks.cli.conversation import conversation
from tasks.cli.database import db
from tasks.cli.demo import demo
from tasks.cli.doctor import doctor
from tasks.cli.erase import erase
from tasks.cli.failures import discard, failed, purge, resend
from tasks.cli.keys import keys
from tasks.cli.leftovers import leftovers
from tasks.cli.licence.group import licence
from tasks.cli.limit import limit
from tasks.cli.operator import operator_option
from tasks.cli.replies import collect, replies
from tasks.cli.status import status


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@operator_option
def main() -> None:
    """Connect i-Reserve with Mattermost, and look after it.

    Settings come from the environment; see the README for each. Every command takes --json. Exit
    code 0: fine; 1: something is wrong; 2: the command was called wrongly.
    """


COMMANDS = (
    licence, doctor, status, conversation, failed, resend, discard, purge, limit, replies, collect,
    erase, leftovers, db, keys, demo,
)  # fmt: skip

for command in COMMANDS:
    main.add_command(command)
