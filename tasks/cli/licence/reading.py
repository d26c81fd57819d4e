"""The options of ``add`` and ``edit`` for the team's language and time zone."""

from __future__ import annotations

import click

from tasks.cli.words import LANGUAGES

language_option = click.option(
    "--language",
    type=click.Choice(LANGUAGES, case_sensitive=False),
    help="The language of the bot's own texts: English (en, the default), Dutch (nl) or German "
    "(de).",
)


def _parse(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    from tasks.licences.time_zones import TimeZoneError, parse_time_zone

    try:
        return parse_time_zone(name)
    except TimeZoneError as error:
        raise click.BadParameter(str(error)) from None


time_zone_option = click.option(
    "--time-zone",
    metavar="ZONE",
    callback=_parse,
    help="The time zone of the bot's times, such as Europe/Amsterdam. The default is UTC.",
)
