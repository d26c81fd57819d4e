"""Take the screenshots of docs/support-team.md: several chats, as the team sees them.

This imports the public tasks, as i-Reserve does, so import it only when REDIS_URL is set.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import requests
from playwright.sync_api import Page, expect

from demo.errors import DemoError
from demo.ireserve.chat import say
from demo.ireserve.store import Conversation, Message, Store
from demo.running import RunningDemo
from tasks import create_root_post, post_reply, update_conversation
from tasks.mattermost import MattermostClient, Post

# The time limit for a message to show, and the time in which a worker reads new settings (5 s).
DRAWN_WITHIN_S = 30.0
SETTINGS_NOTICED_S = 6.0


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat: the visitor, the page, the question, and an agent's change of the conversation."""

    conversation_id: str
    visitor: str
    house: str
    question: str
    sign: str
    change: dict[str, Any] | None = None


WAITS = "🟠"
TEAM_CHATS = (
    Chat("chat-2041", "Sanne Bakker", "Duinzicht", "Kan de sleutel ook na 22:00 worden opgehaald?",
         "⚪", {"revision": 1, "state": "closed", "assignee_name": "Anna"}),
    Chat("chat-2042", "Piet Jansen", "Bosrand", "Is er bij Bosrand een laadpaal voor de auto?",
         "🟢", {"revision": 1, "state": "taken", "assignee_name": "Bram"}),
    Chat("chat-2043", "Fatima El Idrissi", "Strandvilla",
         "Hallo, mogen er twee honden mee naar de strandvilla?", WAITS),
)  # fmt: skip
CHAT = Chat(
    "chat-2040", "Jan de Vries", "Meerzicht",
    "Goedemiddag! Is het huis aan het meer nog vrij van 14 tot 21 augustus?", "🟢",
)  # fmt: skip
QUESTIONS = (CHAT.question, "Is het dit huis?")
# Only the first answer is for the visitor; the second is a note.
ANSWERS = (
    "Ja, **Meerzicht** is dan nog vrij. Honden zijn welkom :dog:",
    "note: gast van 2024, graag op de prijs letten",
)
AUTHORS = Chat("chat-2044", "Jan de Vries", "Meerzicht", "Is Meerzicht vrij in augustus?", "🟢")


def play_chat(demo: RunningDemo) -> str:
    """Let a visitor and a member write; return the address of the chat's page."""
    store = Store(demo.installation.ireserve.store)
    path = f"/conversations/{_licence(demo)}/{CHAT.conversation_id}"
    url = demo.addresses["page"] + path
    conversation = Conversation(
        _licence(demo), CHAT.conversation_id, CHAT.visitor, _house(CHAT), _now()
    )
    _begin(demo, CHAT, url=url)
    store.add_conversation(conversation)
    _write(demo, store, "m-1", QUESTIONS[0])
    _write(demo, store, "m-2", QUESTIONS[1], {"name": "lake-house.png", "path": "lake-house.png"})
    root = _root(demo, CHAT, sign=WAITS)
    assert demo.target.member_token is not None
    with MattermostClient(demo.target.url, demo.target.member_token) as anna:
        _until(lambda: len(_replies(anna, root)) == len(QUESTIONS))
        for text in ANSWERS:
            anna.create_post(channel_id=root.channel_id, root_id=root.id, message=text)
    _root(demo, CHAT, sign=CHAT.sign)
    return url


def _write(
    demo: RunningDemo, store: Store, message_id: str, text: str, *files: dict[str, str]
) -> None:
    message = Message(
        licence_id=_licence(demo), conversation_id=CHAT.conversation_id, message_id=message_id,
        sender_name=CHAT.visitor, sender_role="visitor", text=text, posted_at=_now(),
        attachments=files,
    )  # fmt: skip
    say(store, message)


def take_demo(page: Page, url: str, path: Path) -> None:
    """Take a screenshot of the demo's page: the chat on the left, its thread on the right."""
    page.goto(url)
    team = page.frame_locator("#channel")
    thread = team.locator(".thread").filter(has_text=CHAT.conversation_id)
    expect(thread.locator(".reactions")).to_have_count(len(ANSWERS))
    expect(page.locator("#messages .line")).to_have_count(3)
    page.screenshot(path=path)


