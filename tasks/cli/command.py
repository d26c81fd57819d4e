"""Commands as this command line has them: with --json, and with errors that name their cure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, ProgrammingError

from models import KeyRingError
from settings import SettingsError
from tasks.attachments import AttachmentError
from tasks.failures import SendFailedError
from tasks.licences.registration import RegistrationError
from tasks.mattermost import MattermostError
from tasks.outbound.resending import LaneBusyError

_JSON = "tasks.cli.json"


class OperatorError(click.ClickException):
    """Something that an operator can mend: one line, exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        # When it is shown, the command is over and its options are gone.
        self._as_json = wants_json()

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line to standard error; with --json also as JSON to standard output."""
        if self._as_json:
            click.echo(json.dumps({"error": self.message}))
        super().show(file)


class Command(click.Command):
    """A command that takes --json, and whose mendable errors are one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        with operator_errors():
            return super().invoke(ctx)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[_JSON] = value


def wants_json() -> bool:
    """Say whether the running command was given --json."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(_JSON))


@contextmanager
def operator_errors() -> Iterator[None]:
    """Turn the errors that an operator can mend into one line and exit code 1."""
    try:
        yield
    except (
        RegistrationError,
        MattermostError,
        KeyRingError,
        SendFailedError,
        LaneBusyError,
    ) as error:
        raise OperatorError(str(error)) from None
    except AttachmentError as error:
        raise OperatorError(f"{error}: check ATTACHMENTS_URL, then run it again") from None
    except SettingsError as error:
        raise OperatorError(f"{error}: see the README") from None
    except (OperationalError, ProgrammingError, InternalError) as error:
        raise OperatorError(
            f"the database cannot be reached or has no tables ({_first_line(error)}): check "
            "DATABASE_URL, then run `ireserve-mattermost db upgrade`"
        ) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise OperatorError(f"{error.filename}: {error.strerror}") from None
    except (RedisError, BrokerError):
        raise OperatorError("Redis cannot be reached: check REDIS_URL, and that it runs") from None


def _first_line(error: DBAPIError) -> str:
    """Return what the database says, without the statement that was asked."""
    return str(error.orig).strip().partition("\n")[0]


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
    """Return a token from a file, or ask for it.

    On the command line it would be in the shell's history and in the process list.
    """
    if file is not None:
        return file.read().strip()
    return str(click.prompt(prompt, hide_input=True, err=True)).strip()
