"""The operator's command line: ``ireserve-mattermost``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from models import Database, KeyRing, KeyRingError, Licence
from models.keyring import new_key
from models.migrations import schema_state
from models.migrations import upgrade as upgrade_schema
from settings import Settings, get_settings
from tasks.failures import SendFailedError
from tasks.licences import Licences
from tasks.mattermost import MattermostError
from tasks.registration import (
    LicenceOrder,
    RegistrationError,
    find_channel,
    map_notification,
    register_licence,
    switch_notification_off,
)
from tasks.runtime import connect
from tasks.webhook_tokens import add_token, finish_rotation, forget_token


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the errors that an operator can mend into one line and exit code 1."""
    try:
        yield
    except (RegistrationError, MattermostError, KeyRingError, SendFailedError) as error:
        raise click.ClickException(str(error)) from None
    except OperationalError:
        raise click.ClickException(
            "the database cannot be reached or has no tables: check DATABASE_URL, then run "
            "`ireserve-mattermost db upgrade`"
        ) from None


def _database(settings: Settings) -> Database:
    """Return the database; its connections are closed when the command ends."""
    database = Database(settings.database_url)
    click.get_current_context().call_on_close(database.dispose)
    return database


def _keyring(settings: Settings) -> KeyRing:
    return KeyRing([key.get_secret_value() for key in settings.encryption_keys])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Set up and look after the connection between i-Reserve and Mattermost.

    Settings come from the environment; see the README for each.
    """


@main.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema. Safe to run again."""
    with _explained():
        state = upgrade_schema(_database(get_settings()))
    click.echo(f"The database is at revision {state.current}.")


@db.command("check")
def db_check() -> None:
    """Say whether the schema is the newest one; exit code 1 if not."""
    with _explained():
        state = schema_state(_database(get_settings()))
    click.echo(f"The database is at revision {state.current or 'none'}, newest: {state.newest}.")
    sys.exit(0 if state.is_current else 1)


@main.group()
def keys() -> None:
    """The keys that encrypt bot tokens (ENCRYPTION_KEYS)."""


@keys.command("new")
def keys_new() -> None:
    """Print a fresh key. Put it in front of ENCRYPTION_KEYS; keep the old ones behind it."""
    click.echo(new_key())


@main.group()
def licence() -> None:
    """Licences (tenants) and their Mattermost."""


_licence_argument = click.argument("licence_id", metavar="LICENCE")


def _token_options(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--token-file",
        type=click.File(),
        help="Read the bot's token from this file (- for standard input); asked for if not given.",
    )(command)


@licence.command("add")
@_licence_argument
@click.option("--url", required=True, help="Address of the Mattermost server, with its subpath.")
@click.option("--team", required=True, help="The team's name as in its URL.")
@click.option("--channel", required=True, help="The default channel's name as in its URL.")
@_token_options
def licence_add(licence_id: str, url: str, team: str, channel: str, token_file: Any) -> None:
    """Register LICENCE: tries server, token, team and channel, then stores them."""
    settings = get_settings()
    # A token on the command line would be in the shell's history and in the process list.
    token = (
        token_file.read() if token_file else click.prompt("Bot token", hide_input=True)
    ).strip()
    with _explained():
        stored = register_licence(
            LicenceOrder(licence_id, url, team, channel, token),
            client=connect(settings, url.rstrip("/"), token),
            database=_database(settings),
            keyring=_keyring(settings),
        )
    click.echo(
        f"Licence {stored.id}: @{stored.bot_username} posts to ~{stored.default_channel_name} "
        f"in team {stored.team_name}."
    )


@licence.command("notify")
@_licence_argument
@click.argument("notification_type", metavar="TYPE")
@click.argument("channel", required=False)
@click.option("--off", is_flag=True, help="Send no notifications of this type.")
def licence_notify(licence_id: str, notification_type: str, channel: str | None, off: bool) -> None:
    """Send notifications of TYPE to CHANNEL, or --off: send none of them."""
    if off == bool(channel):
        raise click.UsageError("give either a channel or --off")
    settings = get_settings()
    database = _database(settings)
    with _explained():
        access = Licences(database, _keyring(settings)).access(licence_id)
        with database.transaction() as session:
            stored = session.get_one(Licence, licence_id)
            if channel is None:
                switch_notification_off(session, stored, notification_type)
            else:
                found = find_channel(
                    connect(settings, access.server_url, access.token),
                    stored.team_name,
                    channel,
                    bot_username=access.bot_username,
                )
                map_notification(session, stored, notification_type, channel=found)
    click.echo(f"{notification_type}: {'off' if channel is None else '~' + found.name}")


@licence.command("webhook")
@_licence_argument
@click.option("--token-file", type=click.File(), help="Read the webhook's token from this file.")
@click.option("--finish", is_flag=True, help="Refuse all of the licence's tokens but the newest.")
@click.option("--forget", is_flag=True, help="Refuse the given token from now on.")
def licence_webhook(licence_id: str, token_file: Any, finish: bool, forget: bool) -> None:
    """Accept the token of an outgoing webhook for LICENCE, beside those that it has.

    After a token was regenerated in Mattermost: give the new one, then --finish. With a webhook
    for each channel there is a token for each of them: then --forget the old one instead.
    """
    if finish and (forget or token_file):
        raise click.UsageError("--finish takes no token")
    token = "" if finish else _webhook_token(token_file)
    with _explained(), _database(get_settings()).transaction() as session:
        if finish:
            done = f"tokens removed: {finish_rotation(session, licence_id)}"
        elif forget:
            known = forget_token(session, licence_id, token=token)
            done = "token removed" if known else "the token was not known"
        else:
            add_token(session, licence_id, token=token)
            done = "token accepted from now on"
    click.echo(f"Licence {licence_id}: {done}.")


def _webhook_token(token_file: Any) -> str:
    token = token_file.read() if token_file else click.prompt("Webhook token", hide_input=True)
    return str(token).strip()
