"""The log of operators' changes: one line for each command that has changed something."""

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


def log_change(action: str, **objects: Any) -> None:
    """Log what the running command did to these objects: ids, names of settings, counts.

    The line goes to standard error, as all our logs do, and to the machine's own log, which stays.
    ``operator`` is the name that the operator gave, and ``account`` the account on the machine.
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
    # If the machine has no such log, as in a container, this does nothing.
    syslog.openlog("ireserve-mattermost", facility=syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_INFO, log_line(EVENT, log_format="json", logger=__name__, **fields))


def account_name() -> str:
    """Return the account that the operator logged in with, before any sudo."""
    try:
        return account_before_sudo() or getpass.getuser()
    except (KeyError, OSError):
        # In a container the user often has a number and no name.
        return f"uid {os.getuid()}"
