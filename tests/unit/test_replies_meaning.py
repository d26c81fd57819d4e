"""What a post means, what its author is called, and where its files are stored."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import ReplyMode, Visibility
from tasks.mattermost import Member, Post
from tasks.replies.authors import display_name
from tasks.replies.file_paths import path_of
from tasks.replies.meaning import (
    RULES,
    Facts,
    Ignored,
    Meaning,
    Means,
    Needs,
    ThreadKind,
    begins_a_thread,
    meaning_of,
    why_ignored,
)

ALERTS, EXPLICIT = ReplyMode.ALERTS, ReplyMode.EXPLICIT
ROOT = Path(__file__).parents[2]
BOT, MEMBER = "b" * 26, "m" * 26
REPLY = {"id": "p1", "channel_id": "c1", "user_id": MEMBER, "root_id": "r1", "message": "hi"}
PERSON = {"id": "u1", "username": "eva"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, None, id="reply"),
        pytest.param({"type": "me"}, None, id="slash me"),
        pytest.param({"message": ""}, None, id="no words"),
        pytest.param({"props": {"from_bot": "true"}}, None, id="calls himself a bot"),
        pytest.param({"props": {"ireserve": {"key": "x"}}}, None, id="copied our key"),
        pytest.param({"props": {"from_webhook": "false"}}, None, id="not from a webhook"),
        pytest.param({"root_id": ""}, Ignored.ROOT_POST, id="root"),
        pytest.param({"original_id": "p0"}, Ignored.HISTORY_COPY, id="earlier version"),
        pytest.param({"user_id": BOT}, Ignored.OWN_POST, id="our bot"),
        pytest.param({"type": "system_join_channel"}, Ignored.SYSTEM_MESSAGE, id="system"),
        pytest.param({"type": "custom_poll"}, None, id="plugin"),
        pytest.param({"props": {"from_webhook": "true"}}, None, id="webhook"),
    ],
)
def test_post_says_itself_why_it_is_no_reply(
    changes: dict[str, Any], expected: Ignored | None
) -> None:
    """Only a person's post in a thread can be a reply; a post's own fields say why not."""
    assert why_ignored(Post.parse({**REPLY, **changes}), bot_user_id=BOT) == expected


def _facts(changes: dict[str, Any], **known: Any) -> Facts:
    names = ("went_with_its_thread", "is_by_a_bot", "is_a_note", "is_a_command", "is_empty")
    no = dict.fromkeys((*names, "lacks_a_prefix"), False)
    answers = {"thread": ThreadKind.OF_A_CONVERSATION, "unchanged_visibility": None, **no}
    plain: dict[str, Any] = {
        name: known.pop(name) for name in ("recorded_at_ms", "now_ms", "mode") if name in known
    }
    asked: dict[str, Any] = {
        name: lambda answer=answer: answer for name, answer in {**answers, **known}.items()
    }
    return Facts(Post.parse({**REPLY, **changes}), BOT, **plain, **asked)


@pytest.mark.parametrize(
    ("changes", "known", "expected"),
    [
        pytest.param({}, {}, Means.REPLY, id="reply"),
        pytest.param({}, {"is_a_note": True}, Means.NOTE, id="note"),
        pytest.param({}, {"is_empty": True}, Means.NOTHING_TO_SHOW, id="nothing to show"),
        pytest.param({}, {"is_empty": True, "is_a_note": True}, Means.NOTE, id="empty note"),
        pytest.param({}, {"is_by_a_bot": True}, Ignored.OTHER_BOT, id="another bot"),
        pytest.param(
            {},
            {"is_by_a_bot": True, "is_a_note": True},
            Ignored.OTHER_BOT,
            id="a note by another bot",
        ),
        pytest.param(
            {}, {"thread": ThreadKind.UNKNOWN}, Ignored.UNKNOWN_THREAD, id="another thread"
        ),
        pytest.param({}, {"thread": ThreadKind.UNLINKED}, Means.UNLINKED, id="not linked yet"),
        pytest.param({"type": "custom_poll"}, {}, Ignored.CUSTOM_POST, id="custom post"),
        pytest.param({"props": {"from_webhook": "true"}}, {}, Ignored.WEBHOOK, id="webhook"),
        pytest.param({"props": {"from_webhook": True}}, {}, Ignored.WEBHOOK, id="webhook, bool"),
        pytest.param(
            {"type": "custom_poll"}, {"is_by_a_bot": True}, Ignored.OTHER_BOT, id="a bot's poll"
        ),
        pytest.param(
            {},
            {"thread": ThreadKind.NOTIFICATION, "is_a_note": True},
            Ignored.NOTIFICATION_THREAD,
            id="under a notification",
        ),
        pytest.param({}, {"thread": ThreadKind.MOVED}, Ignored.MOVED_THREAD, id="moved thread"),
        pytest.param({"update_at": 5}, {"recorded_at_ms": 4}, Means.REPLY, id="a later version"),
        pytest.param({"update_at": 5}, {"recorded_at_ms": 5}, Means.OLD_VERSION, id="same version"),
        pytest.param({"update_at": 5}, {"recorded_at_ms": 6}, Means.OLD_VERSION, id="old version"),
        pytest.param({"delete_at": 9}, {"recorded_at_ms": 5}, Means.DELETION, id="deletion"),
        pytest.param(
            {"update_at": 5},
            {"recorded_at_ms": 9, "now_ms": 6},
            Means.REPLY,
            id="a change of a post that is dated ahead",
        ),
        pytest.param(
            {"update_at": 9},
            {"recorded_at_ms": 9, "now_ms": 6},
            Means.OLD_VERSION,
            id="the same version of a post that is dated ahead",
        ),
        pytest.param(
            {"delete_at": 9},
            {"recorded_at_ms": 5, "went_with_its_thread": True},
            Means.GONE_WITH_THREAD,
            id="deletion with the thread",
        ),
        pytest.param(
            {"delete_at": 9},
            {"went_with_its_thread": True},
            Ignored.DELETED,
            id="never seen and deleted with the thread",
        ),
        pytest.param({"delete_at": 9}, {}, Ignored.DELETED, id="never seen and deleted"),
        pytest.param({}, {"is_a_command": True}, Means.COMMAND, id="command"),
        pytest.param({}, {"mode": ALERTS}, Means.NOTE, id="alerts"),
        pytest.param({}, {"mode": EXPLICIT}, Means.REPLY, id="with a reply prefix"),
        pytest.param(
            {}, {"mode": EXPLICIT, "lacks_a_prefix": True}, Means.NOTE, id="without a reply prefix"
        ),
        pytest.param({}, {"lacks_a_prefix": True}, Means.REPLY, id="a prefix that is not wanted"),
        pytest.param(
            {},
            {"mode": EXPLICIT, "is_a_note": True},
            Means.NOTE,
            id="a note behind a reply prefix",
        ),
        pytest.param(
            {},
            {"mode": EXPLICIT, "is_empty": True},
            Means.NOTHING_TO_SHOW,
            id="nothing behind a reply prefix",
        ),
        pytest.param(
            {},
            {"mode": ALERTS, "is_empty": True},
            Means.NOTHING_TO_SHOW,
            id="nothing to show in alerts",
        ),
        pytest.param(
            {},
            {"mode": ALERTS, "unchanged_visibility": Visibility.PUBLIC},
            Means.REPLY,
            id="a reply from before the mode, as it was",
        ),
        pytest.param(
            {},
            {"unchanged_visibility": Visibility.INTERNAL},
            Means.NOTE,
            id="a note from before the mode, as it was",
        ),
        pytest.param(
            {},
            {"mode": ALERTS, "thread": ThreadKind.UNKNOWN},
            Ignored.UNKNOWN_THREAD,
            id="another thread in alerts",
        ),
        pytest.param(
            {"delete_at": 9, "user_id": BOT}, {}, Ignored.DELETED, id="our own post, deleted"
        ),
    ],
)
def test_first_rule_that_holds_says_what_a_post_means(
    changes: dict[str, Any], known: dict[str, Any], expected: Meaning
) -> None:
    """The first matching rule decides, in the order post, row, thread, author and text."""
    assert meaning_of(_facts(changes, **known)) is expected


def test_docs_show_the_table_as_it_is() -> None:
    """The docs show each rule in order, in the words of the code."""
    page = (ROOT / "docs" / "replies.md").read_text()
    rows = [f"| {rule.says} | `{rule.meaning.value}` |" for rule in RULES]
    table = "\n".join(["| a post that | is |", "|---|---|", *rows])

    assert f"\n\n{table}\n\n" in page


def test_nothing_is_asked_for_that_no_rule_needs() -> None:
    """If a post's own fields show that it is no reply, nothing else is asked for."""
    root_post = Post.parse({**REPLY, "root_id": ""})

    assert meaning_of(Facts(root_post, BOT)) is Ignored.ROOT_POST


