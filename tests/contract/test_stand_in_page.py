"""What the stand-in's page shows to a member, like the web client of 11.6."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from demo.mattermost import StandIn
from tests.contract.receiver import Receiver
from tests.contract.server import Caller

CHANNEL = "support/webchat"
SPEC: dict[str, Any] = {
    "teams": [{"name": "support"}],
    "channels": [{"team": "support", "name": "webchat"}, {"team": "support", "name": "other"}],
    "users": [
        {"username": "anna", "channels": [CHANNEL], "follows": [CHANNEL]},
        {"username": "bram", "channels": [CHANNEL]},
    ],
    "bots": [{"username": "ireserve", "channels": [CHANNEL]}],
}


@dataclass(frozen=True, slots=True)
class Page:
    """The page of the channel, and the bot that posts there."""

    stand_in: StandIn
    session: requests.Session
    bot: Caller
    channel_id: str
    team_id: str
    ids: dict[str, str]

    def get(self, path: str, **query: Any) -> requests.Response:
        """Open an address of the stand-in's pages."""
        return self.session.get(f"{self.stand_in.url}{path}", params=query, timeout=5)

    def send(self, path: str, who: str = "anna", **form: str) -> requests.Response:
        """Send a form of the channel's page."""
        url = f"{self.stand_in.url}/support/channels/webchat/{path}"
        body = {"user_id": self.ids[who], **form}
        return self.session.post(url, data=body, headers={"Origin": self.stand_in.url}, timeout=5)

    def write(self, message: str, who: str = "anna", **form: str) -> requests.Response:
        """Type a message and press Enter."""
        return self.send("posts", who, message=message, root_id=form.pop("root_id", ""), **form)

    def thread(self, root_id: str, who: str = "anna", **query: Any) -> str:
        """Return the HTML of one thread as that member sees it."""
        answer = self.get("/support/channels/webchat/updates", **{"as": self.ids[who]}, **query)
        html: str = answer.json()["threads"][root_id]
        return html

    def rows(self, who: str) -> str:
        """Return the HTML of a member's list of threads."""
        return self.get("/support/threads/rows", **{"as": self.ids[who]}).text

    def badges(self, who: str) -> dict[str, Any]:
        """Return a member's badges of the channel and of the threads."""
        found = self.get("/badges", **{"as": self.ids[who]}).json()
        return {"channel": found[self.channel_id], "threads": found[self.team_id]}


@pytest.fixture
def page(stand_in: StandIn) -> Iterator[Page]:
    """A channel in which Anna follows every thread and Bram none."""
    made = stand_in.setup(SPEC)
    with requests.Session() as session:
        bot = Caller(session, stand_in.url, made["bots"]["ireserve"]["token"])
        ids = {name: user["id"] for name, user in made["users"].items()}
        channel_id = made["channels"][CHANNEL]["id"]
        yield Page(stand_in, session, bot, channel_id, made["teams"]["support"]["id"], ids)


def test_slash_is_refused_once_and_sent_the_second_time(page: Page) -> None:
    """A text with a slash is refused as an unknown command, and sent if marked as a message."""
    refused = page.write("// internal")
    sent = page.write("// internal", is_message="true")

    posts = page.bot.get(f"/channels/{page.channel_id}/posts").json()["posts"].values()
    assert refused.json()["is_command"] is True
    assert "Command with a trigger of '//' not found" in refused.json()["error"]
    assert (sent.status_code, [post["message"] for post in posts]) == (201, ["// internal"])


@pytest.mark.parametrize("message", [" // internal", "note: x", "!note"])
def test_message_without_a_slash_in_front_is_sent_at_once(message: str, page: Page) -> None:
    """A text that does not begin with a slash is sent at once, even if a slash follows a space."""
    assert page.write(message).status_code == 201


def test_command_is_run_and_its_answer_shown_to_one_alone(page: Page, receiver: Receiver) -> None:
    """A command's private answer is shown only to the user who typed the command."""
    admin = Caller(page.session, page.stand_in.url, page.stand_in.setup({})["admin"]["token"])
    admin.send("/commands", {"team_id": page.team_id, "trigger": "klaar", "url": receiver.url})
    receiver.answer = json.dumps({"text": "closed"})

    answer = page.write("/klaar now")

    assert (answer.status_code, answer.json()) == (201, {"private": "closed"})
    assert receiver.calls[0].fields()["text"] == "now"


def test_list_of_threads_shows_two_lines_and_no_attachment(page: Page) -> None:
    """A row has the root's message, joined and cut, and nothing of its card."""
    card = {"attachments": [{"text": "only in the card", "title": "Waiting"}]}
    message = "🟠 **Jan de Vries**\nIs the house free? " + "x" * 200
    root = page.bot.posted(page.channel_id, message, props=card)
    page.bot.posted(page.channel_id, "reply", root_id=root["id"])

    rows = page.rows("anna")

    assert "🟠 Jan de Vries Is the house free? xxx" in rows
    assert "x" * 140 not in rows
    assert ("only in the card" in rows, "Waiting" in rows) == (False, False)