def play_team_chats(demo: RunningDemo) -> None:
    """Let visitors write, and agents take and close chats; return when all cards show it."""
    for chat in TEAM_CHATS:
        _ask(demo, chat)
        # A member whom a waiting chat mentions follows it from then on, even when it is closed.
        _root(demo, chat, sign=WAITS)
        if chat.change:
            update_conversation.delay(_licence(demo), chat.conversation_id, **chat.change)
            _root(demo, chat, sign=chat.sign)


def play_authors(demo: RunningDemo) -> Post:
    """Play a chat whose posts show the sender as the author; return the root post."""
    options = {"EnablePostUsernameOverride": True, "EnablePostIconOverride": True}
    changed = requests.patch(f"{demo.target.url}/_control/options", json=options, timeout=10)
    changed.raise_for_status()
    demo.installation.command("licence", "edit", _licence(demo), "--names", "author")
    time.sleep(SETTINGS_NOTICED_S)
    _ask(demo, AUTHORS)
    _say(demo, AUTHORS, "m-2", "Anna", "agent", "Ja, **Meerzicht** is dan nog vrij.")
    _say(demo, AUTHORS, "m-3", AUTHORS.visitor, "visitor", "Mooi! Mag de hond mee?")
    _say(demo, AUTHORS, "m-4", "Anna", "agent", "Die is welkom.")
    return _root(demo, AUTHORS, sign=AUTHORS.sign)


def take_channel(page: Page, demo: RunningDemo, path: Path) -> None:
    """Take a screenshot of the channel with its cards."""
    page.goto(demo.target.page_url(demo.target.public))
    for chat in TEAM_CHATS:
        expect(page.locator(".thread").filter(has_text=chat.question).first).to_be_visible()
    page.screenshot(path=path)


def take_threads(page: Page, demo: RunningDemo, path: Path) -> None:
    """Take a screenshot of the list of threads of the mentioned member."""
    page.goto(f"{demo.target.url}/{demo.target.team}/threads")
    for chat in TEAM_CHATS:
        expect(page.locator(".row").filter(has_text=chat.question).first).to_be_visible()
    page.screenshot(path=path)


def take_authors(page: Page, demo: RunningDemo, root: Post, path: Path) -> None:
    """Take a screenshot of a thread whose posts show visitor and agent as the authors."""
    page.goto(demo.target.page_url(demo.target.public))
    thread = page.locator(f"#thread-{root.id}")
    expect(thread.locator(".replies .post")).to_have_count(4)
    thread.screenshot(path=path)


def _ask(demo: RunningDemo, chat: Chat) -> None:
    _begin(demo, chat)
    _say(demo, chat, "m-1", chat.visitor, "visitor", chat.question)


def _begin(demo: RunningDemo, chat: Chat, *, url: str | None = None) -> None:
    create_root_post.delay(
        _licence(demo),
        chat.conversation_id,
        visitor_name=chat.visitor,
        page_url=_house(chat),
        page_title=chat.house,
        conversation_url=url or demo.addresses["page"],
        fields={"Taal": "Nederlands"},
    )


def _say(
    demo: RunningDemo,
    chat: Chat,
    message_id: str,
    name: str,
    role: Literal["visitor", "agent"],
    text: str,
) -> None:
    post_reply.delay(
        _licence(demo),
        chat.conversation_id,
        message_id=message_id,
        sender_name=name,
        sender_role=role,
        text=text,
    )


def _root(demo: RunningDemo, chat: Chat, *, sign: str) -> Post:
    """Wait until the chat's root post shows this sign; return the post."""
    found: list[Post] = []
    place = demo.target.public
    with MattermostClient(demo.target.url, place.token) as bot:
        channel = bot.get_channel_by_name(team=demo.target.team, channel=place.channel)

        def is_drawn() -> bool:
            posts = bot.get_posts_page(channel.id, page=0, per_page=100)
            found[:] = [post for post in posts if chat.conversation_id in post.message]
            return any(post.message.startswith(sign) for post in found)

        _until(is_drawn)
    return found[0]


def _replies(client: MattermostClient, root: Post) -> list[Post]:
    return [post for post in client.get_thread(root.id) if post.root_id == root.id]


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DRAWN_WITHIN_S
    while not is_so():
        if time.monotonic() > deadline:
            raise DemoError("Mattermost does not show in time what was said")
        time.sleep(0.2)


def _house(chat: Chat) -> str:
    return f"https://www.ireserve.example/huizen/{chat.house.lower()}"


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _licence(demo: RunningDemo) -> str:
    return demo.target.public.licence_id
