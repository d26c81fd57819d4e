"""Observed behaviour of outgoing webhooks: triggers, calls, and what answers do."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.receiver import Call, Receiver
from tests.contract.recordings import CASE_NAMES, RECORDINGS, Recording
from tests.contract.server import ServerUnderTest
from tests.waiting import wait_until

_ANY = RECORDINGS["11.6.0"].cases
ANSWERS = [
    name for name in CASE_NAMES if name.startswith("hook_answer.") and "request" in _ANY[name]
]


@pytest.fixture
def hook(server: ServerUnderTest, receiver: Receiver) -> Iterator[dict[str, Any]]:
    """A JSON webhook on the channel `webchat`, deleted after the test."""
    created = server.admin.hook(server.team_id, server.webchat_id, receiver.url)
    yield created
    server.admin.delete(f"/hooks/outgoing/{created['id']}")


def stable_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers, without values that differ with every call."""
    return {k: "" if k in ("Host", "Content-Length") else v for k, v in headers.items()}


def only_call(receiver: Receiver, post_id: str) -> Call:
    """Wait for the call about a post; return it, and check that no other came."""
    wait_until(lambda: receiver.calls_for(post_id), what="the call about the post")
    calls = receiver.calls_for(post_id)
    assert len(calls) == 1
    return calls[0]


def expected_fields(
    server: ServerUnderTest, hook: dict[str, Any], post: dict[str, Any]
) -> dict[str, Any]:
    """Return the payload for a post by Anna."""
    return {
        "token": hook["token"],
        "team_id": server.team_id,
        "team_domain": server.team_name,
        "channel_id": server.webchat_id,
        "channel_name": server.webchat_name,
        "timestamp": post["create_at"],
        "user_id": server.anna.user_id,
        "user_name": server.anna.username,
        "post_id": post["id"],
        "text": post["message"],
        "trigger_word": "",
        "file_ids": ",".join(post.get("file_ids", [])),
    }


def test_json_call_is_the_recorded_one(
    server: ServerUnderTest, receiver: Receiver, hook: dict[str, Any], recording: Recording
) -> None:
    """Headers and keys are as recorded, in order; the file ids are sorted, and no root is named."""
    files = [server.anna.file_id(server.webchat_id) for _ in range(2)]
    root = server.anna.posted(server.webchat_id)
    post = server.anna.posted(
        server.webchat_id, "Hello from **Anna** :wave: é", root_id=root["id"], file_ids=files
    )

    call = only_call(receiver, post["id"])

    recorded = recording.outgoing_webhook["of_agent_reply"][0]
    assert stable_headers(call.headers) == stable_headers(recorded["headers"])
    assert list(call.fields()) == list(json.loads(recorded["body"]))
    assert call.fields() == expected_fields(server, hook, post)


def test_post_with_files_alone_fires(
    server: ServerUnderTest, receiver: Receiver, hook: dict[str, Any]
) -> None:
    """A post without text triggers a webhook that has no trigger words."""
    file_id = server.anna.file_id(server.webchat_id)
    post = server.anna.posted(server.webchat_id, "", file_ids=[file_id])

    call = only_call(receiver, post["id"])

    assert call.fields() == expected_fields(server, hook, post)


@pytest.mark.usefixtures("hook")
def test_post_of_the_bot_fires(
    server: ServerUnderTest, receiver: Receiver, recording: Recording
) -> None:
    """The bot's own posts trigger the webhook, even if the props say that a webhook made them."""
    plain = server.bot.posted(server.webchat_id, "by bot")
    marked = server.bot.posted(server.webchat_id, "by bot", props={"from_webhook": "true"})

    calls = [only_call(receiver, post["id"]) for post in (plain, marked)]

    assert {call.fields()["user_id"] for call in calls} == {server.bot.user_id}
    assert recording.cases["hook.of_bot_from_webhook_prop"]["n"] == len(calls[1:])


