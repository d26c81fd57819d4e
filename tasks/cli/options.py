"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

# As many as one reads; the newest, for they say how it is now.
DEFAULT_LIMIT = 50

limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Show at most this many, the newest last.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def reason_option(cure_of: Callable[[str], str]) -> Callable[..., Any]:
    """Return ``--reason``, which takes the words that have a cure."""

    def check(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is not None and not cure_of(value):
            raise click.BadParameter("there is no such reason; docs/reference.md lists them")
        return value

    help_text = "Only this reason, such as token_rejected."
    return click.option("--reason", callback=check, help=help_text)
