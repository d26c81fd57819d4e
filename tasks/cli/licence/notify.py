"""``licence notify``: map types of notifications to channels."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from models import Licence
from models.licence import NOTIFICATION_TYPE_LENGTH
from tasks.checks.bot import find_named_channel
from tasks.cli.installation import Installation
from tasks.cli.licence.registration import require_licence
from tasks.cli.operator import log_change
from tasks.cli.output import show
from tasks.cli.tables import table
from tasks.licences.registration import (
    RegistrationError,
    map_notification,
    switch_notification_off,
)


def notify(
    licence_id: str,
    notification_type: str | None,
    channel: str | None,
    off: bool,
    as_list: bool,
) -> None:
    """Map a type of notification to a channel."""
    parts = Installation()
    if as_list:
        if notification_type is not None or off:
            raise click.UsageError("--list takes the licence alone")
        _list(parts, licence_id)
        return
    if notification_type is None or off == bool(channel):
        raise click.UsageError("give a type, and either a channel or --off; or --list")
    if len(notification_type) > NOTIFICATION_TYPE_LENGTH:
        raise click.UsageError(f"a type has at most {NOTIFICATION_TYPE_LENGTH} characters")
    with parts.database.transaction() as session:
        licence = require_licence(session, licence_id)
        if channel is None:
            switch_notification_off(session, licence, notification_type)
    name = None if channel is None else _map(parts, licence, notification_type, channel)
    log_change("licence notify", licence=licence_id, type=notification_type, enabled=not off)
    show(
        {"licence": licence_id, "type": notification_type, "channel": name, "enabled": not off},
        f"{notification_type}: {'off' if name is None else '~' + name}",
    )


def _map(parts: Installation, licence: Licence, notification_type: str, name: str) -> str:
    token = parts.keyring().decrypt(licence.bot_token_encrypted)
    client = parts.connect(licence.server_url, token)
    found, check = find_named_channel(
        client, licence.team_name, name, bot_username=licence.bot_username
    )
    if found is None:
        raise RegistrationError(f"{check.name}: {check.sentence}. {check.cure}")
    # The request to Mattermost was outside of this transaction, which on SQLite stops all writers.
    with parts.database.transaction() as session:
        stored = require_licence(session, licence.id)
        map_notification(session, stored, notification_type, channel=found)
    return found.name


def _list(parts: Installation, licence_id: str) -> None:
    with parts.database.snapshot() as session:
        targets = list_targets(session, licence_id)
    rows = [(each["type"], f"~{each['channel']}" if each["enabled"] else "off") for each in targets]
    show(
        {"licence": licence_id, "notifications": targets},
        table(("type", "channel"), rows) if rows else "All types go to the default channel.",
    )


def list_targets(session: Session, licence_id: str) -> list[dict[str, object]]:
    """Return the licence's mapped types in order, each with its channel."""
    channels = require_licence(session, licence_id).notification_channels
    return [
        {"type": each.notification_type, "channel": each.channel_name, "enabled": each.enabled}
        for each in sorted(channels, key=lambda each: each.notification_type)
    ]
