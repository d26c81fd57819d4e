"""``doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import IO

import click
from sqlalchemy.exc import SQLAlchemyError

from tasks.app import app
from tasks.attachments.store import AttachmentStore
from tasks.checks import installation as ours
from tasks.checks.check import Check, State, worst
from tasks.checks.licence import (
    StoredLicence,
    Tools,
    check_licence,
    load_licences,
)
from tasks.checks.store import check_store
from tasks.cli.installation import Installation
from tasks.cli.output import check_data, check_row, named, show
from tasks.cli.tables import table
from tasks.licences.registration import RegistrationError, keep_what_it_says

# What the checks of the installation stand under, among those of the licences.
OURS = "-"


def doctor(
    licence_id: str | None,
    round_trip: bool,
    callback_url: str | None,
    admin_token_file: IO[str] | None,
) -> None:
    """Find out what is wrong, and how to mend it."""
    if admin_token_file is not None and licence_id is None:
        raise click.UsageError("--admin-token-file needs a LICENCE, whose server it is for")
    parts = Installation()
    tools = Tools(
        settings=parts.settings,
        keyring=parts.keyring,
        connect=parts.connect,
        redis=parts.redis,
        admin_token=admin_token_file.read().strip() if admin_token_file else None,
        callback_url=callback_url,
        round_trip=round_trip,
    )
    findings = [(OURS, check) for check in _check_installation(parts)]
    for stored in _stored(parts, licence_id):
        checked = check_licence(stored, tools)
        if checked.config is not None:
            keep_what_it_says(parts.database, stored.licence, checked.config)
        findings += [
            (stored.licence.id, named(check, stored.licence.id)) for check in checked.checks
        ]
    _show(findings)


def _check_installation(parts: Installation) -> list[Check]:
    broker = ours.check_broker(parts.redis, place=parts.settings.redis_label)
    workers = ours.check_workers(app) if broker.state is State.OK else None
    return [
        ours.check_database(parts.database),
        *([ours.check_limits(parts.database)] if parts.database.is_postgresql else []),
        ours.check_keys(parts.database, parts.keyring),
        check_store(AttachmentStore(parts.settings.attachments_url)),
        broker,
        *([workers] if workers else []),
        ours.check_beat(parts.redis),
        ours.check_entries(parts.redis),
    ]


def _stored(parts: Installation, licence_id: str | None) -> list[StoredLicence]:
    try:
        with parts.database.snapshot() as session:
            stored = load_licences(session, licence_id)
    except SQLAlchemyError:
        # The check of the database has said so.
        return []
    if licence_id is not None and not stored:
        raise RegistrationError(
            f"no licence {licence_id!r} is registered: see ireserve-mattermost licence list"
        )
    return stored


def _show(findings: Sequence[tuple[str, Check]]) -> None:
    state = worst(check for _, check in findings)
    rows = []
    for licence_id, check in findings:
        mark, name, sentence = check_row(check)
        rows.append((mark, licence_id, name, sentence))
    show(
        {
            "state": state.value,
            "checks": [
                {"licence": None if whose == OURS else whose, **check_data(check)}
                for whose, check in findings
            ],
        },
        table(("state", "licence", "check", "finding"), rows),
    )
    sys.exit(1 if state is State.FAIL else 0)
