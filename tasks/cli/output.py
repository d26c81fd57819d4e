"""The output of commands: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from models import Licence
from tasks.checks.check import Check, State
from tasks.cli.command import wants_json
from tasks.cli.tables import Rows, table

# A file or a pipe has no width. Each row is one line, however long, so that it can be searched.
UNLIMITED_WIDTH = 100_000

_STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red", State.SKIP: "dim"}


def show(data: Mapping[str, Any], *lines: str | Rows) -> None:
    """Print the data as JSON if --json was given, the lines otherwise."""
    if wants_json():
        click.echo(json.dumps(data, indent=2, default=_json_form, ensure_ascii=False))
        return
    console = _console()
    with console.capture() as captured:
        for line in lines:
            console.print(*([line] if isinstance(line, str) else line.shown(console)), sep="\n")
    # Cells are filled up with blanks, which are of no use in a file or a pipe.
    for row in captured.get().splitlines():
        click.echo(row if console.is_terminal else row.rstrip())


def _json_form(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def is_read_by_people() -> bool:
    """Return whether the output goes to a terminal."""
    return sys.stdout.isatty()


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else UNLIMITED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def counted(number: int, noun: str) -> str:
    """Return the number with its noun, in singular or plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def named(check: Check, licence_id: str) -> Check:
    """Return the check with the licence's id in its commands, so that they can be copied."""
    sentence, cure = (each.replace("LICENCE", licence_id) for each in (check.sentence, check.cure))
    return replace(check, sentence=sentence, cure=cure)


def check_row(check: Check) -> tuple[Text, str, str]:
    """Return a check as a row: state, name, and the sentence with its cure."""
    sentence = f"{check.sentence}. {check.cure}" if check.cure else check.sentence
    return Text(check.state.value, style=_STYLES[check.state]), check.name, sentence


def checks_table(checks: Iterable[Check]) -> Rows:
    """Return a table of checks, one in each row."""
    return table(("state", "check", "finding"), map(check_row, checks))


def check_data(check: Check) -> dict[str, str]:
    """Return a check as data for JSON."""
    return {
        "name": check.name,
        "state": check.state.value,
        "sentence": check.sentence,
        "cure": check.cure,
    }


def licence_data(licence: Licence) -> dict[str, Any]:
    """Return a licence as data for JSON, without its secrets."""
    return {
        "id": licence.id,
        "enabled": licence.enabled,
        "server_url": licence.server_url,
        "team": licence.team_name,
        "channel": licence.default_channel_name,
        "bot": licence.bot_username,
        "mention": licence.mention,
        "names": licence.names.value,
        "note_prefixes": licence.note_prefixes,
        "reply_mode": licence.reply_mode,
        "reply_prefixes": licence.reply_prefixes,
        "reply_pause_s": licence.reply_pause_s,
        "receipts": licence.receipts,
        "hints": licence.hints,
        "language": licence.language,
        "time_zone": licence.time_zone,
        "server_version": licence.server_version,
        "collapsed_threads": licence.collapsed_threads,
        "max_post_size": licence.max_post_size,
        "max_file_size_bytes": licence.max_file_size_bytes,
    }


def progress() -> Progress:
    """Return a progress bar on standard error, which is shown only on a terminal."""
    console = _console(stderr=True)
    return Progress(console=console, disable=wants_json() or not console.is_terminal)
