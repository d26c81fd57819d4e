"""The tables: licences, conversations, the ledger, the inbox, i-Reserve's users and others."""

from models.base import Base, utc_now
from models.catch_up import CatchUpCursor
from models.conversation import Conversation, ConversationState
from models.delivery import Delivery, DeliveryKind, DeliveryState
from models.hint import Hint
from models.keyring import KeyRing, KeyRingError
from models.licence import Licence, Names, NotificationChannel, Receipts, ReplyMode
from models.outcome import Outcome
from models.reply import (
    Receipt,
    Reply,
    ReplyAttachment,
    ReplyEvent,
    ReplySource,
    ReplyState,
    Visibility,
)
from models.session import Database
from models.unowned_file import UnownedFile
from models.user import User
from models.webhook_token import WebhookToken, hash_token

__all__ = [
    "Base",
    "CatchUpCursor",
    "Conversation",
    "ConversationState",
    "Database",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Hint",
    "KeyRing",
    "KeyRingError",
    "Licence",
    "Names",
    "NotificationChannel",
    "Outcome",
    "Receipt",
    "Receipts",
    "Reply",
    "ReplyAttachment",
    "ReplyEvent",
    "ReplyMode",
    "ReplySource",
    "ReplyState",
    "UnownedFile",
    "User",
    "Visibility",
    "WebhookToken",
    "hash_token",
    "utc_now",
]
