"""The command line lists unrecorded replies with their cure, and lets workers try them again."""

from __future__ import annotations

import pytest
from redis import Redis

from models import ReplyState
from tasks.wake import GIVE_RECEIPTS, RESOLVE_REPLY
from tests.operators import Operator, environment_of
from tests.stage.stage import LICENCE
from tests.stage.task_messages import taken
from tests.stage.thread import MirroredThread

pytestmark = pytest.mark.one_database


@pytest.fixture
def operator(thread: MirroredThread, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """The operator of the stage's installation, whose queue is empty."""
    settings = thread.stage.runtime.settings
    environment_of(settings, monkeypatch)
    with Redis.from_url(settings.redis_url) as redis:
        redis.delete("mattermost")
    return Operator(settings)


def woken(thread: MirroredThread) -> list[int]:
    """Return the ids of the replies for which a worker was woken, in order."""
    found: list[int] = []
    for headers, keywords in taken(thread.stage.runtime.settings.redis_url, "mattermost"):
        if headers["task"] == GIVE_RECEIPTS:
            continue
        assert headers["task"] == RESOLVE_REPLY
        found += keywords["reply_ids"]
    return found


def given_up(thread: MirroredThread, message: str = "hello") -> int:
    """Receive a reply and let it be given up; return its id."""
    reply_id = thread.receive(thread.say(message).id)
    thread.give_up(reply_id)
    return reply_id


def test_reply_that_was_given_up_is_listed_with_its_cure_and_without_its_text(
    thread: MirroredThread, operator: Operator
) -> None:
    """A reply that was given up is listed with post, reason and cure, without its text."""
    reply_id = given_up(thread, "secret words")

    (entry,) = operator.json("replies")["replies"]
    table = operator.run("replies", LICENCE).stdout

    row = thread.reply(reply_id)
    assert row is not None
    assert {name: entry[name] for name in entry if name not in {"received_at", "detail"}} == {
        "id": reply_id,
        "licence": LICENCE,
        "post_id": row.post_id,
        "path": "webhook",
        "given_up": True,
        "next_attempt_at": None,
        "reason": "token_rejected",
        "cure": "Check that the bot and its owner are active; store a new token if it stays "
        "rejected.",
    }
    assert entry["detail"].startswith(f"GET /posts/{row.post_id}: the bot token was rejected")
    assert entry["cure"] in table
    assert "secret" not in table


def test_reply_that_waits_says_why_and_until_when(
    thread: MirroredThread, operator: Operator
) -> None:
    """A waiting reply is listed; a tried one has its reason and the time of its next attempt."""
    tried, fresh = (thread.receive(thread.say(text).id) for text in ("one", "two"))
    with thread.fault("down"):
        thread.resolve(tried)

    found = operator.json("replies")["replies"]

    assert [(each["id"], each["given_up"], each["reason"]) for each in found] == [
        (tried, False, "connection_cut"),
        (fresh, False, None),
    ]
    assert found[0]["next_attempt_at"] > found[0]["received_at"]


@pytest.mark.parametrize("words", [["--files"], []], ids=["all", "by id"])
def test_missing_file_is_fetched_again(
    thread: MirroredThread, operator: Operator, words: list[str]
) -> None:
    """A missing file is fetched again, and the reply gets a new revision."""
    reply_id = thread.receive(thread.say("look", file_ids=thread.upload(b"x")).id)
    with thread.fault("accept_then_drop", scope="files"):
        for _ in range(3):
            thread.resolve(reply_id)
            thread.stage.runtime.circuits.close(LICENCE)
    (missing,) = thread.attachments(reply_id)

    asked = operator.json("collect", LICENCE, *(words or [str(reply_id)]))["asked"]
    thread.resolve(*woken(thread))

    row, (file,) = thread.reply(reply_id), thread.attachments(reply_id)
    assert row is not None
    assert (missing.reason, asked) == ("connection_cut", [reply_id])
    assert (row.state, row.revision, file.reason) == (ReplyState.RECORDED, 2, None)
    assert (thread.stage.store / str(file.path)).read_bytes() == b"x"


def test_file_that_is_refused_again_is_told_as_nothing_new(
    thread: MirroredThread, operator: Operator
) -> None:
    """A file that is refused again keeps its reason, and the reply gets no new revision."""
    thread.change_licence(max_file_size_bytes=5)
    row = thread.recorded(thread.say("look", file_ids=thread.upload(b"larger")))

    for _ in range(2):
        asked = operator.json("collect", LICENCE, "--files")["asked"]
        thread.resolve(*woken(thread))

    again, (file,) = thread.reply(row.id), thread.attachments(row.id)
    assert again is not None
    assert asked == [row.id]
    assert (again.state, again.revision, file.reason) == (ReplyState.RECORDED, 1, "too_large")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param([], [0, 1, 2], id="all"),
        pytest.param([LICENCE], [0, 1, 2], id="licence"),
        pytest.param(["--given-up"], [0, 2], id="given up"),
        pytest.param(["--reason", "token_rejected"], [0, 2], id="reason"),
        pytest.param(["--reason", "not_a_member"], [], id="another reason"),
        pytest.param(["--limit", "2"], [1, 2], id="newest"),
    ],
)
def test_list_can_be_narrowed(
    thread: MirroredThread, operator: Operator, words: list[str], found: list[int]
) -> None:
    """The list can be limited by licence, reason, state and number."""
    ids = [given_up(thread), thread.receive(thread.say("fresh").id), given_up(thread)]

    listed = operator.json("replies", *words)["replies"]

    assert [each["id"] for each in listed] == [ids[index] for index in found]


