"""What a post in a channel means: the first rule of ``RULES`` that holds decides.

Nothing else decides this. Each new meaning is a new line in that table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TypeAlias

from models import ReplyMode, Visibility
from tasks.mattermost import Post
from tasks.outbound.marks import mark_of

# A person also writes posts like "/me is looking". The server or a plugin makes all other types.
TYPES_OF_PEOPLE = frozenset({"", "me"})


class Means(StrEnum):
    """The meanings of posts that are not ignored."""

    REPLY = "reply"
    NOTE = "note"
    COMMAND = "command"
    NOTHING_TO_SHOW = "nothing_to_show"
    DELETION = "deletion"
    GONE_WITH_THREAD = "gone_with_thread"
    OLD_VERSION = "old_version"
    UNLINKED = "unlinked"


class Ignored(StrEnum):
    """Why a post is no reply to a visitor."""

    ROOT_POST = "root_post"
    HISTORY_COPY = "history_copy"
    SYSTEM_MESSAGE = "system_message"
    WEBHOOK = "webhook"
    OWN_POST = "own_post"
    OTHER_BOT = "other_bot"
    UNKNOWN_THREAD = "unknown_thread"
    NOTIFICATION_THREAD = "notification_thread"
    MOVED_THREAD = "moved_thread"
    CUSTOM_POST = "custom_post"
    NOT_THERE = "not_there"
    DELETED = "deleted"

    @property
    def is_warned_about(self) -> bool:
        """Whether a person wrote the post, and is warned that no visitor reads it."""
        return self in _WARNED_ABOUT


_WARNED_ABOUT = frozenset(
    {Ignored.NOTIFICATION_THREAD, Ignored.MOVED_THREAD, Ignored.CUSTOM_POST, Ignored.WEBHOOK}
)

Meaning: TypeAlias = Means | Ignored


class ThreadKind(StrEnum):
    """Whose thread a post is in.

    ``unlinked``: our bot began it, and the link to its conversation may still be stored.
    ``moved``: the thread of a copied root post, or a thread that was replaced.
    """

    OF_A_CONVERSATION = "of_a_conversation"
    UNLINKED = "unlinked"
    NOTIFICATION = "notification"
    MOVED = "moved"
    UNKNOWN = "unknown"


class Needs(StrEnum):
    """What a rule needs, in order: first what is at hand, then what must be asked for."""

    POST = "post"
    ROW = "row"
    ROOT = "root post"
    THREAD = "thread"
    AUTHOR = "author"
    TEXT = "text"


def _not_asked_for() -> bool:
    raise AssertionError("no rule that needs the post alone asks for more")


def _not_recorded() -> None:
    return None


def _no_thread() -> ThreadKind:
    raise AssertionError("no rule that needs the post alone asks for its thread")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at; a callable is called only when a rule needs its answer.

    ``recorded_at_ms`` is the version of the post that is recorded (Mattermost's ``update_at``),
    None when none is. ``now_ms`` is the server's time. ``mode`` is the licence's.
    """

    post: Post
    bot_user_id: str
    recorded_at_ms: int | None = None
    now_ms: float = inf
    mode: ReplyMode = ReplyMode.ALL
    went_with_its_thread: Callable[[], bool] = _not_asked_for
    thread: Callable[[], ThreadKind] = _no_thread
    is_by_a_bot: Callable[[], bool] = _not_asked_for
    is_a_note: Callable[[], bool] = _not_asked_for
    is_a_command: Callable[[], bool] = _not_asked_for
    is_empty: Callable[[], bool] = _not_asked_for
    lacks_a_prefix: Callable[[], bool] = _not_asked_for
    # Who may read the recorded version, if the post still has its text and files; else None.
    unchanged_visibility: Callable[[], Visibility | None] = _not_recorded

    @property
    def is_deleted(self) -> bool:
        """Whether the post was deleted in Mattermost."""
        return bool(self.post.delete_at_ms)

    @property
    def is_recorded(self) -> bool:
        """Whether an earlier version of the post is recorded as a reply."""
        return self.recorded_at_ms is not None

    @property
    def is_no_newer(self) -> bool:
        """Whether the recorded version is this one, or a later one."""
        return self.recorded_at_ms is not None and not is_later_version(
            self.post.update_at_ms, self.recorded_at_ms, now_ms=self.now_ms
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the table; ``says`` is its text in docs/replies.md."""

    meaning: Meaning
    needs: Needs
    says: str
    holds: Callable[[Facts], bool]


# Our own key in ``props`` proves nothing by itself, since a member may copy a post's props. Neither
# does ``props.from_bot``, which any user can set: the author's account says whether it is a bot's.
# fmt: off
RULES: tuple[Rule, ...] = (
    Rule(Means.GONE_WITH_THREAD, Needs.ROOT,
         "was recorded, and was deleted together with its thread",
         lambda it: it.is_deleted and it.is_recorded and it.went_with_its_thread()),
    Rule(Means.DELETION, Needs.ROW, "was recorded, and is deleted",
         lambda it: it.is_deleted and it.is_recorded),
    Rule(Ignored.DELETED, Needs.ROW, "was deleted before it was recorded",
         lambda it: it.is_deleted),
    Rule(Means.OLD_VERSION, Needs.ROW, "is recorded in this version or a later one",
         lambda it: it.is_no_newer),
    Rule(Ignored.HISTORY_COPY, Needs.POST, "is Mattermost's copy of an earlier version",
         lambda it: bool(it.post.original_id)),
    Rule(Ignored.ROOT_POST, Needs.POST, "is in no thread", lambda it: not it.post.root_id),
    Rule(Ignored.OWN_POST, Needs.POST, "is our bot's own",
         lambda it: it.post.user_id == it.bot_user_id),
    Rule(Ignored.SYSTEM_MESSAGE, Needs.POST, "is a system message",
         lambda it: it.post.type.startswith("system_")),
    Rule(Means.UNLINKED, Needs.THREAD,
         "is in a thread that our bot began and that no conversation has yet",
         lambda it: it.thread() is ThreadKind.UNLINKED),
    Rule(Ignored.UNKNOWN_THREAD, Needs.THREAD, "is in a thread of no conversation",
         lambda it: it.thread() is ThreadKind.UNKNOWN),
    Rule(Ignored.OTHER_BOT, Needs.AUTHOR, "is by another bot", lambda it: it.is_by_a_bot()),
    Rule(Ignored.NOTIFICATION_THREAD, Needs.AUTHOR, "is under a notification",
         lambda it: it.thread() is ThreadKind.NOTIFICATION),
    Rule(Ignored.MOVED_THREAD, Needs.AUTHOR, "is in a thread that was moved or replaced",
         lambda it: it.thread() is ThreadKind.MOVED),
    Rule(Ignored.CUSTOM_POST, Needs.AUTHOR, "is a plugin's custom post",
         lambda it: not is_of_a_person(it.post)),
    Rule(Ignored.WEBHOOK, Needs.AUTHOR, "is made by a webhook or a slash command",
         lambda it: is_by_webhook(it.post)),
    Rule(Means.NOTE, Needs.TEXT, "has the text and files of a note that is recorded",
         lambda it: it.unchanged_visibility() is Visibility.INTERNAL),
    Rule(Means.REPLY, Needs.TEXT, "has the text and files of a reply that is recorded",
         lambda it: it.unchanged_visibility() is Visibility.PUBLIC),
    Rule(Means.NOTE, Needs.TEXT,
         "begins with a note prefix, a colleague's name, or a mention of all",
         lambda it: it.is_a_note()),
    Rule(Means.COMMAND, Needs.TEXT, "begins with `/` or `!` and a letter",
         lambda it: it.is_a_command()),
    Rule(Means.NOTHING_TO_SHOW, Needs.TEXT, "shows nothing: no visible sign, and no file",
         lambda it: it.is_empty()),
    Rule(Means.NOTE, Needs.TEXT, "is written in mode `alerts`",
         lambda it: it.mode is ReplyMode.ALERTS),
    Rule(Means.NOTE, Needs.TEXT, "is written in mode `explicit`, without a reply prefix",
         lambda it: it.mode is ReplyMode.EXPLICIT and it.lacks_a_prefix()),
    Rule(Means.REPLY, Needs.TEXT, "is anything else", lambda it: True),
)
# fmt: on
_BY_THE_POST_ALONE = tuple(rule for rule in RULES if rule.needs is Needs.POST)


def meaning_of(facts: Facts) -> Meaning:
    """Return what the post means; this asks only for facts that a rule needs."""
    return next(rule.meaning for rule in RULES if rule.holds(facts))


def is_later_version(update_at_ms: int, recorded_at_ms: int, *, now_ms: float) -> bool:
    """Return whether a version of a post is later than the recorded one.

    A post may be dated in the future. Then each change gives it an earlier time.
    """
    is_dated_ahead = recorded_at_ms > now_ms
    return update_at_ms > recorded_at_ms or (is_dated_ahead and update_at_ms != recorded_at_ms)


def why_ignored(post: Post, *, bot_user_id: str) -> Meaning | None:
    """Return why the post is no reply, from the post alone; None: it may be a reply."""
    facts = Facts(post, bot_user_id)
    return next((rule.meaning for rule in _BY_THE_POST_ALONE if rule.holds(facts)), None)


def begins_a_thread(root: Post, *, bot_user_id: str) -> bool:
    """Return whether this post of our bot is the root post of a conversation."""
    return root.user_id == bot_user_id and "conversation_id" in mark_of(root)


def is_of_a_person(post: Post) -> bool:
    """Return whether people write posts of this type."""
    return post.type in TYPES_OF_PEOPLE


def is_by_webhook(post: Post) -> bool:
    """Return whether an incoming webhook or a slash command made the post."""
    return post.props.get("from_webhook") in ("true", True)
