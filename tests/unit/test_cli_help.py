"""The command line's help is complete, and the docs have it word for word."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from ireserve_mattermost.lanes import MAX_WAITING
from models import Names, Receipts, ReplyMode
from models.licence import DEFAULT_REPLY_PREFIXES, MAX_REPLY_PAUSE_S
from tasks.attachments import AttachmentReason
from tasks.cli import main, words
from tasks.cli.command import Command
from tasks.failures import OwnReason
from tasks.mattermost import Reason
from tasks.rendering import Language
from tasks.replies.backoff import PAUSED
from tasks.replies.cures import cure_of_reply
from tasks.replies.meaning import Ignored

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "command-line.md"
NAME = "ireserve-mattermost"
# The default width of a terminal.
WIDTH = 80


def commands(
    command: click.Command, parent: click.Context | None = None, name: str = NAME
) -> Iterator[click.Context]:
    """Yield a context for the command and each command below it."""
    ctx = click.Context(
        command, parent=parent, info_name=name, terminal_width=WIDTH, **command.context_settings
    )
    yield ctx
    if isinstance(command, click.Group):
        for below in command.list_commands(ctx):
            found = command.get_command(ctx, below)
            assert found is not None
            yield from commands(found, ctx, below)


def leaves() -> list[click.Context]:
    """Return the commands that are not groups."""
    return [ctx for ctx in commands(main) if not isinstance(ctx.command, click.Group)]


@pytest.mark.parametrize("ctx", list(commands(main)), ids=lambda ctx: ctx.command_path)
def test_help_stands_in_the_docs(ctx: click.Context) -> None:
    """docs/command-line.md has the help text of each command, word for word."""
    text = ctx.command.get_help(ctx)

    assert f"```text\n{text}\n```" in PAGE.read_text(), text


@pytest.mark.parametrize("ctx", list(commands(main)), ids=lambda ctx: ctx.command_path)
def test_each_line_of_a_list_of_commands_is_whole(ctx: click.Context) -> None:
    """The list of commands describes each command without cutting the text off."""
    assert "..." not in ctx.command.get_short_help_str(limit=WIDTH - 16)


@pytest.mark.parametrize("ctx", leaves(), ids=lambda ctx: ctx.command_path)
def test_every_command_and_option_is_explained(ctx: click.Context) -> None:
    """Each command has --json, and each command and option has a help text."""
    options = [each for each in ctx.command.params if isinstance(each, click.Option)]

    assert ctx.command.help
    assert [each.name for each in options if not each.help] == []
    assert "--json" in {name for each in options for name in each.opts}


@pytest.mark.parametrize("ctx", leaves(), ids=lambda ctx: ctx.command_path)
def test_what_is_declared_is_what_is_handed_over(ctx: click.Context) -> None:
    """Each command's function takes exactly its declared arguments and options."""
    assert isinstance(ctx.command, Command)
    declared = {each.name for each in ctx.command.params if each.expose_value}

    assert set(inspect.signature(ctx.command.function()).parameters) == declared


@pytest.mark.parametrize("ctx", leaves(), ids=lambda ctx: ctx.command_path)
def test_licence_is_named_by_the_first_argument_everywhere(ctx: click.Context) -> None:
    """The licence is the first argument of every command that takes a licence."""
    arguments = [each.name for each in ctx.command.params if isinstance(each, click.Argument)]
    options = {name for each in ctx.command.params for name in each.opts}

    assert arguments.index("licence_id") == 0 if "licence_id" in arguments else True
    assert "--licence" not in options


@pytest.mark.parametrize(
    ("here", "there"),
    [
        pytest.param(words.NAMES, [each.value for each in Names], id="names"),
        pytest.param(words.LANGUAGES, [each.value for each in Language], id="languages"),
        pytest.param(words.REPLY_MODES, [each.value for each in ReplyMode], id="reply modes"),
        pytest.param(words.RECEIPTS, [each.value for each in Receipts], id="receipts"),
        pytest.param(words.REASONS, [each.value for each in (*Reason, *OwnReason)], id="reasons"),
    ],
)
def test_words_of_help_are_those_that_are_stored(here: Sequence[str], there: list[str]) -> None:
    """The command line's own lists of words, which need no slow import, equal the stored values."""
    assert sorted(here) == sorted(there)


def test_numbers_of_help_are_those_that_hold() -> None:
    """The command line's own numbers, which need no slow import, equal the real limits."""
    assert words.MAX_WAITING == MAX_WAITING
    assert words.MAX_REPLY_PAUSE_S == MAX_REPLY_PAUSE_S
    assert words.DEFAULT_REPLY_PREFIXES == DEFAULT_REPLY_PREFIXES


def test_replies_are_found_by_each_reason_that_has_a_cure() -> None:
    """``replies --reason`` offers each reason for which a reply has a cure, and no other."""
    kinds: tuple[type[StrEnum], ...] = (Reason, OwnReason, Ignored, AttachmentReason)
    known = {PAUSED, *(each.value for kind in kinds for each in kind)}

    assert sorted(words.REPLY_REASONS) == sorted(filter(cure_of_reply, known))


PROBE = """
import json, sys
from tasks.cli import main
for words in json.loads(sys.argv[1]):
    main(words, prog_name="x", standalone_mode=False)
heavy = ("celery", "sqlalchemy", "requests", "rich", "pydantic", "redis", "models", "settings")
print(json.dumps([name for name in heavy if name in sys.modules]))
"""


def test_help_and_version_import_nothing_heavy() -> None:
    """Help and version import no slow module, such as Celery, SQLAlchemy or the settings."""
    asked = [[*ctx.command_path.split()[1:], "--help"] for ctx in commands(main)]

    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps([*asked, ["--version"]])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert re.search(rf"^{NAME} {re.escape(version(NAME))}$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("words", [["--help"], ["licence", "add", "-h"]], ids=" ".join)
def test_module_is_the_command_too(words: list[str]) -> None:
    """``python -m tasks.cli`` runs the command, and its help shows the command's name."""
    done = subprocess.run(
        [sys.executable, "-m", "tasks.cli", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {NAME}")
