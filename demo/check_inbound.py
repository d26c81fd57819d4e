"""Answer in the threads as a member, and check what i-Reserve then has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from sqlalchemy import func, select

from demo.installation import CATCH_UP_INTERVAL_S, SAMPLE
from demo.ireserve.configuration import Configuration
from demo.ireserve.store import Message, MessageState, Store
from models import Database, Delivery, DeliveryState, Reply, ReplySource
from tasks.failures import OwnReason
from tasks.mattermost import MattermostClient, Post

# The webhook takes well under a second; a busy machine may need longer.
PROMPT_S = 5.0
# Two runs of the catch-up, and time to process what they find.
LATE_S = 2.0 * CATCH_UP_INTERVAL_S + 10.0
POLL_S = 0.05
# The replies of the sample in the public channel, in order.
PUBLIC = ("picture", "note", "edited", "deleted")

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: the claim, and whether it holds."""

    claim: str
    is_ok: bool

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"  {'ok    ' if self.is_ok else 'FAILED'}  {self.claim}"


@dataclass(frozen=True, slots=True)
class InboundCheck:
    """What the check needs: the member who answers, the threads, and i-Reserve's data.

    ``user_id`` is the member's id in i-Reserve; None if the member's e-mail is hidden.
    ``thread`` holds the bot's posts so far, the root first. Without a webhook, catch-up brings
    every reply.
    """

    server_url: str
    member: MattermostClient
    member_token: str = field(repr=False)
    ireserve: Configuration
    database: Database
    user_id: str | None
    thread: Sequence[Post]
    private_root: Post | None
    has_webhook: bool

    @property
    def store(self) -> Store:
        """Return i-Reserve's store."""
        return Store(self.ireserve.store)

    @property
    def root(self) -> Post:
        """Return the root post of the public thread."""
        return self.thread[0]

    def write(self, reply: Mapping[str, str], root: Post) -> Post:
        """Post a reply of the sample into the thread, with its file."""
        file_ids = [self._upload(reply["file"], root.channel_id)] if "file" in reply else []
        return self.member.create_post(
            channel_id=root.channel_id, message=reply["text"], root_id=root.id, file_ids=file_ids
        )

    def _upload(self, name: str, channel_id: str) -> str:
        path = SAMPLE / name
        with path.open("rb") as stream:
            uploaded = self.member.upload_file(
                channel_id=channel_id, name=name, stream=stream, size_bytes=path.stat().st_size
            )
        return uploaded.id

    def reactions(self, post: Post) -> list[str]:
        """Return the names of the reactions on the post."""
        answer = requests.get(
            f"{self.server_url}/api/v4/posts/{post.id}/reactions",
            headers={"Authorization": f"Bearer {self.member_token}"},
            timeout=LATE_S,
        )
        # The server answers null when the post has no reactions.
        return [reaction["emoji_name"] for reaction in answer.json() or ()]

    def wait(self, condition: Callable[[], _Value]) -> _Value:
        """Return the condition's first true value, or its last value at the deadline."""
        deadline = time.monotonic() + LATE_S
        while not (value := condition()) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        return value

    def arrived(self, post: Post) -> Message | None:
        """Wait for i-Reserve's message of this post; return None if none comes."""
        return self.wait(lambda: self.store.message_of_post(post.id))

    def source(self, post: Post) -> ReplySource | None:
        """Return whether the webhook or catch-up brought the post."""
        with self.database.transaction() as session:
            return session.scalar(select(Reply.source).where(Reply.post_id == post.id))


def check_inbound(
    check: InboundCheck, replies: Mapping[str, Mapping[str, str]]
) -> Iterator[Finding]:
    """Write the replies of the sample, and yield each finding at once."""
    written: dict[str, Post] = {}
    if check.private_root is not None:
        written["private"] = check.write(replies["private"], check.private_root)
    for name in PUBLIC:
        written[name] = check.write(replies[name], check.root)
        started = time.monotonic()
        message = check.arrived(written[name])
        yield _arrival(check, name, message, seconds=time.monotonic() - started)
    if check.has_webhook:
        yield _by_webhook(check, [written[name] for name in PUBLIC])
    yield from _changes(check, replies, written)
    if "private" in written:
        yield _private(check, written["private"])
    yield _receipts(check, written)
    yield _not_doubled(check, written)


