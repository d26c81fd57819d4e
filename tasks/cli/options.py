"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

import click

from tasks.cli.moments import MOMENT

# As many lines as an operator reads. The newest are shown, since they tell the present state.
DEFAULT_LIMIT = 50
OPERATOR_VARIABLE = "IRESERVE_MATTERMOST_OPERATOR"
_OPERATOR = "tasks.cli.operator"

# In each command the first argument names the licence.
licence_argument = click.argument("licence_id", metavar="LICENCE")
licence_if_given = click.argument("licence_id", metavar="[LICENCE]", required=False)

limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Show at most this many, newest last.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
since_option = click.option(
    "--since", type=MOMENT, help="Only what failed since then: 30m, 2h, 7d, or 2026-08-31T12:00."
)


class Word(click.Choice[str]):
    """One of many words: the help lists them once, and an error suggests the nearest word."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the word."""
        if value not in self.choices:
            near = get_close_matches(str(value), self.choices, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            self.fail(f"there is no {value!r}. {hint}There are: {listed(self.choices)}", param, ctx)
        return str(value)


def listed(words: Sequence[str]) -> str:
    """Return the words as a list within a sentence."""
    return f"{', '.join(words)}."


def reason_option(reasons: Sequence[str]) -> Callable[..., Any]:
    """Return the option ``--reason``, which takes one of these words."""
    words = sorted(reasons)
    return click.option(
        "--reason",
        type=Word(words),
        metavar="REASON",
        help=f"Only this reason, one of: {listed(words)}",
    )


def _remember(ctx: click.Context, _: click.Parameter, name: str | None) -> None:
    ctx.meta[_OPERATOR] = name


operator_option = click.option(
    "--operator",
    envvar=OPERATOR_VARIABLE,
    metavar="NAME",
    callback=_remember,
    expose_value=False,
    help="Your name, for the log of changes. The default is the account that you logged in with.",
)


def given_operator() -> str | None:
    """Return the operator's name as given with ``--operator``; None: it was not given."""
    ctx = click.get_current_context(silent=True)
    return None if ctx is None else ctx.meta.get(_OPERATOR)
