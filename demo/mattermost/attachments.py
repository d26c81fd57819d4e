"""Message attachments in the form that the server stores and shows, and their buttons."""

from collections.abc import Iterator, Mapping
from typing import Any

from demo.mattermost.ids import new_id

_ATTACHMENT: dict[str, Any] = {
    "id": 0,
    "fallback": "",
    "color": "",
    "pretext": "",
    "author_name": "",
    "author_link": "",
    "author_icon": "",
    "title": "",
    "title_link": "",
    "text": "",
    "fields": None,
    "image_url": "",
    "thumb_url": "",
    "footer": "",
    "footer_icon": "",
    "ts": None,
}
_FIELD: dict[str, Any] = {"title": "", "value": "", "short": False}
# Keys of a button that are stored if they have a value.
_ACTION_TEXTS = ("name", "type", "style", "tooltip", "data_source", "default_option")


def with_full_attachments(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the props with every key in each attachment, as the server stores them.

    The server refuses no attachments: if they are no list of objects, it stores null.
    """
    if "attachments" not in props:
        return dict(props)
    cards = props["attachments"]
    good = isinstance(cards, list) and all(isinstance(card, dict) for card in cards)
    return {**props, "attachments": [_full(card) for card in cards] if good else None}


def without_targets(props: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the props as members get them: a button without the address that its click calls."""
    if not any(True for _ in actions_of(props)):
        return props
    return {**props, "attachments": [_without_targets(card) for card in props["attachments"]]}


def find_action(props: Mapping[str, Any], action_id: str) -> Mapping[str, Any] | None:
    """Return the button with this id; after a client wrote it back as read, it has no target."""
    for action in actions_of(props):
        if action["id"] == action_id:
            return action
    return None


def revives(old: Mapping[str, Any], new: Mapping[str, Any] | None) -> bool:
    """Return whether an edit gives a target to a button that has lost its own."""
    dead = {action["id"] for action in actions_of(old) if "integration" not in action}
    return any(each["id"] in dead and "integration" in each for each in actions_of(new or {}))


def actions_of(props: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every button of a post."""
    for card in props.get("attachments") or ():
        yield from card.get("actions") or ()


def _full(card: Mapping[str, Any]) -> dict[str, Any]:
    full = {key: card.get(key, empty) for key, empty in _ATTACHMENT.items()}
    if isinstance(full["fields"], list):
        fields = [field for field in full["fields"] if isinstance(field, dict)]
        full["fields"] = [{key: f.get(key, empty) for key, empty in _FIELD.items()} for f in fields]
    if isinstance(card.get("actions"), list):
        full["actions"] = [_action(each) for each in card["actions"] if isinstance(each, dict)]
    return full


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: action[key] for key in _ACTION_TEXTS if action.get(key)}
    if action.get("disabled"):
        kept["disabled"] = True
    if isinstance(action.get("options"), list):
        kept["options"] = action["options"]
    if isinstance(action.get("integration"), dict):
        kept["integration"] = action["integration"]
    return {"id": str(action.get("id") or new_id())} | kept


def _without_targets(card: Mapping[str, Any]) -> dict[str, Any]:
    if "actions" not in card:
        return dict(card)
    hidden = [{k: v for k, v in each.items() if k != "integration"} for each in card["actions"]]
    return {**card, "actions": hidden}