def _arrival(check: InboundCheck, name: str, message: Message | None, *, seconds: float) -> Finding:
    limit_s = PROMPT_S if check.has_webhook else LATE_S
    title = {
        "picture": "a reply with its picture is in i-Reserve",
        "note": "a note is in i-Reserve, and not among what the visitor sees",
    }.get(name, f"the reply that will be {name} is in i-Reserve")
    return Finding(
        f"{title}, {_whose(check)}, after {seconds:.1f} s",
        message is not None
        and seconds <= limit_s
        and message.author_user_id == check.user_id
        and (name != "picture" or _has_picture(check, message))
        and (name != "note" or _is_internal(check, message)),
    )


def _whose(check: InboundCheck) -> str:
    return f"as {check.user_id}'s" if check.user_id else "as an unknown user's (e-mail hidden)"


def _has_picture(check: InboundCheck, message: Message) -> bool:
    expected = (SAMPLE / "lake-house.png").read_bytes()
    files = [check.ireserve.attachments / file["path"] for file in message.attachments]
    return message.visibility == "public" and [file.read_bytes() for file in files] == [expected]


def _is_internal(check: InboundCheck, message: Message) -> bool:
    visible = check.store.visible_to_visitor(message.licence_id, message.conversation_id)
    return message.visibility == "internal" and message not in visible


def _by_webhook(check: InboundCheck, posts: Sequence[Post]) -> Finding:
    # Catch-up runs at its own interval, so it may find a post before its webhook comes.
    count = [check.source(post) for post in posts].count(ReplySource.WEBHOOK)
    return Finding(f"the webhook brought {count} of {len(posts)} of them", count > len(posts) / 2)


def _changes(
    check: InboundCheck, replies: Mapping[str, Mapping[str, str]], written: Mapping[str, Post]
) -> Iterator[Finding]:
    check.member.patch_post(written["edited"].id, message=replies["edited"]["becomes"])
    check.member.delete_post(written["deleted"].id)
    # The web chat shows plain text, without the asterisks.
    becomes = replies["edited"]["becomes"].replace("*", "")
    edited = _in_state(check, written["edited"], MessageState.EDITED)
    yield Finding("an edit arrives (catch-up)", edited is not None and edited.plain_text == becomes)
    deleted = _in_state(check, written["deleted"], MessageState.DELETED)
    yield Finding("a deletion arrives (catch-up)", deleted is not None and not deleted.text)


def _in_state(check: InboundCheck, post: Post, state: MessageState) -> Message | None:
    def found() -> Message | None:
        message = check.store.message_of_post(post.id)
        return message if message and message.state is state else None

    return check.wait(found)


def _private(check: InboundCheck, post: Post) -> Finding:
    message = check.arrived(post)
    return Finding(
        "a reply in a private channel arrives (catch-up)",
        message is not None and check.source(post) is ReplySource.CATCH_UP,
    )


def _receipts(check: InboundCheck, written: Mapping[str, Post]) -> Finding:
    expected = {
        name: ["lock" if name == "note" else "white_check_mark"]
        for name in written
        if name != "deleted"
    }
    is_ok = check.wait(
        lambda: {name: check.reactions(written[name]) for name in expected} == expected
    )
    return Finding("the bot's receipt is on each post", is_ok)


def _not_doubled(check: InboundCheck, written: Mapping[str, Post]) -> Finding:
    """Check that i-Reserve enqueued each reply again, and that none was posted again."""
    skipped = check.wait(lambda: _count_skipped(check) == len(written))
    # A duplicate would have its own post id. The server itself may list the root twice.
    posts = {post.id for post in check.member.get_thread(check.root.id)}
    replies = {written[name].id for name in PUBLIC if name != "deleted"}
    return Finding(
        "nothing came back to Mattermost: each post is there once",
        skipped and posts == {post.id for post in check.thread} | replies,
    )


def _count_skipped(check: InboundCheck) -> int:
    statement = select(func.count()).where(
        Delivery.state == DeliveryState.SKIPPED, Delivery.reason == OwnReason.FROM_MATTERMOST
    )
    with check.database.transaction() as session:
        return session.execute(statement).scalar_one()
