"""Ask for a list in smaller pages if one answer would exceed its limit."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tasks.mattermost.errors import OutcomeUnknownError
from tasks.mattermost.reasons import Reason
from tasks.mattermost.types import Post

T = TypeVar("T")

# A page is split into equal parts, so that each part is a page of the same list.
_SPLITS = (2, 3, 5)


def ask_by_ids(
    ask: Callable[[Sequence[str]], list[T]], ids: Sequence[str], *, size: int
) -> list[T]:
    """Return the objects with these ids, in portions that are halved if an answer is too large."""
    if len(ids) > size:
        return [
            found
            for start in range(0, len(ids), size)
            for found in ask_by_ids(ask, ids[start : start + size], size=size)
        ]
    if not ids:
        return []
    try:
        return ask(ids)
    except OutcomeUnknownError as error:
        if not is_too_large(error) or len(ids) == 1:
            raise
    return ask_by_ids(ask, ids, size=(len(ids) + 1) // 2)


def ask_page(ask: Callable[[int, int], list[T]], *, page: int, per_page: int) -> list[T]:
    """Return a page of a list from ``ask(page, per_page)``, or from its smaller pages."""
    try:
        return ask(page, per_page)
    except OutcomeUnknownError as error:
        parts = next((count for count in _SPLITS if per_page % count == 0), None)
        if not is_too_large(error) or parts is None:
            raise
    size = per_page // parts
    found: list[T] = []
    for part in range(page * parts, page * parts + parts):
        some = ask_page(ask, page=part, per_page=size)
        found += some
        if len(some) < size:
            break
    return found


def is_too_large(error: OutcomeUnknownError) -> bool:
    """Return whether the answer exceeded its limit."""
    return error.reason is Reason.ANSWER_TOO_LARGE


def page_anchor(page: Sequence[Post]) -> Post:
    """Return the post after which to continue reading; ``page`` is in the order of reading.

    The server leaves out other posts of the anchor's millisecond. So the anchor is the last post
    before the page's last millisecond, which is then read again. If all posts of the page are from
    one millisecond, the anchor is the last post.
    """
    last_ms = page[-1].create_at_ms
    earlier = [post for post in page if post.create_at_ms != last_ms]
    return earlier[-1] if earlier else page[-1]
