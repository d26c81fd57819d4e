"""``erase``: remove conversations, or those of a visitor, for privacy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from ireserve_mattermost.lanes import Lane
from tasks.attachments.store import AttachmentStore
from tasks.cli.command import confirm, wants_json
from tasks.cli.installation import Installation
from tasks.cli.interruption import on_interrupt
from tasks.cli.licence.registration import require_licence
from tasks.cli.operator import log_change
from tasks.cli.output import progress, show
from tasks.cli.tables import Rows, table
from tasks.licences.registration import RegistrationError
from tasks.locks import Locks
from tasks.mattermost import MattermostClient
from tasks.privacy.conversations import StoredConversation, find_conversations, load_conversation
from tasks.privacy.erasure import Erased, Places, erase_conversation


def erase(
    licence_id: str,
    conversation_ids: Sequence[str],
    visitor: str | None,
    posts: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove conversations, for privacy."""
    if bool(conversation_ids) == (visitor is not None):
        raise click.UsageError("give --conversation or --visitor")
    parts = Installation()
    found = _find(parts, licence_id, conversation_ids, visitor)
    if dry_run:
        show({"licence": licence_id, "conversations": _data(found), "erased": None}, _rows(found))
        return
    client = _bot(parts, licence_id) if posts else None
    _confirm(found, posts=posts, yes=yes)
    erased = _erase(parts, licence_id, [each.conversation for each in found], client)
    show(
        {"licence": licence_id, "conversations": _data(found), "erased": asdict(erased)},
        _sentence(erased),
        *([] if posts else ["Mattermost keeps its posts: see --posts."]),
    )


def _erase(
    parts: Installation, licence_id: str, ids: Sequence[str], client: MattermostClient | None
) -> Erased:
    erased = Erased()
    with on_interrupt(lambda: f"{_sentence(erased)} Run it again for the rest."), progress() as bar:
        for conversation in bar.track(ids, description="Erasing"):
            lane = Lane.of_conversation(licence_id, conversation)
            erased += erase_conversation(places_of(parts), lane, client=client)
            posts = client is not None
            log_change("erase", licence=licence_id, conversation=conversation, posts=posts)
    return erased


def _sentence(erased: Erased) -> str:
    return (
        "Erased: "
        f"conversations {erased.conversations}, replies {erased.replies}, files {erased.files}, "
        f"failed messages {erased.payloads}, waiting messages {erased.waiting}, threads in "
        f"Mattermost {erased.threads}."
    )


def _find(
    parts: Installation, licence_id: str, conversation_ids: Sequence[str], visitor: str | None
) -> list[StoredConversation]:
    """Return what is stored of the wanted conversations.

    Raises:
        RegistrationError: nothing is stored of one of them, or no visitor has this name.
    """
    with parts.database.snapshot() as session:
        if visitor is not None:
            conversation_ids = find_conversations(session, parts.redis, licence_id, visitor)
        found = [
            load_conversation(session, parts.redis, Lane.of_conversation(licence_id, each))
            for each in dict.fromkeys(conversation_ids)
        ]
        if not any(not stored.is_empty for stored in found):
            # Without this check, a mistyped licence would look like one without conversations.
            require_licence(session, licence_id)
    if not found:
        raise RegistrationError(
            f"no conversation of licence {licence_id!r} is with a visitor of exactly this name"
        )
    for stored in found:
        if stored.is_empty:
            raise RegistrationError(
                f"nothing is stored of conversation {stored.conversation!r} of licence "
                f"{licence_id!r}"
            )
    return found


def _data(found: Sequence[StoredConversation]) -> list[dict[str, object]]:
    return [asdict(stored) for stored in found]


def _rows(found: Sequence[StoredConversation]) -> Rows:
    return table(
        ("conversation", "visitor", "page", "started", "last active", "replies", "files", "failed",
         "waiting", "threads"),
        [
            (each.conversation, each.visitor, each.page_url, each.started_at, each.last_active_at,
             each.replies, each.files, each.failed, each.waiting, ", ".join(each.threads))
            for each in found
        ],
    )  # fmt: skip


def _confirm(found: Sequence[StoredConversation], *, posts: bool, yes: bool) -> None:
    if not yes and not wants_json():
        show({}, _rows(found))
    places = "here and in Mattermost" if posts else "here"
    confirm(f"Erase these conversations ({len(found)}) {places} for good?", yes=yes)


def places_of(parts: Installation) -> Places:
    """Return the places in which this installation stores data of conversations."""
    store = AttachmentStore(parts.settings.attachments_url)
    return Places(parts.database, parts.lanes, store, Locks(parts.redis))


def _bot(parts: Installation, licence_id: str) -> MattermostClient:
    with parts.database.snapshot() as session:
        licence = require_licence(session, licence_id)
    token = parts.keyring().decrypt(licence.bot_token_encrypted)
    return parts.connect(licence.server_url, token)
