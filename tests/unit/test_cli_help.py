"""The command line's help, which is complete and stands in the docs as it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tasks.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "command-line.md"
NAME = "ireserve-mattermost"
# As wide as a terminal is when nobody has made it wider.
WIDTH = 80


def commands(
    command: click.Command, parent: click.Context | None = None, name: str = NAME
) -> Iterator[click.Context]:
    """Yield a context for the command and for each one below it."""
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
    """Return the commands that do something, not the groups."""
    return [ctx for ctx in commands(main) if not isinstance(ctx.command, click.Group)]


@pytest.mark.parametrize("ctx", list(commands(main)), ids=lambda ctx: ctx.command_path)
def test_help_stands_in_the_docs(ctx: click.Context) -> None:
    """The page has each help text word for word; a changed one is copied there."""
    text = ctx.command.get_help(ctx)

    assert f"```text\n{text}\n```" in PAGE.read_text(), text


@pytest.mark.parametrize("ctx", list(commands(main)), ids=lambda ctx: ctx.command_path)
def test_each_line_of_a_list_of_commands_is_whole(ctx: click.Context) -> None:
    """A list of commands says of each what it does, and breaks nothing off."""
    assert "..." not in ctx.command.get_short_help_str(limit=WIDTH - 16)


@pytest.mark.parametrize("ctx", leaves(), ids=lambda ctx: ctx.command_path)
def test_every_command_and_option_is_explained(ctx: click.Context) -> None:
    """No command without a sentence, no option without a help text, and --json everywhere."""
    options = [each for each in ctx.command.params if isinstance(each, click.Option)]

    assert ctx.command.help
    assert [each.name for each in options if not each.help] == []
    assert "--json" in {name for each in options for name in each.opts}


@pytest.mark.parametrize("words", [["--help"], ["licence", "add", "-h"]], ids=" ".join)
def test_module_is_the_command_too(words: list[str]) -> None:
    """It can be run where the script is not installed, and under the same name."""
    done = subprocess.run(
        [sys.executable, "-m", "tasks.cli", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {NAME}")
