"""Outgoing webhooks: which posts trigger one, the call, and the post that an answer makes."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from demo.mattermost.calls import CallError, call
from demo.mattermost.entities import Channel, Hook, Post, User
from demo.mattermost.options import Options
from demo.mattermost.state import State

# Old calls are of no interest to a test that looks at the outcome of new ones.
MAX_RECORDED_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """What became of one call; status 0 and an error when there was no answer."""

    hook_id: str
    post_id: str
    url: str
    status: int
    error: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """One post that triggers one hook."""

    hook: Hook
    post: Post
    channel: Channel
    author: User
    team_name: str
    word: str


class Webhooks:
    """Calls the hooks of a post, each once, in the background; nothing is ever tried again."""

    def __init__(self, state: State, *, options: Callable[[], Options]) -> None:
        """`on_answer` is told when a receiver answers with a text; set it before the first post."""
        self._state = state
        self._options = options
        self.on_answer: Callable[[Trigger, dict[str, Any]], None] = lambda trigger, answer: None
        self.calls: deque[WebhookCall] = deque(maxlen=MAX_RECORDED_CALLS)

    def trigger(self, post: Post, *, channel: Channel, author: User) -> None:
        """Start the calls for a new post. Only posts in public channels have any."""
        if not self._state.hooks or channel.type != "O":
            return
        if self._options().EnableOutgoingWebhooks:
            for hook in list(self._state.hooks.values()):
                word = trigger_word(hook, post, team_id=channel.team_id)
                if word is not None:
                    team_name = self._state.teams[channel.team_id].name
                    self._start(Trigger(hook, post, channel, author, team_name, word))

    def _start(self, trigger: Trigger) -> None:
        for url in trigger.hook.callback_urls:
            threading.Thread(target=self._deliver, args=(trigger, url), daemon=True).start()

    def _deliver(self, trigger: Trigger, url: str) -> None:
        headers, body = request_of(trigger)
        try:
            answer = call(
                url, headers=headers, body=body, timeout_s=self._options().WebhookTimeoutS
            )
        except CallError as error:
            self._note(trigger, url, error=str(error))
            return
        self._note(trigger, url, status=answer.status)
        response = answer_of(answer.body)
        if response is not None:
            self.on_answer(trigger, response)

    def _note(self, trigger: Trigger, url: str, *, status: int = 0, error: str = "") -> None:
        self.calls.append(WebhookCall(trigger.hook.id, trigger.post.id, url, status, error))


def trigger_word(hook: Hook, post: Post, *, team_id: str) -> str | None:
    """The word that makes the post trigger the hook, "" for every post, None when it does not.

    A hook with words looks at the first word of the message only.
    """
    if hook.delete_at or hook.team_id != team_id or hook.channel_id not in ("", post.channel_id):
        return None
    if not hook.trigger_words:
        return "" if hook.channel_id else None
    first = (post.message.split() or [""])[0]
    for word in hook.trigger_words:
        if first == word or (hook.trigger_when == 1 and first and first.startswith(word)):
            return word
    return None


def request_of(trigger: Trigger) -> tuple[dict[str, str], bytes]:
    """Headers and body of the call: twelve fields, and no root_id among them.

    The timestamp is in milliseconds as JSON and in seconds as a form; a form is sorted by name.
    """
    post, is_json = trigger.post, trigger.hook.content_type == "application/json"
    payload: dict[str, Any] = {
        "token": trigger.hook.token,
        "team_id": trigger.channel.team_id,
        "team_domain": trigger.team_name,
        "channel_id": trigger.channel.id,
        "channel_name": trigger.channel.name,
        "timestamp": post.create_at if is_json else post.create_at // 1000,
        "user_id": trigger.author.id,
        "user_name": trigger.author.username,
        "post_id": post.id,
        "text": post.message,
        "trigger_word": trigger.word,
        "file_ids": ",".join(post.file_ids),
    }
    if is_json:
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    else:
        body = urlencode(sorted(payload.items()))
    headers = {
        "User-Agent": "Mattermost-Bot/1.1",
        "Accept": "application/json",
        "Content-Type": "application/json" if is_json else "application/x-www-form-urlencoded",
        "Accept-Encoding": "gzip",
    }
    return headers, body.encode()


def answer_of(body: bytes) -> dict[str, Any] | None:
    """The answer when it has a text, even an empty one; the status plays no part.

    Only the first JSON value counts, and anything but an object with fields of the right types
    makes no post.
    """
    try:
        value, _ = json.JSONDecoder().raw_decode(body.decode(errors="replace").lstrip())
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return None
    strings = (value.get(key) for key in ("username", "icon_url", "type", "response_type"))
    return value if all(s is None or isinstance(s, str) for s in strings) else None
