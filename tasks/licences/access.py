"""Licences as a worker needs them: the server's address, the bot, the channels and the limits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import selectinload

from models import (
    Database,
    KeyRing,
    KeyRingError,
    Licence,
    Names,
    NotificationChannel,
    Receipts,
    ReplyMode,
)
from models.licence import DEFAULT_REPLY_PREFIXES
from tasks.failures import OwnReason, SendFailedError
from tasks.rendering import DEFAULT_LOCALE, Locale

# How long a worker uses a licence without reading it again, so that a busy lane does not read it
# for each message. An operator's change takes effect within this time.
CACHE_S = 5.0
# After this time a worker reads the licence again when it has sent something, so that the next
# message does not wait for that.
RENEW_S = 4.0

_LICENCES = cast(Table, Licence.__table__)
_CHANNELS = cast(Table, NotificationChannel.__table__)
# All rows of a licence. A message may wait while these are read. Comparing the rows takes a tenth
# of the time (PostgreSQL: a quarter) of loading the objects and decrypting the token again.
_ROWS = (
    select(_LICENCES, _CHANNELS)
    .select_from(_LICENCES.outerjoin(_CHANNELS))
    .where(_LICENCES.c.id == bindparam("licence"))
    .order_by(_CHANNELS.c.notification_type)
)


def permalink(server_url: str, post_id: str) -> str:
    """Return the address at which this server opens a post; it contains no team's name."""
    return f"{server_url}/_redirect/pl/{post_id}"


