"""Render a notification in the default language, and read what a client shows of it."""

from functools import partial
from typing import Any

from tasks import rendering
from tasks.rendering import DEFAULT_LOCALE
from tests.unit.test_rendering_oracle import read, without_blanks

render_notification = partial(rendering.render_notification, locale=DEFAULT_LOCALE)


def shown(attachment: dict[str, Any]) -> str:
    """Return what a client shows of an attachment."""
    title = attachment.get("title", "")
    texts = [title if attachment.get("title_link") else read(title).text]
    texts.append(read(attachment.get("text", "")).text)
    for field in attachment.get("fields") or ():
        texts += [field["title"], read(field["value"]).text]
    return without_blanks("\n".join(texts))