def test_form_call_is_the_recorded_one(
    server: ServerUnderTest, receiver: Receiver, recording: Recording
) -> None:
    """In a form, the fields are sorted, and the timestamp is in seconds."""
    hook = server.admin.hook(
        server.team_id,
        server.webchat_id,
        receiver.url,
        content_type="application/x-www-form-urlencoded",
    )
    post = server.anna.posted(server.webchat_id, "ünï & form = yes")

    call = only_call(receiver, post["id"])
    server.admin.delete(f"/hooks/outgoing/{hook['id']}")

    recorded = recording.cases["hook.form"]["hook"]
    seconds = {"timestamp": str(post["create_at"] // 1000)}
    assert stable_headers(call.headers) == stable_headers(recorded["headers"])
    assert re.findall(r"(?:^|&)(\w+)=", call.body) == re.findall(r"(?:^|&)(\w+)=", recorded["body"])
    assert call.fields() == expected_fields(server, hook, post) | seconds


@pytest.mark.usefixtures("hook")
def test_edits_deletions_and_private_posts_do_not_fire(
    server: ServerUnderTest, receiver: Receiver, recording: Recording
) -> None:
    """Only new posts in public channels trigger it; the last post shows that no other call came."""
    private = server.anna.posted(server.private_id, "in private")
    post = server.anna.posted(server.webchat_id, "first")
    only_call(receiver, post["id"])
    server.anna.patch(post["id"], message="edited")
    server.anna.delete(f"/posts/{post['id']}")
    last = server.anna.posted(server.webchat_id, "last")

    only_call(receiver, last["id"])

    assert (
        receiver.calls_for(private["id"]) == recording.outgoing_webhook["in_private_channel"] == []
    )
    assert len(receiver.calls) == 2 + len(recording.outgoing_webhook["on_edit"])


def test_hook_of_a_team_fires_by_its_first_word_in_public(
    server: ServerUnderTest, receiver: Receiver
) -> None:
    """A post that begins with the trigger word calls the webhook, but not in a private channel."""
    hook = server.admin.hook(server.team_id, "", receiver.url, trigger_words=["urgent"])
    server.anna.posted(server.private_id, "urgent in private")
    server.anna.posted(server.webchat_id, "not urgent")
    post = server.anna.posted(server.webchat_id, "urgent in public")

    call = only_call(receiver, post["id"])
    last = server.anna.posted(server.webchat_id, "urgent again")
    only_call(receiver, last["id"])
    server.admin.delete(f"/hooks/outgoing/{hook['id']}")

    assert call.fields()["trigger_word"] == "urgent"
    assert {each.fields()["post_id"] for each in receiver.calls} == {post["id"], last["id"]}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_makes_the_recorded_posts(
    name: str,
    server: ServerUnderTest,
    receiver: Receiver,
    hook: dict[str, Any],
    recording: Recording,
) -> None:
    """A receiver's answer makes a post, or none, as recorded."""
    case = recording.cases[name]
    told = case["request"]
    receiver.answer, receiver.status = told["answer"], told["status"]
    receiver.content_type = told["type"]
    channel_id = server.new_channel()
    # The webhook is made after the root, since it would also call for the root.
    root = server.anna.posted(channel_id, "root")
    server.admin.hook(server.team_id, channel_id, receiver.url)
    known = newest(server, channel_id)
    post = server.anna.posted(channel_id, case["new_posts"][-1]["message"], root_id=root["id"])

    only_call(receiver, post["id"])

    expected = len(case["new_posts"])
    wait_until(lambda: len(fresh(server, channel_id, known)) >= expected, what="the answers")
    settle(server, receiver)
    actual = [
        (each["user_id"] == server.admin.user_id, bool(each["root_id"]), each["message"])
        for each in fresh(server, channel_id, known)
    ]
    assert actual == [
        (bool(each["props"]), bool(each["root_id"]), each["message"]) for each in case["new_posts"]
    ]


def test_empty_text_makes_an_empty_post(
    server: ServerUnderTest, receiver: Receiver, recording: Recording
) -> None:
    """An answer with an empty text is posted as the hook's creator, with the props of a webhook."""
    receiver.answer = '{"text":""}'
    channel_id = server.new_channel()
    server.admin.hook(server.team_id, channel_id, receiver.url)
    known = newest(server, channel_id)
    server.anna.posted(channel_id, "trigger")

    wait_until(lambda: len(fresh(server, channel_id, known)) == 2, what="the empty post")

    posts, case = fresh(server, channel_id, known), recording.cases["hook_answer.empty_text"]
    assert [post["message"] for post in posts] == case["newest"][:2]
    assert [post["props"] for post in posts] == case["types"][:2]


def newest(server: ServerUnderTest, channel_id: str) -> list[str]:
    """Return the ids of the posts of a channel, newest first."""
    order: list[str] = server.bot.get(f"/channels/{channel_id}/posts").json()["order"]
    return order


def fresh(server: ServerUnderTest, channel_id: str, known: list[str]) -> list[dict[str, Any]]:
    """Return the posts of a channel that are not in ``known``, newest first."""
    answer = server.bot.get(f"/channels/{channel_id}/posts").json()
    return [answer["posts"][each] for each in answer["order"] if each not in known]


def settle(server: ServerUnderTest, receiver: Receiver) -> None:
    """Wait until earlier answers are handled: until the call about a later post has come."""
    receiver.answer = "{}"
    later = server.anna.posted(server.webchat_id, "later")
    wait_until(lambda: receiver.calls_for(later["id"]), what="the call about the later post")