@dataclass(frozen=True, slots=True)
class NotificationTarget:
    """The channel for notifications of one type, and whether this type is enabled."""

    channel_id: str
    channel_name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class LicenceAccess:
    """All that is needed to send for a licence and to record its replies.

    The repr does not show the token.
    """

    id: str
    server_url: str
    bot_user_id: str
    bot_username: str
    token: str = field(repr=False)
    default_channel_id: str
    default_channel_name: str
    max_post_size: int
    max_file_size_bytes: int
    note_prefixes: str
    receipts: Receipts
    hints: bool
    notification_targets: Mapping[str, NotificationTarget]
    reply_mode: ReplyMode = ReplyMode.ALL
    reply_prefixes: str = DEFAULT_REPLY_PREFIXES
    reply_pause_s: int = 0
    # The mention on a root post: "@anna @bert", "@channel", or empty.
    mention: str = ""
    names: Names = Names.HEADER
    # Whether the server's last settings let a post override its author's name and icon.
    allows_own_names: bool = False
    # Whether the message of a root post may be edited at any time.
    allows_edits: bool = True
    # The language and the time zone of the team.
    locale: Locale = DEFAULT_LOCALE

    @property
    def shows_sender_as_author(self) -> bool:
        """Whether Mattermost shows senders as the authors of their posts."""
        return self.names is Names.AUTHOR and self.allows_own_names

    @property
    def wanted_prefix(self) -> str:
        """The prefix of a reply for the visitor, in the team's language if the licence has it.

        Empty: a reply needs no prefix.
        """
        if self.reply_mode is not ReplyMode.EXPLICIT:
            return ""
        prefixes, own = self.reply_prefixes.split(), self.locale.wording.reply_prefix
        return own if own in prefixes else next(iter(prefixes), "")

    def permalink(self, post_id: str) -> str:
        """Return the address at which the licence's server opens a post."""
        return permalink(self.server_url, post_id)

    def target_of(self, notification_type: str) -> NotificationTarget:
        """Return the target of this type's notifications; without a mapping the default channel."""
        default = NotificationTarget(self.default_channel_id, self.default_channel_name, True)
        return self.notification_targets.get(notification_type, default)

    def channel_label(self, channel_id: str) -> str:
        """Return a channel's handle, for example "~support", or its id if the name is unknown."""
        known = {target.channel_id: target.channel_name for target in self._targets()}
        return f"~{known[channel_id]}" if channel_id in known else channel_id

    def _targets(self) -> list[NotificationTarget]:
        return [*self.notification_targets.values(), self.target_of("")]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A licence in the cache, its rows, and when they were last read (by ``monotonic``)."""

    access: LicenceAccess
    rows: Sequence[Row[Any]]
    looked_at: float

    @property
    def age_s(self) -> float:
        """How long ago the licence was last read."""
        return time.monotonic() - self.looked_at


class Licences:
    """The licences of the installation, read from the database and kept for ``CACHE_S``."""

    def __init__(self, database: Database, keyring: KeyRing) -> None:
        self._database = database
        self._keyring = keyring
        self._cache: dict[str, _Kept] = {}

    def access(self, licence_id: str) -> LicenceAccess:
        """Return what is needed to send for this licence.

        Raises:
            SendFailedError: the licence is not registered or disabled, or its token is unreadable.
        """
        kept = self._cache.get(licence_id)
        if kept is not None and kept.age_s < CACHE_S:
            return kept.access
        return self._look(licence_id, kept)

    def renew(self, licence_id: str) -> None:
        """Read the licence again if its next message would have to; an error changes nothing."""
        kept = self._cache.get(licence_id)
        if kept is not None and kept.age_s >= RENEW_S:
            with suppress(SQLAlchemyError, SendFailedError):
                self._look(licence_id, kept)

    def _look(self, licence_id: str, kept: _Kept | None) -> LicenceAccess:
        rows = self._rows(licence_id)
        access = kept.access if kept and kept.rows == rows else self._read(licence_id)
        self._cache[licence_id] = _Kept(access, rows, time.monotonic())
        return access

    def _rows(self, licence_id: str) -> Sequence[Row[Any]]:
        with self._database.reading() as connection:
            return connection.execute(_ROWS, {"licence": licence_id}).all()

    def _read(self, licence_id: str) -> LicenceAccess:
        with self._database.snapshot() as session:
            licence = session.scalar(
                select(Licence)
                .where(Licence.id == licence_id)
                .options(selectinload(Licence.notification_channels))
            )
        if licence is None:
            raise SendFailedError(
                OwnReason.LICENCE_UNKNOWN, f"no licence {licence_id!r} is registered"
            )
        if not licence.enabled:
            raise SendFailedError(
                OwnReason.LICENCE_DISABLED, f"the licence {licence_id!r} is disabled"
            )
        return self._access_of(licence)

    def _access_of(self, licence: Licence) -> LicenceAccess:
        try:
            token = self._keyring.decrypt(licence.bot_token_encrypted)
        except KeyRingError as error:
            raise SendFailedError(OwnReason.TOKEN_UNREADABLE, str(error)) from None
        return LicenceAccess(
            id=licence.id,
            server_url=licence.server_url,
            bot_user_id=licence.bot_user_id,
            bot_username=licence.bot_username,
            token=token,
            default_channel_id=licence.default_channel_id,
            default_channel_name=licence.default_channel_name,
            max_post_size=licence.max_post_size,
            max_file_size_bytes=licence.max_file_size_bytes,
            note_prefixes=licence.note_prefixes,
            receipts=licence.receipts,
            hints=licence.hints,
            reply_mode=licence.reply_mode,
            reply_prefixes=licence.reply_prefixes,
            reply_pause_s=licence.reply_pause_s,
            mention=licence.mention,
            names=licence.names,
            allows_own_names=licence.allows_own_names,
            allows_edits=licence.allows_edits,
            locale=Locale.of(language=licence.language, time_zone=licence.time_zone),
            notification_targets=_targets_of(licence),
        )


def _targets_of(licence: Licence) -> dict[str, NotificationTarget]:
    return {
        channel.notification_type: NotificationTarget(
            channel.channel_id, channel.channel_name, channel.enabled
        )
        for channel in licence.notification_channels
    }
