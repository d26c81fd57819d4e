"""Find the files that are missing in a post: the server can accept a file and not attach it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ireserve_mattermost.messages import Attachment
from tasks.attachments.names import upload_name
from tasks.mattermost import FileInfo, Post
from tasks.outbound.marks import mark_of
from tasks.rendering import DEFAULT_LOCALE, WORDINGS, Locale, file_note, safe_file_name


def lost_files_of(sent: Sequence[FileInfo], post: Post) -> list[str]:
    """Return the names of the files that were sent with the post and are not attached to it."""
    attached = set(post.file_ids)
    count = mark_of(post).get("files", 0) - len(attached)
    return [file.name for file in sent if file.id not in attached][: max(count, 0)]


def lost_files_of_earlier(items: Sequence[Attachment], post: Post) -> list[str]:
    """Return the names of the files that are missing in a post of an earlier attempt.

    The ids of those files are not known any more. The post's mark says with how many files it was
    sent. Its text names the files that were unavailable, in the team's language at that time. A
    file without an ending may have been given one.
    """
    count = mark_of(post).get("files", 0) - len(post.file_ids)
    if count <= 0:
        return []
    attached = Counter(file.name for file in post.files)
    named = Counter({_note(item): _times_named(item, post) for item in items})
    missing = [
        item
        for item in items
        if not _take_file(attached, item) and not _take_name(named, _note(item))
    ]
    return [item.name for item in missing][:count]


def _times_named(item: Attachment, post: Post) -> int:
    return sum(post.message.count(_note(item, Locale(wording))) for wording in WORDINGS.values())


def _note(item: Attachment, locale: Locale = DEFAULT_LOCALE) -> str:
    return file_note(name=item.name, reason="", locale=locale)


def _take_file(attached: Counter[str], item: Attachment) -> bool:
    """Remove the item's file from those that are attached; return whether it was among them."""
    plain = safe_file_name(item.name).rstrip(".")
    exact = upload_name(item.name, content_type=item.content_type)
    with_ending = (name for name in attached if name.rpartition(".")[0] == plain)
    return any(_take_name(attached, name) for name in [exact, *with_ending])


def _take_name(names: Counter[str], name: str) -> bool:
    """Remove one occurrence of the name; return False if none is left."""
    if names[name] <= 0:
        return False
    names[name] -= 1
    return True
