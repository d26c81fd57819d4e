"""``limit``: how many messages may wait for one licence."""

from __future__ import annotations

import click

from ireserve_mattermost.lanes import MAX_WAITING
from tasks.cli.installation import Installation
from tasks.cli.operator import log_change
from tasks.cli.output import show
from tasks.licences.waiting_limit import read_limit, set_limit


def limit(messages: int | None, to_default: bool) -> None:
    """Show or set how many messages may wait for one licence."""
    if messages is not None and to_default:
        raise click.UsageError("give either a number or --default")
    redis = Installation().redis
    if messages is not None or to_default:
        set_limit(redis, messages)
        log_change("limit", messages=messages or MAX_WAITING)
    found = read_limit(redis)
    show(
        {"limit": found, "is_default": found == MAX_WAITING},
        f"At most {found} messages may wait for one licence.",
    )
