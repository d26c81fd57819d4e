"""Observed behaviour of collapsed reply threads on 11.6.0: who follows, and what is unread."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
from requests import Response

from tests.contract.server import ServerUnderTest
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Talk:
    """A channel with Anna in it, and the bot's root."""

    server: ServerUnderTest
    channel_id: str
    root_id: str

    def reply(self, text: str = "reply") -> dict[str, Any]:
        """Reply as the bot."""
        return self.server.bot.posted(self.channel_id, text, root_id=self.root_id)

    def card(self, **attachment: Any) -> Response:
        """Put an attachment under the root as the bot."""
        return self.server.bot.patch(self.root_id, props={"attachments": [attachment]})

    @property
    def name(self) -> str:
        """The mention of Anna."""
        return f"@{self.server.anna.username}"

    def threads(self) -> list[tuple[int, int]]:
        """Return unread replies and mentions of each thread that Anna follows in this channel."""
        path = f"/users/me/teams/{self.server.team_id}/threads"
        listed = self.server.anna.get(path, per_page=200).json()["threads"] or []
        return [
            (each["unread_replies"], each["unread_mentions"])
            for each in listed
            if each["post"]["channel_id"] == self.channel_id
        ]

    def unread(self) -> tuple[int, int]:
        """Return the number of roots that Anna has not seen, and how many of them mention her."""
        path = f"/users/me/channels/{self.channel_id}/unread"
        told = self.server.anna.get(path).json()
        return told["msg_count_root"], told["mention_count_root"]


Step: TypeAlias = Callable[[Talk], object]


def begun(server: ServerUnderTest, message: str = "root", **fields: Any) -> Talk:
    """Make a channel with a root. Anna joins by herself, so that no system message mentions her."""
    channel_id = server.new_channel(with_anna=False)
    joining = {"user_id": server.anna.user_id}
    assert server.anna.send(f"/channels/{channel_id}/members", joining).status_code == 201
    server.anna.send("/channels/members/me/view", {"channel_id": channel_id})
    root = server.bot.posted(channel_id, message, **fields)
    return Talk(server, channel_id, root["id"])


def _named_and_deleted(talk: Talk) -> None:
    talk.server.bot.delete(f"/posts/{talk.reply(talk.name)['id']}")


def _write(talk: Talk) -> None:
    talk.server.anna.posted(talk.channel_id, "mine", root_id=talk.root_id)


def _react(talk: Talk) -> None:
    anna = talk.server.anna
    body = {"user_id": anna.user_id, "post_id": talk.root_id, "emoji_name": "eyes"}
    assert anna.send("/reactions", body).status_code == 200


# Each step after the root and a reply, and whether Anna follows from the next reply on.
STEPS: dict[str, tuple[Step, bool]] = {
    "nothing": (lambda t: None, False),
    "named in a reply": (lambda t: t.reply(f"ask {t.name}"), True),
    "named in a reply that is gone": (_named_and_deleted, True),
    "channel in a reply": (lambda t: t.reply("@channel"), True),
    "name patched into the root": (lambda t: t.server.bot.patch(t.root_id, message=t.name), True),
    "name in a card's text": (lambda t: t.card(text=f"Taken by {t.name}"), True),
    "name in a card's pretext": (lambda t: t.card(pretext=t.name), True),
    "name in a card's field": (lambda t: t.card(fields=[{"title": "a", "value": t.name}]), True),
    "name in a card's title": (lambda t: t.card(title=t.name), False),
    "name of a card's author": (lambda t: t.card(author_name=t.name), False),
    "name in a card's footer": (lambda t: t.card(footer=t.name), False),
    "name in a card's fallback": (lambda t: t.card(fallback=t.name), False),
    "name of a card's field": (lambda t: t.card(fields=[{"title": t.name, "value": "a"}]), False),
    "name with a zero-width space": (lambda t: t.reply(t.name.replace("@", "@\u200b")), False),
    "name in code": (lambda t: t.reply(f"`{t.name}`"), False),
    "she writes": (_write, True),
    "she reacts": (_react, False),
}


@pytest.mark.parametrize("name", STEPS)
def test_who_follows_a_thread(name: str, server_11: ServerUnderTest) -> None:
    """A member who is mentioned or writes follows; replies make nothing unread for the others."""
    step, follows = STEPS[name]
    talk = begun(server_11)
    talk.reply()

    step(talk)
    talk.reply()

    if follows:
        # A real server updates the followers after it has answered.
        wait_until(lambda: any(unread for unread, _ in talk.threads()), what="an unread reply")
    assert [unread > 0 for unread, _ in talk.threads()] == ([True] if follows else [])


def test_reply_without_a_follower_is_told_to_no_member(server_11: ServerUnderTest) -> None:
    """Only the root makes the channel unread; the bot's replies make nothing unread."""
    talk = begun(server_11)
    before = talk.unread()

    for _ in range(3):
        talk.reply()

    assert (before, talk.unread(), talk.threads()) == ((1, 0), (1, 0), [])


