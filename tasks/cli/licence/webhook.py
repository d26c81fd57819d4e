"""``licence webhook``: the tokens of a licence's outgoing webhooks."""

from __future__ import annotations

from typing import IO

import click
from sqlalchemy.orm import Session

from tasks.cli.command import read_secret
from tasks.cli.installation import Installation
from tasks.cli.operator import log_change
from tasks.cli.output import show
from tasks.replies.webhook_tokens import add_token, finish_rotation, forget_token


def webhook(licence_id: str, token_file: IO[str] | None, finish: bool, forget: bool) -> None:
    """Accept the token of an outgoing webhook."""
    if finish and (forget or token_file):
        raise click.UsageError("--finish takes no token")
    token = "" if finish else read_secret(token_file, "Webhook token")
    with Installation().database.transaction() as session:
        if finish:
            done, count = "tokens removed", finish_rotation(session, licence_id)
        else:
            done, count = _take(session, licence_id, token, forget=forget)
    log_change("licence webhook", licence=licence_id, done=done, tokens=count)
    text = f"{done}: {count}" if finish else done
    show({"licence": licence_id, "done": done, "tokens": count}, f"Licence {licence_id}: {text}.")


def _take(session: Session, licence_id: str, token: str, *, forget: bool) -> tuple[str, int]:
    if not forget:
        add_token(session, licence_id, token=token)
        return "token accepted from now on", 1
    known = forget_token(session, licence_id, token=token)
    return ("token removed", 1) if known else ("the token was not known", 0)
