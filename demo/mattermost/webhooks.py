"""Call outgoing webhooks: find the hooks that a post triggers, and read the answers."""

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

# Tests look only at recent calls.
MAX_RECORDED_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """The result of one call; status 0 and an error if no answer came."""

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
    """A caller of a post's hooks, each once, in the background, without retries."""

    def __init__(self, state: State, *, options: Callable[[], Options]) -> None:
        """Set `on_answer` before the first post; it is called with each answer that has a text."""
        self._state = state
        self._options = options
        self.on_answer: Callable[[Trigger, dict[str, Any]], None] = lambda trigger, answer: None
        self.calls: deque[WebhookCall] = deque(maxlen=MAX_RECORDED_CALLS)

    def trigger(self, post: Post, *, channel: Channel, author: User) -> None:
        """Start the calls for a new post. Only posts in public channels trigger calls."""
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
    """Return the word by which the post triggers the hook; None if it does not.

    The word is "" for a hook that every post triggers. A hook with words checks only the first
    word of the message.
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
    """Return headers and body of the call, which has twelve fields and no root_id.

    The timestamp is in milliseconds in JSON and in seconds in a form. A form is sorted by name.
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
    """Return the answer if it has a text, even an empty one, whatever its status.

    Only the first JSON value counts. Any value but an object with fields of the right types makes
    no post.
    """
    try:
        value, _ = json.JSONDecoder().raw_decode(body.decode(errors="replace").lstrip())
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return None
    strings = (value.get(key) for key in ("username", "icon_url", "type", "response_type"))
    return value if all(s is None or isinstance(s, str) for s in strings) else None
