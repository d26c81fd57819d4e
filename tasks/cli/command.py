"""The command classes of this command line: --json, errors with a cure, and a clean end."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from tasks.cli.interruption import INTERRUPTED, interrupted_by, signals_interrupt

_JSON = "tasks.cli.json"
_CHANGED = "tasks.cli.changed"


class OperatorError(click.ClickException):
    """An error that an operator can correct; it is shown as one line, with exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        # The error is shown after the command's end, when its options are no longer known.
        self._as_json = wants_json()

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line to standard error; with --json also as JSON to standard output."""
        if self._as_json:
            click.echo(json.dumps({"error": self.message}))
        super().show(file)


class Command(click.Command):
    """A command that takes --json, shows an operator's errors in one line, and ends cleanly.

    ``runs`` names the function that does the work, as ``module:function``. The module is imported
    when the command is called. The function gets the operator's arguments as keywords.
    """

    def __init__(self, *args: Any, runs: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.runs = runs
        self.params.append(
            click.Option(
                ["--json"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_remember,
                help="Print JSON.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with operator_errors(), _ending_cleanly():
            return ctx.invoke(self.function(), **ctx.params)

    def function(self) -> Callable[..., None]:
        """Return the function that ``runs`` names."""
        found: Callable[..., None] = pkgutil.resolve_name(self.runs)
        return found


class Group(click.Group):
    """A group whose commands are of class ``Command``."""

    command_class = Command
    group_class = type


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[_JSON] = value


def wants_json() -> bool:
    """Return whether the running command was given --json."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(_JSON))


@contextmanager
def operator_errors() -> Iterator[None]:
    """Turn errors that an operator can correct into one line and exit code 1."""
    try:
        yield
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:
        from tasks.cli.errors import explain

        sentence = explain(error)
        if sentence is None:
            raise
        raise OperatorError(sentence) from None


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """End the command at Ctrl-C or a signal with one sentence that says what is done."""
    try:
        with signals_interrupt():
            yield
    except (KeyboardInterrupt, click.Abort) as error:
        found = interrupted_by(error)
        if found is None:
            raise
        sentence = f"{INTERRUPTED}: {' '.join(found.sentences) or _what_is_done()}"
        if wants_json():
            click.echo(json.dumps({"error": sentence}))
        click.echo(sentence, err=True)
        raise click.exceptions.Exit(found.exit_code) from None


def note_change() -> None:
    """Note that the running command has changed something, and has logged the change."""
    ctx = click.get_current_context(silent=True)
    if ctx is not None:
        ctx.meta[_CHANGED] = True


def _what_is_done() -> str:
    has_changed = click.get_current_context().meta.get(_CHANGED)
    return "what it has changed is logged above." if has_changed else "nothing was changed."


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone, unless --yes was given.

    Raises:
        click.Abort: the operator said no, or there is no terminal to ask on.
    """
    if yes:
        return
    if wants_json():
        raise click.UsageError("--json asks nothing: give --yes as well")
    click.confirm(question, abort=True)


def read_secret(file: IO[str] | None, prompt: str) -> str:
    """Return a token from a file, or ask the operator for it.

    A token on the command line would be in the shell's history and in the process list.
    """
    if file is not None:
        return file.read().strip()
    return str(click.prompt(prompt, hide_input=True, err=True)).strip()
