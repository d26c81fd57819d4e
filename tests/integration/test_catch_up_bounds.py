"""A server whose answers are false or endless causes limited work, and harms no other licence."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from demo.mattermost.ids import now_ms
from models import CatchUpCursor, Conversation, Licence, Reply
from tasks.replies.catch_up import collect
from tasks.replies.channel_changes import MAX_BYTES, MAX_REQUESTS
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread
from tests.webhook_calls import add_licence
from tests.wire import Answer, Request, WireServer, http

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# The most bytes of one list that the client reads. A look that has spent its own bytes ends only
# with its next request, so it may have read one list too many.
LIST_BYTES = 4 * 1024 * 1024
Listed = list[dict[str, Any]]


@dataclass
class LyingServer:
    """A server that answers each request for posts with what the test's function returns."""

    listed: Callable[[dict[str, str]], Listed]
    by_ids: Callable[[list[str]], Listed] = lambda _: []
    answered_bytes: int = 0
    questions: list[str] = field(default_factory=list)

    def __call__(self, request: Request, _: socket.socket) -> bytes:
        """Return the raw answer."""
        url = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.endswith("/posts/ids"):
            raw = http(200, json.dumps(self.by_ids(json.loads(request.body))).encode())
        else:
            raw = http(200, _list(self.listed(query)))
        self.questions.append(url.path)
        self.answered_bytes += len(raw)
        return raw


def _list(posts: Listed) -> bytes:
    order = [post["id"] for post in posts]
    return json.dumps({"order": order, "posts": {post["id"]: post for post in posts}}).encode()


def _post(number: int, **changes: Any) -> dict[str, Any]:
    at = now_ms()
    times = {"create_at": at, "update_at": at, "delete_at": 0}
    ids = {"id": f"{number:026}", "channel_id": "c" * 26, "user_id": "u" * 26, "root_id": "r" * 26}
    return {**ids, **times, "message": "", "type": "", "props": {}, **changes}


def _same_full_list(_: dict[str, str]) -> Listed:
    return [_post(number) for number in range(1_000)]


def _same_page(query: dict[str, str]) -> Listed:
    return [_post(number) for number in range(1_000 if "since" in query else 200)]


def _endless() -> Callable[[dict[str, str]], Listed]:
    numbers = itertools.count()

    def page(query: dict[str, str]) -> Listed:
        return [_post(next(numbers)) for _ in range(1_000 if "since" in query else 200)]

    return page


def _endless_and_large() -> Callable[[dict[str, str]], Listed]:
    numbers = itertools.count()

    def page(query: dict[str, str]) -> Listed:
        count = 1_000 if "since" in query else 200
        size = LIST_BYTES // count - 500
        return [_post(next(numbers), props={"x": "x" * size}) for _ in range(count)]

    return page


def _all_too_large(_: dict[str, str]) -> Listed:
    return [_post(number, message="x" * 60_000) for number in range(100)]


@contextmanager
def _server_of(stage: Stage, server: Answer) -> Iterator[WireServer]:
    with WireServer(server) as wire:
        with stage.runtime.database.transaction() as session:
            session.execute(
                update(Licence).where(Licence.id == LICENCE).values(server_url=wire.url)
            )
        # A worker would read the change within a few seconds.
        stage.runtime.licences._cache.clear()
        yield wire


def _collect(stage: Stage) -> tuple[int, list[tuple[str, str | None]]]:
    """Look once; return the number of new posts, and the log's events."""
    with capture_logs() as logs:
        count = collect(stage.runtime, LICENCE, on_page=lambda: None)
    return count, [(entry["event"], entry.get("reason")) for entry in logs]


def _cursor(stage: Stage) -> int:
    with stage.runtime.database.transaction() as session:
        return session.scalar(select(CatchUpCursor.since_ms)) or 0


TOO_MUCH = ("catch_up_cut", "more than one look may ask for")
REPEATED = ("catch_up_cut", "the server's pages repeat")


