"""``doctor``: find out what is wrong, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import IO

import click

from tasks.checks.check import State, worst
from tasks.checks.licence import CheckContext
from tasks.cli import findings as told
from tasks.cli.command import wants_json
from tasks.cli.examination import Examination, Finding, examine_installation, licence_ids
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.licence.registration import no_licence
from tasks.cli.output import is_read_by_people, progress, show
from tasks.cli.tables import Rows
from tasks.mattermost.exchange import Stopping
from tasks.runtime import connect

# For more licences than this, only what is wrong is shown.
MANY_LICENCES = 10
# When the doctor is interrupted, this is the time in which its test posts are removed.
CLEAN_UP_S = 5.0


def doctor(
    licence_id: str | None,
    round_trip: bool,
    callback_url: str | None,
    admin_token_file: IO[str] | None,
    summary: bool | None,
) -> None:
    """Find out what is wrong, and how to correct it."""
    if admin_token_file is not None and licence_id is None:
        raise click.UsageError("--admin-token-file needs a LICENCE, whose server it is for")
    parts = Installation()
    admin_token = admin_token_file.read().strip() if admin_token_file else None
    context = _check_context(parts, admin_token, callback_url, round_trip=round_trip)
    findings = [Finding(None, check) for check in examine_installation(parts)]
    ids = _chosen(licence_ids(parts.database), licence_id)
    findings += _examine(Examination(parts.database, context), ids)
    if summary is None:
        summary = len(ids) > MANY_LICENCES and not wants_json()
    _show(findings, ids, summary=summary)


def _check_context(
    parts: Installation, admin_token: str | None, callback_url: str | None, *, round_trip: bool
) -> CheckContext:
    settings, stopping = parts.settings, Stopping(grace_s=CLEAN_UP_S)
    return CheckContext(
        settings=settings,
        keyring=parts.keyring,
        connect=lambda url, token: connect(settings, url, token, stopping=stopping),
        redis=parts.redis,
        admin_token=admin_token,
        callback_url=callback_url,
        round_trip=round_trip,
        stopping=stopping,
    )


def _chosen(ids: list[str] | None, licence_id: str | None) -> list[str]:
    """Return the licences to check; ``ids`` is None if the database does not answer."""
    if ids is None:
        return []
    if licence_id is not None and licence_id not in ids:
        raise no_licence(licence_id)
    return ids if licence_id is None else [licence_id]


def _examine(examination: Examination, ids: Sequence[str]) -> list[Finding]:
    found: list[Finding] = []
    done = 0
    with (
        on_interrupt(lambda: f"licences looked at: {done} of {len(ids)}; no test post is left."),
        examination.of(ids) as results,
        progress() as bar,
    ):
        for licence_id, checks in bar.track(results, total=len(ids), description="Licences"):
            found += [Finding(licence_id, check) for check in checks]
            done += 1
    return found


def _show(findings: Sequence[Finding], ids: Sequence[str], *, summary: bool) -> None:
    state = worst(finding.check for finding in findings)
    totals = told.totals(findings, ids)
    shown = [each for each in findings if told.is_wrong(each)] if summary else findings
    show(
        {"state": state.value, "totals": totals, "checks": [told.data_of(each) for each in shown]},
        *_lines(findings, summary=summary),
        "",
        told.totals_sentence(totals),
    )
    sys.exit(1 if state is State.FAIL else 0)


def _lines(findings: Sequence[Finding], *, summary: bool) -> Sequence[str | Rows]:
    if summary:
        return told.in_short(findings)
    return told.by_licence(findings) if is_read_by_people() else told.in_lines(findings)
