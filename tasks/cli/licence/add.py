"""``licence add``: try server, token, team and channel, store the licence, show what to do next."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import click

from models import Licence, Names, Receipts, ReplyMode
from tasks.checks.check import Check
from tasks.cli.command import read_secret
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.licence.registration import try_registration
from tasks.cli.licence.reply_webhook import PUBLIC, ensure_webhook, webhook_fields
from tasks.cli.licence.replying import require_usable_prefixes, store
from tasks.cli.licence.speaking import UNTOLD, check_on_server
from tasks.cli.operator import log_change
from tasks.cli.output import check_data, checks_table, licence_data, show
from tasks.licences.registration import Found, Registration, store_licence
from tasks.mattermost import OutgoingWebhook
from tasks.replies.webhook_tokens import add_token

_IF_INTERRUPTED = (
    "The licence may not be stored, and its webhook may be in Mattermost already: run it again, "
    "and it is taken as it is."
)


def add(
    licence_id: str,
    url: str,
    team: str,
    channel: str,
    token_file: IO[str] | None,
    admin_token_file: IO[str] | None,
    callback_url: str | None,
    mention: str | None,
    names: Names | None,
    reply_mode: ReplyMode | None,
    reply_prefixes: str | None,
    reply_pause_s: int | None,
    receipts: Receipts | None,
    hints: bool | None,
    language: str | None,
    time_zone: str | None,
) -> None:
    """Register LICENCE, or bring it up to date."""
    if admin_token_file is not None and callback_url is None:
        raise click.UsageError("--admin-token-file needs --callback-url")
    parts = Installation()
    settings = {
        "mention": mention,
        "names": names,
        "reply_mode": reply_mode,
        "reply_prefixes": reply_prefixes,
        "reply_pause_s": reply_pause_s,
        "receipts": receipts,
        "hints": hints,
        "language": language,
        "time_zone": time_zone,
    }
    require_usable_prefixes(parts, licence_id, settings)
    registration = Registration(
        licence_id, url, team, channel, read_secret(token_file, "Bot token")
    )
    checks, found = try_registration(parts, registration)
    if found is None:
        _refuse(checks)
        return
    admin_token = admin_token_file.read().strip() if admin_token_file is not None else None
    with on_interrupt(lambda: _IF_INTERRUPTED):
        hook = _webhook(parts, registration, found, admin_token, callback_url)
        licence = _store(parts, registration, found, hook, settings)
    log_change("licence add", licence=licence_id, webhook=hook is not None)
    checks += check_on_server(parts, licence)
    _show(checks, licence, _WayBack(found, callback_url, hook))


@dataclass(frozen=True, slots=True)
class _WayBack:
    """How replies will come: the webhook, if this command made it, or what is left to do."""

    found: Found
    callback_url: str | None
    hook: OutgoingWebhook | None

    @property
    def state(self) -> str:
        if self.found.channel.type != PUBLIC:
            return "catch_up"
        return "to_do" if self.hook is None else "ready"

    def fields(self) -> dict[str, str]:
        return (
            webhook_fields(self.found.channel, self.callback_url) if self.state == "to_do" else {}
        )


def _refuse(checks: Sequence[Check]) -> None:
    show(
        {"licence": None, "checks": [check_data(check) for check in checks]},
        checks_table(checks),
        "Nothing was stored.",
    )
    sys.exit(1)


def _webhook(
    parts: Installation,
    registration: Registration,
    found: Found,
    admin_token: str | None,
    callback_url: str | None,
) -> OutgoingWebhook | None:
    if admin_token is None or callback_url is None or found.channel.type != PUBLIC:
        return None
    admin = parts.connect(registration.server_url, admin_token)
    return ensure_webhook(admin, found.channel, callback_url=callback_url)


def _store(
    parts: Installation,
    registration: Registration,
    found: Found,
    hook: OutgoingWebhook | None,
    settings: Mapping[str, Any],
) -> Licence:
    with parts.database.transaction() as session:
        licence = store_licence(session, registration, found=found, keyring=parts.keyring())
        licence.enabled = True
        store(session, licence, settings)
        if hook is not None:
            add_token(session, licence.id, token=hook.token)
    return licence


def _show(checks: Sequence[Check], licence: Licence, way_back: _WayBack) -> None:
    webhook: dict[str, Any] = {
        "state": way_back.state,
        "id": way_back.hook.id if way_back.hook is not None else None,
        "fields": way_back.fields(),
    }
    steps = _next(licence, way_back)
    show(
        {
            "licence": licence_data(licence),
            "checks": [check_data(check) for check in checks],
            "webhook": webhook,
            "next": steps,
        },
        checks_table(checks),
        "",
        f"Licence {licence.id}: @{licence.bot_username} posts to "
        f"~{licence.default_channel_name} in team {licence.team_name}.",
        "",
        "What to do next:",
        *[f"- {step}" for step in steps],
    )


def _next(licence: Licence, way_back: _WayBack) -> list[str]:
    return [
        *_steps_of_webhook(licence.id, way_back),
        *([] if licence.mention else [UNTOLD.format(licence_id=licence.id)]),
        "For each type of notification with a channel of its own: "
        f"ireserve-mattermost licence notify {licence.id} TYPE CHANNEL",
        f"Look whether all is well: ireserve-mattermost doctor {licence.id}"
        + (" --round-trip" if way_back.state != "catch_up" else ""),
    ]


def _steps_of_webhook(licence_id: str, way_back: _WayBack) -> list[str]:
    if way_back.state == "catch_up":
        return [
            "Nothing for replies: the channel is private, for which Mattermost calls no webhook; "
            "they come by catch-up. Start beat."
        ]
    if way_back.hook is not None:
        return [f"Nothing for replies: the webhook {way_back.hook.id} is there, its token stored."]
    fields = "; ".join(f"{label}: {value}" for label, value in way_back.fields().items())
    return [
        "For replies make the webhook in Mattermost, Integrations > Outgoing Webhooks > Add "
        f"Outgoing Webhook: {fields}",
        f"Then give its token: ireserve-mattermost licence webhook {licence_id}",
    ]
