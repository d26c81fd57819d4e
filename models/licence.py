"""Licences (tenants): each with its own Mattermost server, bot and channels."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, utc_now
from models.delivery import enum_values

# Mattermost's own limits: 64 for the handle of a team or a channel and for a user name. A server's
# address has no limit; 1,024 is the limit of a webhook's address.
HANDLE_LENGTH = 64
URL_LENGTH = 1_024
# i-Reserve chooses the names of notification types, such as booking_confirmed.
NOTIFICATION_TYPE_LENGTH = 100

DEFAULT_NOTE_PREFIXES = "note: notitie: notiz:"
NOTE_PREFIXES_LENGTH = 200
DEFAULT_REPLY_PREFIXES = "reply: antwoord: antwort: r:"
# The visitor waits for the pause at every answer, and a chat needs an answer within a minute.
MAX_REPLY_PAUSE_S = 60
# Ten user names (64 each) with their @, and a blank between.
MENTION_LENGTH = 700

# The longest name in the time zone database has 32 characters.
TIME_ZONE_LENGTH = 64
LANGUAGE_LENGTH = 16

# A version or a setting, as a server reports it. A longer value is cut.
SERVER_WORD_LENGTH = 40


class Names(StrEnum):
    """How a thread shows the names of visitor and agent.

    ``header``: in a line above the text. ``author``: as the post's author, if the server allows
    a post its own name and icon.
    """

    HEADER = "header"
    AUTHOR = "author"


class Receipts(StrEnum):
    """Which posts of the team the bot marks: all, only notes and failures, or none."""

    ALL = "all"
    NOTES = "notes"
    NONE = "none"


class ReplyMode(StrEnum):
    """Which posts in a conversation's thread are for the visitor.

    ``all``: every post except notes. ``explicit``: those with a reply prefix. ``alerts``: none.
    """

    ALL = "all"
    EXPLICIT = "explicit"
    ALERTS = "alerts"


class Licence(Base):
    """One tenant of i-Reserve, with its Mattermost server and its options."""

    __tablename__ = "licences"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    server_url: Mapped[str] = mapped_column(String(URL_LENGTH))
    team_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    team_name: Mapped[str] = mapped_column(String(HANDLE_LENGTH))
    default_channel_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    default_channel_name: Mapped[str] = mapped_column(String(HANDLE_LENGTH))
    bot_user_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    bot_username: Mapped[str] = mapped_column(String(HANDLE_LENGTH))
    bot_token_encrypted: Mapped[str] = mapped_column(Text)
    # The server's own limits, as it last reported them.
    max_post_size: Mapped[int] = mapped_column(Integer)
    max_file_size_bytes: Mapped[int] = mapped_column(BigInteger)
    # The server's last report about itself; empty before the first one.
    server_version: Mapped[str] = mapped_column(String(SERVER_WORD_LENGTH), default="")
    collapsed_threads: Mapped[str] = mapped_column(String(SERVER_WORD_LENGTH), default="")
    # Whether the server allows a post its own name and icon.
    allows_own_names: Mapped[bool] = mapped_column(default=False)
    # Whether the server allows edits at any time, which the state sign of a root post needs.
    allows_edits: Mapped[bool] = mapped_column(default=True)
    # The members that a root post mentions: "@anna @bert", "@channel", or empty.
    mention: Mapped[str] = mapped_column(String(MENTION_LENGTH), default="")
    names: Mapped[Names] = mapped_column(
        Enum(Names, native_enum=False, length=16, values_callable=enum_values),
        default=Names.HEADER,
    )
    # A post that begins with one of these words (separated by spaces) is a note.
    note_prefixes: Mapped[str] = mapped_column(
        String(NOTE_PREFIXES_LENGTH), default=DEFAULT_NOTE_PREFIXES
    )
    reply_mode: Mapped[ReplyMode] = mapped_column(
        Enum(ReplyMode, native_enum=False, length=16, values_callable=enum_values),
        default=ReplyMode.ALL,
    )
    # In mode ``explicit``, a post for the visitor begins with one of these words (with spaces
    # between).
    reply_prefixes: Mapped[str] = mapped_column(
        String(NOTE_PREFIXES_LENGTH), default=DEFAULT_REPLY_PREFIXES
    )
    # How long a reply waits before i-Reserve gets it, so that its author can take it back.
    reply_pause_s: Mapped[int] = mapped_column(Integer, default=0)
    # Whether the bot marks any post, and whether it marks replies to the visitor. Two columns,
    # because an older worker knows only the first.
    marks_replies: Mapped[bool] = mapped_column("receipts", default=True)
    marks_public_replies: Mapped[bool] = mapped_column("public_receipts", default=True)
    # Whether the bot gives hints.
    hints: Mapped[bool] = mapped_column(default=True)
    # The team's locale. The language is not an enumeration, so that an older worker can read the
    # name of a newer language.
    language: Mapped[str] = mapped_column(String(LANGUAGE_LENGTH), default="en")
    time_zone: Mapped[str] = mapped_column(String(TIME_ZONE_LENGTH), default="UTC")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    notification_channels: Mapped[list[NotificationChannel]] = relationship(
        back_populates="licence", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def receipts(self) -> Receipts:
        """Which posts of the team the bot marks."""
        if not self.marks_replies:
            return Receipts.NONE
        return Receipts.ALL if self.marks_public_replies else Receipts.NOTES

    @receipts.setter
    def receipts(self, wanted: Receipts) -> None:
        self.marks_replies = wanted is not Receipts.NONE
        self.marks_public_replies = wanted is Receipts.ALL


class NotificationChannel(Base):
    """The channel of a licence's notification type; ``enabled`` False switches the type off."""

    __tablename__ = "notification_channels"

    licence_id: Mapped[str] = mapped_column(
        ForeignKey("licences.id", ondelete="CASCADE"), primary_key=True
    )
    notification_type: Mapped[str] = mapped_column(
        String(NOTIFICATION_TYPE_LENGTH), primary_key=True
    )
    channel_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    channel_name: Mapped[str] = mapped_column(String(HANDLE_LENGTH))
    enabled: Mapped[bool] = mapped_column(default=True)

    licence: Mapped[Licence] = relationship(back_populates="notification_channels")
