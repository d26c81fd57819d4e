"""The command ``ireserve-mattermost``: its own options, and all of its commands."""

from __future__ import annotations

from pathlib import Path

import click

from env_file import EnvFileError, load_env_file
from tasks.cli.command import Group, OperatorError
from tasks.cli.commands.installation import db, demo, doctor, keys, status
from tasks.cli.commands.licence import licence
from tasks.cli.commands.messages import discard, failed, limit, purge, resend
from tasks.cli.commands.privacy import conversation, erase, leftovers
from tasks.cli.commands.processes import alive, run
from tasks.cli.commands.replies import collect, replies
from tasks.cli.options import operator_option

DISTRIBUTION = "ireserve-mattermost"


def _load(_: click.Context, __: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        load_env_file(path)
    except EnvFileError as error:
        raise OperatorError(str(error)) from None


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION, message="%(package)s %(version)s")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    envvar="IRESERVE_MATTERMOST_ENV_FILE",
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_load,
    help="Read settings from FILE, which override the environment. The default is the file that "
    "IRESERVE_MATTERMOST_ENV_FILE names.",
)
@operator_option
def main() -> None:
    """Connect i-Reserve with Mattermost, and operate the connection.

    Settings come from the environment or from a file; docs/settings.md lists them. Every command
    takes --json. Exit code 0: fine; 1: something is wrong; 2: the command was called wrongly; 130:
    Ctrl-C.
    """


COMMANDS = (
    licence, doctor, status, conversation, failed, resend, discard, purge, limit, replies, collect,
    erase, leftovers, db, keys, alive, run, demo,
)  # fmt: skip

for command in COMMANDS:
    main.add_command(command)
