"""Who did what: one line of the log for each command that has changed something."""

from __future__ import annotations

import getpass
import os
import syslog
from typing import Any

import click

from settings import account_before_sudo, get_settings
from tasks.cli.command import note_change
from tasks.cli.options import given_operator
from tasks.watch.logs import log_line

EVENT = "operator_action"


def changed(action: str, **objects: Any) -> None:
    """Log that the running command did this to these objects: ids, names of settings, counts.

    To standard error, where all our processes log, and to the machine's own log, which stays.
    ``operator`` is who the operator says to be, ``account`` who the machine says it is.
    """
    note_change()
    account = account_name()
    fields = {
        "action": action,
        "operator": given_operator() or account,
        "account": account,
        **objects,
    }
    as_set = log_line(EVENT, log_format=get_settings().log_format, logger=__name__, **fields)
    click.echo(as_set, err=True)
    # Where the machine has no such log, as in a container, this does nothing.
    syslog.openlog("ireserve-mattermost", facility=syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_INFO, log_line(EVENT, log_format="json", logger=__name__, **fields))


def account_name() -> str:
    """Return the account that the operator logged in with, before any sudo."""
    try:
        return account_before_sudo() or getpass.getuser()
    except (KeyError, OSError):
        # A container's user often has a number alone.
        return f"uid {os.getuid()}"