def test_each_meaning_has_a_rule_but_for_the_post_that_is_not_there() -> None:
    """Each meaning has a rule, except the meaning of a missing post."""
    assert {rule.meaning for rule in RULES} == {*Means, *Ignored} - {Ignored.NOT_THERE}


def test_rules_ask_for_more_and_more() -> None:
    """Rules that need only post and row come first, then come thread, author and text."""
    order = [Needs.THREAD, Needs.AUTHOR, Needs.TEXT]
    beyond = [rule.needs for rule in RULES if rule.needs in order]

    assert beyond == sorted(beyond, key=order.index)
    assert [rule.needs for rule in RULES[-len(beyond) :]] == beyond


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"user_id": BOT, "props": {"ireserve": {"conversation_id": "c1"}}}, True),
        ({"user_id": BOT, "props": {"ireserve": {"key": "x"}}}, False),
        ({"user_id": BOT, "props": {"ireserve": "x"}}, False),
        ({"user_id": BOT}, False),
        ({"user_id": MEMBER, "props": {"ireserve": {"conversation_id": "c1"}}}, False),
    ],
)
def test_our_root_post_names_its_conversation(changes: dict[str, Any], expected: bool) -> None:
    """A post of our bot that names a conversation begins a thread; a member's copy does not."""
    assert begins_a_thread(Post.parse({**REPLY, **changes}), bot_user_id=BOT) is expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"first_name": "Eva", "last_name": "Jansen", "nickname": "ej"}, "Eva Jansen"),
        ({"last_name": "Jansen"}, "Jansen"),
        ({"nickname": "ej"}, "ej"),
        ({"first_name": " ", "nickname": "\n"}, "eva"),
        ({}, "eva"),
    ],
)
def test_member_goes_by_the_fullest_name_there_is(names: dict[str, str], expected: str) -> None:
    """A member is shown by full name, else nickname, else user name."""
    assert display_name(Member.parse({**PERSON, **names})) == expected


@given(ids=st.tuples(*[st.text(min_size=1, max_size=100)] * 3))
def test_every_id_makes_one_harmless_path_component(ids: tuple[str, str, str]) -> None:
    """Any ids give three path components that are not empty, too long or unsafe."""
    components = path_of(*ids).split("/")

    assert len(components) == 3
    assert all(0 < len(each) <= 200 and each.isascii() for each in components)
    assert not {".", ".."} & set(components)
