"""Licences (tenants): each with its own Mattermost server, bot and channels."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, utc_now
from models.delivery import enum_values

# Mattermost itself: a team's and a channel's handle, a user name (64 each); its server address
# has no limit of its own, 1,024 is what it allows a webhook's.
HANDLE_LENGTH = 64
URL_LENGTH = 1_024
# A notification type is a word of i-Reserve's, like booking_confirmed.
NOTIFICATION_TYPE_LENGTH = 100

DEFAULT_NOTE_PREFIXES = "note: notitie: notiz:"
NOTE_PREFIXES_LENGTH = 200
DEFAULT_REPLY_PREFIXES = "reply: antwoord: antwort: r:"
# A visitor waits for the pause with every answer: more than a minute is no chat any more.
MAX_REPLY_PAUSE_S = 60
# Ten user names (64 each) with their @, and a blank between.
MENTION_LENGTH = 700

# The longest name that the table of time zones has is 32 characters long.
TIME_ZONE_LENGTH = 64
LANGUAGE_LENGTH = 16

# A version or a setting as a server names it; what is longer is cut.
SERVER_WORD_LENGTH = 40


class Names(StrEnum):
    """Under which name visitor and agent speak in a thread.

    ``header``: a line above the text names them. ``author``: they are the posts' authors, where
    the server allows posts a name and an icon of their own.
    """

    HEADER = "header"
    AUTHOR = "author"


class Receipts(StrEnum):
    """Which posts of the team the bot marks: all, notes and trouble alone, or none."""

    ALL = "all"
    NOTES = "notes"
    NONE = "none"


class ReplyMode(StrEnum):
    """Which posts in a conversation's thread are for the visitor.

    ``all``: each but a note. ``explicit``: what begins with a reply prefix. ``alerts``: none.
    """

    ALL = "all"
    EXPLICIT = "explicit"
    ALERTS = "alerts"


class Licence(Base):
    """One tenant of i-Reserve, and how its Mattermost is reached."""

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
    # The server's own limits, as it told them when the licence was set up.
    max_post_size: Mapped[int] = mapped_column(Integer)
    max_file_size_bytes: Mapped[int] = mapped_column(BigInteger)
    # What the server said of itself when it was last asked; empty before that.
    server_version: Mapped[str] = mapped_column(String(SERVER_WORD_LENGTH), default="")
    collapsed_threads: Mapped[str] = mapped_column(String(SERVER_WORD_LENGTH), default="")
    # Whether a post may have a name and an icon of its own.
    allows_own_names: Mapped[bool] = mapped_column(default=False)
    # Whether a message may be edited at any time, as the state sign of a root needs it.
    allows_edits: Mapped[bool] = mapped_column(default=True)
    # Who is mentioned on a conversation's root: "@anna @bert", "@channel", or empty.
    mention: Mapped[str] = mapped_column(String(MENTION_LENGTH), default="")
    names: Mapped[Names] = mapped_column(
        Enum(Names, native_enum=False, length=16, values_callable=enum_values),
        default=Names.HEADER,
    )
    # A reply that begins with one of these words (separated by spaces) is for the team alone.
    note_prefixes: Mapped[str] = mapped_column(
        String(NOTE_PREFIXES_LENGTH), default=DEFAULT_NOTE_PREFIXES
    )
    reply_mode: Mapped[ReplyMode] = mapped_column(
        Enum(ReplyMode, native_enum=False, length=16, values_callable=enum_values),
        default=ReplyMode.ALL,
    )
    # With one of these words (separated by spaces) begins what the visitor gets in mode explicit.
    reply_prefixes: Mapped[str] = mapped_column(
        String(NOTE_PREFIXES_LENGTH), default=DEFAULT_REPLY_PREFIXES
    )
    # How long a reply waits before i-Reserve is told, so that its author may take it back.
    reply_pause_s: Mapped[int] = mapped_column(Integer, default=0)
    # Two columns, of which an older worker knows the first: is anything marked at all, and are
    # replies that the visitor reads?
    marks_replies: Mapped[bool] = mapped_column("receipts", default=True)
    marks_public_replies: Mapped[bool] = mapped_column("public_receipts", default=True)
    # Whether a member is told of a post in the channel that reaches no visitor.
    hints: Mapped[bool] = mapped_column(default=True)
    # How the team reads: no enumeration, so that an older worker can read a newer language's name.
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
    """Where a licence's notifications of one type go; ``enabled`` false switches the type off."""

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
