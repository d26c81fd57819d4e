"""``licence list``, ``show``, ``disable``, ``enable`` and ``remove``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Licence, WebhookToken
from tasks.cli.command import confirm
from tasks.cli.erase import places_of
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.licence.notify import list_targets
from tasks.cli.licence.registration import require_licence
from tasks.cli.operator import log_change
from tasks.cli.output import licence_data, show
from tasks.cli.tables import cell_text, table
from tasks.privacy.erasure import count_licence, erase_licence
from tasks.watch.tallies import Tallies


def list_licences() -> None:
    """List all licences."""
    with Installation().database.snapshot() as session:
        found = [
            licence_data(each) for each in session.scalars(select(Licence).order_by(Licence.id))
        ]
    columns = ("id", "enabled", "server_url", "team", "channel", "bot")
    rows = table(columns, [[each[column] for column in columns] for each in found])
    show({"licences": found}, rows if found else "No licence yet: see licence add.")


def show_licence(licence_id: str) -> None:
    """Show what is stored for LICENCE, except its secrets."""
    with Installation().database.snapshot() as session:
        data = _details(session, licence_id)
    targets = [
        f"{each['type']}: {'~' + each['channel'] if each['enabled'] else 'off'}"
        for each in data["notifications"]
    ]
    rows = [(name, cell_text(value)) for name, value in data.items() if name != "notifications"]
    rows.append(("notifications", ", ".join(targets) or "all to the default channel"))
    show({"licence": data}, table(("", ""), rows))


def _details(session: Session, licence_id: str) -> dict[str, Any]:
    stored = require_licence(session, licence_id)
    own = WebhookToken.licence_id == licence_id
    return {
        **licence_data(stored),
        "webhook_tokens": session.scalar(select(func.count()).select_from(WebhookToken).where(own)),
        "notifications": list_targets(session, licence_id),
        "created_at": stored.created_at,
        "updated_at": stored.updated_at,
    }


def disable(licence_id: str) -> None:
    """Stop LICENCE."""
    _switch(licence_id, enabled=False)


def enable(licence_id: str) -> None:
    """Start LICENCE again after it was disabled."""
    _switch(licence_id, enabled=True)


def _switch(licence_id: str, *, enabled: bool) -> None:
    with Installation().database.transaction() as session:
        require_licence(session, licence_id).enabled = enabled
    log_change("licence enable" if enabled else "licence disable", licence=licence_id)
    show(
        {"licence": licence_id, "enabled": enabled},
        f"Licence {licence_id} is {'enabled' if enabled else 'disabled'}.",
    )


def remove(licence_id: str, yes: bool) -> None:
    """Remove LICENCE and everything that is stored for it."""
    parts = Installation()
    with parts.database.snapshot() as session:
        require_licence(session, licence_id)
        contents = count_licence(session, licence_id)
    confirm(
        f"Remove licence {licence_id} with {contents.conversations} conversations, "
        f"{contents.replies} replies and {contents.files} files for good?",
        yes=yes,
    )
    with on_interrupt(lambda: f"A part of licence {licence_id} may be gone: run it again."):
        erased = erase_licence(places_of(parts), licence_id)
        Tallies(parts.redis).forget(licence_id)
    log_change("licence remove", licence=licence_id)
    show(
        {"licence": licence_id, **asdict(erased)},
        f"Licence {licence_id} is removed, with {erased.conversations} conversations, "
        f"{erased.replies} replies, {erased.files} files and {erased.waiting} waiting messages.",
    )
