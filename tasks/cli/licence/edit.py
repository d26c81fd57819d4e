"""``licence edit``: try the given settings, and store them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any

import click

from models import Licence, Names, Receipts, ReplyMode
from tasks.checks.check import Check, warned
from tasks.cli.installation import Installation
from tasks.cli.licence.registration import require_licence, try_registration
from tasks.cli.licence.replying import require_usable_prefixes, store
from tasks.cli.licence.speaking import check_on_server
from tasks.cli.operator import log_change
from tasks.cli.output import check_data, checks_table, licence_data, show
from tasks.licences.registration import Found, Registration, RegistrationError, store_licence


def edit(
    licence_id: str,
    url: str | None,
    team: str | None,
    channel: str | None,
    token_file: IO[str] | None,
    mention: str | None,
    no_mention: bool,
    names: Names | None,
    note_prefixes: str | None,
    reply_mode: ReplyMode | None,
    reply_prefixes: str | None,
    reply_pause_s: int | None,
    receipts: Receipts | None,
    hints: bool | None,
    language: str | None,
    time_zone: str | None,
) -> None:
    """Change the given settings of LICENCE, and no others."""
    places = {"url": url, "team": team, "channel": channel}
    token = token_file.read().strip() if token_file is not None else None
    if mention and no_mention:
        raise click.UsageError("give either --mention or --no-mention")
    settings = {
        "mention": "" if no_mention else mention,
        "names": names,
        "note_prefixes": note_prefixes,
        "reply_mode": reply_mode,
        "reply_prefixes": reply_prefixes,
        "reply_pause_s": reply_pause_s,
        "receipts": receipts,
        "hints": hints,
        "language": language,
        "time_zone": time_zone,
    }
    if token is None and {*settings.values(), *places.values()} == {None}:
        raise click.UsageError("say what to change: see --help")
    parts = Installation()
    require_usable_prefixes(parts, licence_id, settings)
    checks: list[Check] = []
    if token is not None or any(place is not None for place in places.values()):
        checks = _move(parts, licence_id, places, token)
    licence = _change(parts, licence_id, settings)
    given = {**places, "token": token, **settings}
    log_change(
        "licence edit",
        licence=licence_id,
        settings=sorted(name for name, value in given.items() if value is not None),
    )
    if checks or mention or names:
        checks += check_on_server(parts, licence)
    show(
        {"licence": licence_data(licence), "checks": [check_data(check) for check in checks]},
        *([checks_table(checks)] if checks else []),
        f"Licence {licence.id} is changed.",
        *_hints(licence.id, places),
    )


def _move(
    parts: Installation, licence_id: str, places: dict[str, str | None], token: str | None
) -> list[Check]:
    """Try the licence with its new server, team, channel or token, and store them."""
    with parts.database.snapshot() as session:
        licence = require_licence(session, licence_id)
    registration = Registration(
        licence_id,
        places["url"] or licence.server_url,
        places["team"] or licence.team_name,
        places["channel"] or licence.default_channel_name,
        token or parts.keyring().decrypt(licence.bot_token_encrypted),
    )
    checks, found = try_registration(parts, registration)
    if found is None:
        show(
            {"licence": None, "checks": [check_data(check) for check in checks]},
            checks_table(checks),
            "Nothing was changed.",
        )
        sys.exit(1)
    if found.bot.id != licence.bot_user_id:
        checks.append(_other_bot(licence, found))
    with parts.database.transaction() as session:
        if session.get(Licence, licence_id) is None:
            raise RegistrationError(f"the licence {licence_id!r} was removed meanwhile")
        store_licence(session, registration, found=found, keyring=parts.keyring())
    return checks


def _other_bot(licence: Licence, found: Found) -> Check:
    """Return the warning that the new token is another bot's."""
    return warned(
        "other bot",
        f"@{found.bot.username} posts from now on, in the place of @{licence.bot_username}: what "
        "that one writes in a thread counts as a reply from now on",
        "If it was a mistake, give the token of the bot before again: --token-file.",
    )


def _change(parts: Installation, licence_id: str, settings: Mapping[str, Any]) -> Licence:
    with parts.database.transaction() as session:
        licence = require_licence(session, licence_id)
        store(session, licence, settings)
    return licence


def _hints(licence_id: str, places: dict[str, str | None]) -> list[str]:
    hints = []
    if places["url"] or places["team"]:
        hints.append(
            "Notification types keep their old channels: map each again with "
            f"ireserve-mattermost licence notify {licence_id} TYPE CHANNEL."
        )
    if any(places.values()):
        hints.append(
            "The outgoing webhook belongs to the old channel: see ireserve-mattermost doctor "
            f"{licence_id}."
        )
    return hints
