"""Find the users whom a post mentions, by the server's rules for `@name`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from demo.mattermost.state import State

# Words end at any character but letters, digits and `: . - _ @`. The full stop of a sentence can
# follow a user's name.
_NAME = re.compile(r"(?<![\w:.@-])@([A-Za-z0-9][\w.-]*)")
_CODE = re.compile(r"(?s)(`+)(?:.+?)\1(?!`)")
# These mention all members. `@here` means members who are online; the stand-in has none.
_ALL = frozenset({"channel", "all"})


def mentioned(
    state: State, channel_id: str, message: str, props: Mapping[str, Any]
) -> frozenset[str]:
    """Return the ids of the channel's members whom the message or an attachment mentions."""
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
    """Yield the texts that can mention: not titles, authors' names, footers or fallbacks."""
    yield message
    for card in props.get("attachments") or ():
        yield from (part for part in (card["pretext"], card["text"]) if isinstance(part, str))
        for field in (card["fields"] or ()) if with_fields else ():
            if isinstance(field["value"], str):
                yield field["value"]
