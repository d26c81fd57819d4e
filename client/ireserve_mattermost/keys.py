"""The lane and the key of a message, which are made of its ids."""

from __future__ import annotations

from typing import Any, Mapping

from ireserve_mattermost.lane import Lane
from ireserve_mattermost.values import is_broken, storable_id

# All changes of a licence's users go through one lane, so that the newest change is applied last.
_USERS = "users"
# Lanes and keys are made of these arguments. A Celery message holds no other arguments.
IDS = (
    "licence_id",
    "conversation_id",
    "message_id",
    "notification_type",
    "notification_id",
    "user_id",
)


def lane_of(kind: str, payload: Mapping[str, Any]) -> Lane:
    """Return the lane of a message; in its name a substitute stands for an invalid id."""
    licence_id = storable_id(payload.get("licence_id"))
    if kind == "user":
        return Lane(licence_id, "u", _USERS)
    if kind == "notification":
        return Lane.of_notifications(licence_id, storable_id(payload.get("notification_type")))
    return Lane.of_conversation(licence_id, storable_id(payload.get("conversation_id")))


def key_of(kind: str, payload: Mapping[str, Any], *, task_id: str) -> str:
    """Return the key that names the message in its lane; messages with one key are sent once."""
    if kind == "root":
        return "root:1"
    if kind == "reply":
        return f"reply:{storable_id(payload.get('message_id'))}"
    if kind in ("user", "conversation"):
        return f"{kind}:{task_id}"
    if payload.get("notification_id") is None:
        return f"notification:{task_id}"
    return f"notification-id:{storable_id(payload['notification_id'])}"


def require_id_types(payload: Mapping[str, Any]) -> None:
    """Require ids of a type that JSON keeps unchanged.

    Raises:
        TypeError: an id is neither text nor a whole number.
    """
    for name in IDS:
        value = payload.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (str, int))):
            raise TypeError(
                f"{name} is a {type(value).__name__}: pass text or a whole number, as str({name})"
            )


def require_writable_ids(payload: Mapping[str, Any]) -> None:
    """Require ids that each lane, queue and database can hold.

    Raises:
        TypeError: an id holds half of a character (a lone surrogate).
    """
    for name in IDS:
        value = payload.get(name)
        if isinstance(value, str) and is_broken(value):
            raise TypeError(f"{name} holds half of a character (a lone surrogate): pass whole text")