def test_recorded_reply_is_not_listed_and_has_no_reason_left(
    thread: MirroredThread, operator: Operator
) -> None:
    """A recorded reply is not listed and has no reason."""
    reply_id = given_up(thread)
    thread.resolve(reply_id)

    answer = operator.json("replies")
    row = thread.reply(reply_id)

    assert answer == {"replies": []}
    assert operator.run("replies").stdout == "All replies are recorded.\n"
    assert row is not None
    assert (row.state, row.reason, row.detail) == (ReplyState.RECORDED, None, None)


def test_reply_is_asked_for_again_and_loses_its_warning(
    thread: MirroredThread, operator: Operator
) -> None:
    """After the cause is fixed, the reply is recorded and loses its warning."""
    reply_id = given_up(thread)
    post_id = operator.json("replies")["replies"][0]["post_id"]
    before = thread.marks(post_id)

    answer = operator.json("collect", LICENCE, str(reply_id))
    thread.resolve(*woken(thread))

    assert answer == {"asked": [reply_id], "left": []}
    row = thread.reply(reply_id)
    assert row is not None
    assert row.state is ReplyState.RECORDED
    assert (before, thread.marks(post_id)) == (
        [("bot", "warning")],
        [("bot", "white_check_mark")],
    )


def test_all_of_a_licence_that_were_given_up_are_asked_for_again(
    thread: MirroredThread, operator: Operator
) -> None:
    """All replies that were given up are tried again, or only those with a given reason."""
    ids = [given_up(thread), thread.receive(thread.say("fresh").id), given_up(thread)]

    none = operator.json("collect", LICENCE, "--reason", "not_a_member")
    all_of_them = operator.json("collect", LICENCE)

    assert (none["asked"], all_of_them["asked"]) == ([], [ids[0], ids[2]])
    assert woken(thread) == [ids[0], ids[2]]


def test_reply_that_cannot_be_asked_for_is_left_with_exit_code_1(
    thread: MirroredThread, operator: Operator
) -> None:
    """Recorded replies and unknown ids are named, and the exit code is 1."""
    recorded = thread.recorded(thread.say("done")).id

    answer = operator.json("collect", LICENCE, str(recorded), "999", exit_code=1)

    assert answer == {"asked": [], "left": [999, recorded]}
    assert woken(thread) == []


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        pytest.param(["collect"], 2, id="no licence at all"),
        pytest.param(["collect", LICENCE, "1", "--reason", "timeout"], 2, id="reason of an id"),
        pytest.param(["replies", "--reason", "bad_luck"], 2, id="no reason"),
        pytest.param(["replies", "L9"], 1, id="no licence"),
        pytest.param(["collect", "L9"], 1, id="no licence to collect"),
    ],
)
def test_wrong_call_is_refused(operator: Operator, words: list[str], exit_code: int) -> None:
    """A wrong option or licence is an error."""
    assert operator.run(*words).exit_code == exit_code


def test_status_counts_what_was_given_up(thread: MirroredThread, operator: Operator) -> None:
    """Status counts the replies that were given up, beside all open ones."""
    given_up(thread)
    thread.receive(thread.say("fresh").id)

    (found,) = operator.json("status")["licences"]

    assert (found["replies_open"], found["replies_given_up"]) == (2, 1)
