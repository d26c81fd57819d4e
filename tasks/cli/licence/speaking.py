"""Store a licence's settings, and check on its server the mention and the names of authors."""

from __future__ import annotations

from typing import Any

from models import Licence
from tasks.checks.check import Check, refused, skipped
from tasks.checks.speaking import check_speaking
from tasks.cli.installation import Installation
from tasks.cli.output import named
from tasks.licences.registration import update_server_settings
from tasks.mattermost import ClientConfig, MattermostClient, MattermostError

UNTOLD = (
    "No member is mentioned on a conversation's root: where threads are collapsed, none is told of "
    "a visitor's further messages. Name members: ireserve-mattermost licence edit {licence_id} "
    "--mention @MEMBER"
)


def store_settings(licence: Licence, **settings: Any) -> None:
    """Store the given settings of the licence; a setting that is None stays as it is."""
    for name, value in settings.items():
        if value is not None:
            setattr(licence, name, value)


def check_on_server(parts: Installation, licence: Licence) -> list[Check]:
    """Return the checks of mention and names, and store what the server says about itself.

    The settings are stored already. If the server cannot be asked, the only check says so.
    """
    client = parts.connect(licence.server_url, parts.keyring().decrypt(licence.bot_token_encrypted))
    try:
        config = _get_all_settings(client)
    except MattermostError as error:
        why = refused("", error).sentence
        return [
            skipped("mention and names", why, f"Later: ireserve-mattermost doctor {licence.id}.")
        ]
    update_server_settings(parts.database, licence, config)
    return [named(check, licence.id) for check in check_speaking(client, licence, config)]


def _get_all_settings(client: MattermostClient) -> ClientConfig:
    """Return the server's settings, all of which it shows only to a token that it accepts."""
    client.get_me()
    return client.get_client_config()