@pytest.mark.parametrize(
    ("listed", "event", "most_questions"),
    [
        pytest.param(_same_full_list, REPEATED, 4, id="a list as a page, again and again"),
        pytest.param(_same_page, REPEATED, 4, id="one page again and again"),
        pytest.param(_endless(), TOO_MUCH, MAX_REQUESTS + 1, id="pages without an end"),
        pytest.param(
            _endless_and_large(),
            TOO_MUCH,
            MAX_BYTES // LIST_BYTES + 6,
            id="large pages without an end",
        ),
        pytest.param(
            _all_too_large,
            ("catch_up_broke_off", "answer_too_large"),
            8,
            id="every answer too large",
        ),
    ],
)
def test_look_at_a_lying_server_is_bounded_and_one_event_says_so(
    stage: Stage,
    listed: Callable[[dict[str, str]], Listed],
    event: tuple[str, str],
    most_questions: int,
) -> None:
    """However long a server's lists are, one look is limited, and one event says so."""
    stage.start()
    server = LyingServer(listed)

    with _server_of(stage, server):
        count, events = _collect(stage)

    assert (count, events) == (0, [event])
    assert len(server.questions) <= most_questions
    assert server.answered_bytes <= MAX_BYTES + 3 * LIST_BYTES
    assert _cursor(stage) <= now_ms() + 2_000


def test_channel_whose_look_was_cut_is_skipped_for_a_while(stage: Stage) -> None:
    """A channel whose look was cut gets no request for a while."""
    stage.start()
    server = LyingServer(_same_page)

    with _server_of(stage, server):
        _, first = _collect(stage)
        asked = len(server.questions)
        _, second = _collect(stage)

    assert (first, second) == ([REPEATED], [])
    assert len(server.questions) == asked


@pytest.mark.parametrize(
    "times",
    [
        pytest.param({"create_at": 2**62, "update_at": 2**62, "delete_at": 2**62}, id="huge"),
        pytest.param({"create_at": -(2**62), "update_at": -(2**62)}, id="negative"),
        pytest.param({"create_at": 0, "update_at": 0}, id="never"),
        pytest.param({"update_at": 4_102_444_800_000}, id="in the next century"),
    ],
)
def test_impossible_times_move_no_cursor_beyond_now(stage: Stage, times: dict[str, int]) -> None:
    """Impossible times move the cursor no further than now."""
    stage.start()
    server = LyingServer(lambda _: [_post(number, **times) for number in range(50)])

    with _server_of(stage, server):
        count, events = _collect(stage)

    assert (count, events) == (0, [])
    assert _cursor(stage) <= now_ms()


def test_time_of_another_type_is_refused_as_no_answer_of_mattermost(stage: Stage) -> None:
    """A time of a wrong type ends the look, and one event names the reason."""
    stage.start()
    server = LyingServer(lambda _: [_post(1, update_at="soon")])

    with _server_of(stage, server):
        count, events = _collect(stage)

    assert (count, events) == (0, [("catch_up_failed", "not_mattermost")])


def test_wrong_date_moves_no_cursor_beyond_now(stage: Stage) -> None:
    """A wrong ``Date`` header does not move the cursor beyond now."""
    stage.start()
    far = now_ms() + 400 * 86_400_000

    def answer(request: Request, _: socket.socket) -> bytes:
        body = _list([_post(1, create_at=far, update_at=far)])
        return http(200, body, headers={"Date": "Wed, 01 Jan 2098 00:00:00 GMT"})

    with _server_of(stage, answer):
        _collect(stage)

    assert _cursor(stage) <= now_ms()


def test_lying_server_harms_no_other_licence(stage: Stage) -> None:
    """Another licence's reply comes into the inbox, and that licence's circuit stays closed."""
    thread = MirroredThread.open(stage)
    post = thread.say("hello")
    add_licence(stage.runtime.database, "L2", tokens=())
    with stage.runtime.database.transaction() as session:
        honest = session.get_one(Licence, LICENCE)
        other = session.get_one(Licence, "L2")
        for name in ("bot_token_encrypted", "bot_user_id"):
            setattr(other, name, getattr(honest, name))
    with WireServer(LyingServer(_all_too_large)) as wire:
        with stage.runtime.database.transaction() as session:
            session.execute(update(Licence).where(Licence.id == "L2").values(server_url=wire.url))
            _conversation_of(session, "L2")
        lies = [collect(stage.runtime, "L2", on_page=lambda: None) for _ in range(3)]
        honest_count = collect(stage.runtime, LICENCE, on_page=lambda: None)

    states = {name: stage.runtime.circuits.state(name).is_open for name in ("L2", LICENCE)}
    with stage.runtime.database.transaction() as session:
        taken = list(session.scalars(select(Reply.post_id)))
    assert (lies, honest_count) == ([0, 0, 0], 1)
    assert states == {"L2": True, LICENCE: False}
    assert taken == [post.id]


def _conversation_of(session: Session, licence_id: str) -> None:
    session.add(
        Conversation(
            licence_id=licence_id,
            conversation_id="c1",
            channel_id="c" * 26,
            root_post_id="r" * 26,
        )
    )
