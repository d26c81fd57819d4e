"""What the web chat shows of a message: what its visitor may know, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt

from demo.ireserve.store import Message, MessageState

# Nothing that can run a script, so that a browser may draw it as a part of our page.
PICTURE_TYPES = {
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
# An agent writes Markdown in i-Reserve; pictures and HTML of other hosts have no place in a chat.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(["image", "heading"])


def picture_type(name: str) -> str | None:
    """Return the type of a picture that is shown within the page; None: it is offered as a link."""
    return PICTURE_TYPES.get(name.rpartition(".")[2].lower())


def shown(message: Message, file_url: Callable[[int], str | None]) -> dict[str, Any]:
    """Return the message for the page.

    ``file_url`` gives the address of its n-th file, None if the file is not to be had.
    """
    is_deleted = message.state is MessageState.DELETED
    return {
        "id": message.message_id,
        "sender": message.sender_name,
        "role": message.sender_role,
        "time": message.posted_at,
        "state": message.state.value,
        "from_mattermost": message.post_id is not None,
        "files": []
        if is_deleted
        else [_file(file, file_url(number)) for number, file in enumerate(message.attachments)],
        **({"text": ""} if is_deleted else _text(message)),
    }


def _text(message: Message) -> dict[str, str]:
    if message.plain_text is not None:
        return {"text": message.plain_text}
    if message.sender_role == "agent":
        return {"text": message.text, "html": _MARKDOWN.render(message.text)}
    return {"text": message.text}


def _file(file: dict[str, Any], url: str | None) -> dict[str, Any]:
    return {
        "name": file["name"],
        "url": url,
        "reason": file.get("reason"),
        "is_picture": picture_type(file["name"]) is not None,
    }
