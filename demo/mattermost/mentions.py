"""Whom a post names: what the server reads for `@name`, and in which parts of a post."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from demo.mattermost.state import State

# Words are split at anything but letters, digits and `: . - _ @`. The name of a user can be
# followed by the point of a sentence.
_NAME = re.compile(r"(?<![\w:.@-])@([A-Za-z0-9][\w.-]*)")
_CODE = re.compile(r"(?s)(`+)(?:.+?)\1(?!`)")
# These name all members. `@here` means those who are online: on the stand-in that is no member.
_ALL = frozenset({"channel", "all"})


def mentioned(
    state: State, channel_id: str, message: str, props: Mapping[str, Any]
) -> frozenset[str]:
    """The ids of the channel's members whom the message or an attachment names."""
    names = {
        name
        for text in _texts(message, props, with_fields=state.version.field_values_mention)
        if "@" in text
        for found in _NAME.findall(_CODE.sub(" ", text))
        for name in (found.lower(), found.lower().rstrip(".-_"))
    }
    if not names:
        return frozenset()
    members = state.channel_members.get(channel_id, {})
    if names & _ALL:
        return frozenset(members)
    ids = (state.user_ids_by_name.get(name) for name in names)
    return frozenset(user_id for user_id in ids if user_id in members)


def _texts(message: str, props: Mapping[str, Any], *, with_fields: bool) -> Iterator[str]:
    """The parts that are read: not titles, names of authors, footers or fallbacks."""
    yield message
    for card in props.get("attachments") or ():
        yield from (part for part in (card["pretext"], card["text"]) if isinstance(part, str))
        for field in (card["fields"] or ()) if with_fields else ():
            if isinstance(field["value"], str):
                yield field["value"]
