"""Check the promises after a load, whatever faults happened during it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from demo.mattermost.received import Received

States = Mapping[tuple[str, str], str]


class BrokenPromiseError(AssertionError):
    """A promise was not kept; the message names the promise and the conversation."""


def assert_kept(
    conversations: Sequence[str],
    message_ids: Sequence[str],
    *,
    posts: Iterable[Received],
    states: States,
) -> None:
    """Assert that each sent message was posted once, in order, and under one root.

    A failed message must not be posted. ``posts`` is the server's record; ``states`` holds the
    state of each message in the ledger.

    Raises:
        BrokenPromiseError: a message is lost, doubled, out of order, or under a second root.
    """
    expected = {(conversation, each) for conversation in conversations for each in message_ids}
    if set(states) != expected:
        raise BrokenPromiseError(f"not in the ledger: {sorted(expected ^ set(states))[:5]}")
    by_conversation = _by_conversation(posts)
    for conversation in conversations:
        sent = [each for each in message_ids if states[conversation, each] == "sent"]
        _assert_one_thread(conversation, by_conversation[conversation])
        _assert_once_and_in_order(conversation, by_conversation[conversation], sent)
        failed = [each for each in message_ids if states[conversation, each] == "failed"]
        _assert_missing_are_named(conversation, by_conversation[conversation], message_ids, failed)


def _by_conversation(posts: Iterable[Received]) -> defaultdict[str, list[Received]]:
    found: defaultdict[str, list[Received]] = defaultdict(list)
    for post in posts:
        # A notification belongs to no conversation.
        if "conversation_id" in (post.props or {}).get("ireserve", {}):
            assert post.props is not None
            found[post.props["ireserve"]["conversation_id"]].append(post)
    return found


def _assert_one_thread(conversation: str, posts: Sequence[Received]) -> None:
    roots = [post.post_id for post in posts if not post.root_id]
    named = {post.root_id for post in posts if post.root_id}
    if len(roots) > 1 or not named <= set(roots):
        raise BrokenPromiseError(f"{len(roots)} roots, {len(named)} threads: {conversation}")


def _assert_once_and_in_order(
    conversation: str, posts: Sequence[Received], sent: Sequence[str]
) -> None:
    marks = [post.props["ireserve"] for post in posts if post.root_id and post.props]
    parts = [(mark["message_id"], mark["part"]) for mark in marks]
    doubled = [part for part, count in Counter(parts).items() if count > 1]
    if doubled:
        raise BrokenPromiseError(f"posted twice: {conversation}, {doubled[:5]}")
    # The posts of one message follow each other.
    order = [message_id for message_id, _ in groupby(message_id for message_id, _ in parts)]
    if order != list(sent):
        raise BrokenPromiseError(f"not what was sent, in its order: {conversation}, {order}")


def _assert_missing_are_named(
    conversation: str, posts: Sequence[Received], message_ids: Sequence[str], failed: Sequence[str]
) -> None:
    """Assert that the message after failed ones says how many are missing, and no other does."""
    expected, missing = {}, 0
    for each in message_ids:
        if each in failed:
            missing += 1
        elif missing:
            expected[each], missing = missing, 0
    marks = [post.props["ireserve"] for post in posts if post.props]
    told = {mark["message_id"]: mark["missing"] for mark in marks if "missing" in mark}
    if told != expected:
        raise BrokenPromiseError(f"missing: {conversation} names {told}, and lacks {expected}")


def missing_notices(
    conversations: Sequence[str], notices: Iterable[Mapping[str, Any]], *, states: States
) -> set[tuple[str, str]]:
    """Return the failures and threads of which i-Reserve was not told."""
    told = {
        (each["conversation_id"], each["message_id"] or each["event"])
        for each in notices
        if each["event"] == "thread_linked" or each["kind"] == "reply"
    }
    failed = {key for key, state in states.items() if state == "failed"}
    return failed.union((each, "thread_linked") for each in conversations) - told