def test_only_who_follows_sees_that_a_visitor_wrote_again(page: Page) -> None:
    """A second message makes Anna's threads unread, but nothing for Bram, who follows none."""
    root = page.bot.posted(page.channel_id, "root")
    for who in ("anna", "bram"):
        page.thread(root["id"], who)
    page.bot.posted(page.channel_id, "second message", root_id=root["id"])

    seen = {who: page.badges(who) for who in ("anna", "bram")}

    assert seen["anna"] == {"channel": [False, 0], "threads": [True, 0]}
    assert seen["bram"] == {"channel": [False, 0], "threads": [False, 0]}
    assert "1 new reply" in page.rows("anna")
    assert "No followed threads yet." in page.rows("bram")


def test_name_is_a_number_at_the_badge(page: Page) -> None:
    """A mention in a root counts at the channel, and a mention in a reply at the threads."""
    root = page.bot.posted(page.channel_id, "on duty: @bram")
    at_root = page.badges("bram")
    page.bot.posted(page.channel_id, "ask @bram", root_id=root["id"])

    after = page.badges("bram")

    assert at_root == {"channel": [True, 1], "threads": [False, 0]}
    assert after == {"channel": [True, 1], "threads": [True, 1]}


def test_thread_that_is_opened_is_read(page: Page) -> None:
    """Opening a thread removes its badge."""
    root = page.bot.posted(page.channel_id, "root")
    page.bot.posted(page.channel_id, "reply", root_id=root["id"])
    before = page.badges("anna")["threads"]

    page.send(f"threads/{root['id']}/read")

    assert (before, page.badges("anna")["threads"]) == ([True, 0], [False, 0])


def test_server_without_collapsed_threads_counts_replies_in_the_channel(page: Page) -> None:
    """6.7 has no collapsed threads by default: a reply makes the channel unread for all."""
    page.stand_in.set_options(Version="6.7.2")
    root = page.bot.posted(page.channel_id, "root")
    page.thread(root["id"], "bram")
    page.bot.posted(page.channel_id, "reply", root_id=root["id"])

    found = page.get("/badges", **{"as": page.ids["bram"]}).json()

    assert (found[page.channel_id], page.team_id in found) == ([True, 0], False)


@pytest.mark.parametrize(
    ("who", "since", "shown"),
    [("anna", 1, False), ("anna", 0, True), ("bram", 1, True)],
    ids=["author", "author after a reload", "colleague"],
)
def test_early_reaction_is_lost_for_the_author(
    who: str, since: int, shown: bool, page: Page
) -> None:
    """The author sees an early reaction only after a reload, and others see it at once."""
    page.write("mine")
    [post_id] = page.bot.get(f"/channels/{page.channel_id}/posts").json()["order"]
    me = page.bot.get("/users/me").json()["id"]
    page.bot.send("/reactions", {"user_id": me, "post_id": post_id, "emoji_name": "lock"})

    html = page.thread(post_id, who, since=since)

    assert (":lock:" in html) is shown


def test_change_of_props_is_marked_as_an_edit_if_it_is_a_card(page: Page) -> None:
    """A new card is marked as an edit, and a change of the bot's own key is not."""
    post = page.bot.posted(page.channel_id, "card")
    page.bot.patch(post["id"], props={"ireserve": 1})
    unmarked = page.thread(post["id"])

    page.bot.patch(post["id"], props={"attachments": [{"text": "Taken"}]})

    assert ("Edited" in unmarked, "Edited" in page.thread(post["id"])) == (False, True)


@pytest.mark.parametrize("allowed", [True, False])
def test_name_and_icon_of_a_post_are_shown_where_the_server_allows_them(
    allowed: bool, page: Page
) -> None:
    """If the server forbids them, the post has the bot's; the list of threads has the name."""
    page.stand_in.set_options(EnablePostUsernameOverride=allowed, EnablePostIconOverride=allowed)
    props = {
        "from_webhook": "true",
        "override_username": "Jan de Vries",
        "override_icon_emoji": "raising_hand",
    }
    root = page.bot.posted(page.channel_id, "hello", props=props)
    page.bot.posted(page.channel_id, "reply", root_id=root["id"])

    html = page.thread(root["id"])

    assert (">Jan de Vries</b>" in html, "🙋" in html) == (allowed, allowed)
    assert "Jan de Vries" in page.rows("anna")


@pytest.mark.parametrize(
    ("fields", "keeps"),
    [
        ({}, False),
        ({"props": {"from_webhook": "true", "use_user_icon": "true"}}, True),
        ({"metadata": {"priority": {"priority": "urgent"}}}, True),
    ],
    ids=["plain", "webhook", "urgent"],
)
def test_head_line_stays_only_for_some_posts(
    fields: dict[str, Any], keeps: bool, page: Page
) -> None:
    """A root from a webhook or with a priority keeps its head line, and a plain one does not."""
    root = page.bot.posted(page.channel_id, "root", **fields)

    assert ("data-keeps-head" in page.thread(root["id"])) is keeps


def test_button_of_a_card_can_be_pressed(page: Page, receiver: Receiver) -> None:
    """A click calls the button's address; an error of the address is a 400 for the user."""
    target = {"url": receiver.url, "context": {"action": "take"}}
    action = {"id": "take", "type": "button", "name": "Take", "integration": target}
    root = page.bot.posted(page.channel_id, "?", props={"attachments": [{"actions": [action]}]})

    pressed = page.send(f"posts/{root['id']}/actions/take")
    receiver.status = 500
    failed = page.send(f"posts/{root['id']}/actions/take")

    assert 'data-action="take">Take</button>' in page.thread(root["id"])
    assert (pressed.status_code, failed.status_code, len(receiver.calls)) == (200, 400, 2)