def test_name_in_a_root_counts_at_once_and_follows_from_the_first_reply(
    server_11: ServerUnderTest,
) -> None:
    """A mention in a root counts in the channel; Anna follows the thread from its first reply."""
    talk = begun(server_11, f"on duty: @{server_11.anna.username}")
    at_once, threads = talk.unread(), talk.threads()

    talk.reply()

    assert (at_once, threads, talk.threads()) == ((1, 1), [], [(1, 0)])


def test_name_in_a_reply_is_one_mention(server_11: ServerUnderTest) -> None:
    """The thread has one mention until Anna reads the thread."""
    talk = begun(server_11)
    named = talk.reply(talk.name)
    first = talk.threads()
    after = named["create_at"] + 1

    seen = server_11.anna.put(
        f"/users/me/teams/{server_11.team_id}/threads/{talk.root_id}/read/{after}"
    )

    assert (first, seen.status_code, talk.threads()) == ([(1, 1)], 200, [(0, 0)])


def test_thread_that_is_left_stays_left_until_she_is_named(server_11: ServerUnderTest) -> None:
    """When Anna has stopped following, replies do not bring the thread back, but a mention does."""
    talk = begun(server_11)
    talk.reply(talk.name)
    path = f"/users/me/teams/{server_11.team_id}/threads/{talk.root_id}/following"
    left = server_11.anna.delete(path)
    talk.reply()
    quiet = talk.threads()

    talk.reply(f"again {talk.name}")

    assert (left.status_code, quiet, len(talk.threads())) == (200, [], 1)


def test_bot_cannot_make_others_follow_and_an_administrator_can(server_11: ServerUnderTest) -> None:
    """The bot gets 403; after the administrator's request, the next reply is unread for Anna."""
    talk = begun(server_11)
    team, anna = server_11.team_id, server_11.anna.user_id
    path = f"/users/{anna}/teams/{team}/threads/{talk.root_id}/following"

    by_bot = server_11.bot.put(path)
    by_admin = server_11.admin.put(path)
    talk.reply()

    error = "api.context.permissions.app_error"
    assert (by_bot.status_code, by_bot.json()["id"], by_admin.status_code) == (403, error, 200)
    assert talk.threads() == [(1, 0)]


def test_member_can_follow_every_thread_of_a_channel(server_11: ServerUnderTest) -> None:
    """The member can change the setting and then follows; the bot can only read the setting."""
    talk = begun(server_11)
    path = f"/channels/{talk.channel_id}/members/{server_11.anna.user_id}"
    wanted = {"channel_auto_follow_threads": "on"}

    by_bot = server_11.bot.put(f"{path}/notify_props", wanted)
    by_anna = server_11.anna.put(f"{path}/notify_props", wanted)
    seen_by_bot = server_11.bot.get(path).json()["notify_props"]
    talk.reply()

    assert (by_bot.status_code, by_anna.status_code) == (403, 200)
    assert seen_by_bot["channel_auto_follow_threads"] == "on"
    assert talk.threads() == [(1, 0)]


def test_threads_of_others_are_closed_to_the_bot(server_11: ServerUnderTest) -> None:
    """The bot gets its own list with the totals, and 403 for another user's list."""
    talk = begun(server_11)
    talk.reply()
    server_11.anna.posted(talk.channel_id, "answer", root_id=talk.root_id)
    path = "/users/{}/teams/{}/threads"

    own = server_11.bot.get(path.format("me", server_11.team_id), per_page=200).json()
    others = server_11.bot.get(path.format(server_11.anna.user_id, server_11.team_id))

    [listed] = [each for each in own["threads"] if each["id"] == talk.root_id]
    assert others.status_code == 403
    assert {key for key in own if key.startswith("total")} == {
        "total",
        "total_unread_threads",
        "total_unread_mentions",
        "total_unread_urgent_mentions",
    }
    assert (listed["reply_count"], listed["unread_replies"]) == (2, 1)


@pytest.mark.parametrize(
    ("followed", "error"),
    [
        (False, "app.user.get_thread_membership_for_user.not_found"),
        (True, "app.user.get_threads_for_user.not_found"),
    ],
    ids=["not followed", "without a reply"],
)
def test_thread_that_is_none_is_not_found(
    followed: bool, error: str, server_11: ServerUnderTest
) -> None:
    """A thread that is not followed or has no reply gets 404, each with its own error id."""
    talk = begun(server_11)
    path = f"/users/me/teams/{server_11.team_id}/threads/{talk.root_id}"
    if followed:
        server_11.anna.put(f"{path}/following")

    answer = server_11.anna.get(path)

    assert (answer.status_code, answer.json()["id"]) == (404, error)


def test_unknown_setting_of_threads_is_refused(server: ServerUnderTest) -> None:
    """The server accepts only the values that it knows."""
    body = {"ServiceSettings": {"CollapsedThreads": "sometimes"}}

    answer = server.admin.put("/config/patch", body)

    error = "model.config.is_valid.collapsed_threads.app_error"
    assert (answer.status_code, answer.json()["id"]) == (400, error)


def test_setting_of_threads_is_told_to_the_bot(server: ServerUnderTest) -> None:
    """Collapsed threads are off by default on 6.7.2, and always on by default on 11.6.0."""
    config = server.bot.get("/config/client", format="old").json()

    default = "disabled" if server.version.startswith("6.") else "always_on"
    assert config["CollapsedThreads"] == default
