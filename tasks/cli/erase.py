"""``erase``: removes a conversation, for privacy."""

from __future__ import annotations

from dataclasses import asdict

import click

from tasks.cli.command import Command, confirm
from tasks.cli.erasure import Erased, Places, erase_conversation
from tasks.cli.installation import Installation
from tasks.cli.orders import require_licence
from tasks.cli.output import show
from tasks.lanes import Lane
from tasks.mattermost import MattermostClient
from tasks.registration import RegistrationError
from tasks.replies.store import ReplyStore


@click.command(cls=Command)
@click.option("--licence", "licence_id", required=True, help="Whose conversation it is.")
@click.option("--conversation", "conversation_id", required=True, help="i-Reserve's id of it.")
@click.option("--posts", is_flag=True, help="Also delete its thread in Mattermost, as the bot.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(licence_id: str, conversation_id: str, posts: bool, yes: bool) -> None:
    """Remove a conversation, for privacy.

    Who it was with, what still waits or failed, its replies and files are gone. The ids of its
    messages stay in the ledger, so that none is posted again. What i-Reserve was told of replies is
    i-Reserve's to erase. Mattermost's posts stay unless --posts is given.
    """
    parts = Installation()
    client = _bot(parts, licence_id) if posts else None
    places = "here and in Mattermost" if posts else "here"
    confirm(f"Erase conversation {conversation_id} {places} for good?", yes=yes)
    erased = erase_conversation(
        places_of(parts), Lane.of_conversation(licence_id, conversation_id), client=client
    )
    if erased == Erased():
        raise RegistrationError(
            f"nothing is stored of conversation {conversation_id!r} of licence {licence_id!r}"
        )
    show(
        {"licence": licence_id, "conversation": conversation_id, **asdict(erased)},
        "Erased: "
        f"conversations {erased.conversations}, replies {erased.replies}, files {erased.files}, "
        f"failed messages {erased.payloads}, waiting messages {erased.waiting}, threads in "
        f"Mattermost {erased.threads}.",
        *([] if posts else ["Mattermost keeps its posts: see --posts."]),
    )


def places_of(parts: Installation) -> Places:
    """Return where this installation has something to erase."""
    return Places(parts.database, parts.lanes, ReplyStore(parts.settings.attachments_url))


def _bot(parts: Installation, licence_id: str) -> MattermostClient:
    with parts.database.transaction() as session:
        licence = require_licence(session, licence_id)
    token = parts.keyring().decrypt(licence.bot_token_encrypted)
    return parts.connect(licence.server_url, token)
