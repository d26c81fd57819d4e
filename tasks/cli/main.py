"""The command ``ireserve-mattermost`` and what belongs to it."""

from __future__ import annotations

from pathlib import Path

import click

from env_file import EnvFileError, load_env_file
from tasks.cli.alive import alive
from tasks.cli.command import Group, OperatorError
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
from tasks.cli.run import run
from tasks.cli.status import status


def _load(_: click.Context, __: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        load_env_file(path)
    except EnvFileError as error:
        raise OperatorError(str(error)) from None


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    envvar="IRESERVE_MATTERMOST_ENV_FILE",
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_load,
    help="Read settings from FILE (or from that which IRESERVE_MATTERMOST_ENV_FILE names). They "
    "count more than the environment's.",
)
@operator_option
def main() -> None:
    """Connect i-Reserve with Mattermost, and look after it.

    Settings come from the environment or from a file; see the README for each. Every command
    takes --json. Exit code 0: fine; 1: something is wrong; 2: the command was called wrongly.
    """


COMMANDS = (
    licence, doctor, status, conversation, failed, resend, discard, purge, limit, replies, collect,
    erase, leftovers, db, keys, alive, run, demo,
)  # fmt: skip

for command in COMMANDS:
    main.add_command(command)
