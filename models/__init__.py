"""What the project remembers: licences, conversations and the ledger of deliveries."""

from models.base import Base, utc_now
from models.conversation import Conversation
from models.delivery import Delivery, DeliveryKind, DeliveryState
from models.keyring import KeyRing, KeyRingError
from models.licence import Licence, NotificationChannel
from models.session import Database

__all__ = [
    "Base",
    "Conversation",
    "Database",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "KeyRing",
    "KeyRingError",
    "Licence",
    "NotificationChannel",
    "utc_now",
]
