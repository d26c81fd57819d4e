"""Prepare a message for the web chat: what the visitor may see, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt

from demo.ireserve.store import Message, MessageState

# Types that cannot run a script, so our page may show them in place.
PICTURE_TYPES = {
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
# Agents write Markdown in i-Reserve. The chat shows no HTML and no pictures of other hosts.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(["image", "heading"])


def picture_type(name: str) -> str | None:
    """Return the MIME type of a picture to show in the page; None: the file becomes a link."""
    return PICTURE_TYPES.get(name.rpartition(".")[2].lower())


def shown(message: Message, file_url: Callable[[int], str | None]) -> dict[str, Any]:
    """Return the message for the page.

    ``file_url`` returns the address of the message's n-th file; None if the file is missing.
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
