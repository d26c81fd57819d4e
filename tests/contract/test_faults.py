"""Each fault does what its name says, to the chosen requests, as often as configured."""

import threading
import time
from typing import Any

import pytest
import requests

from demo.mattermost import StandIn
from tests.contract.server import Caller, ServerUnderTest, accepted
from tests.waiting import wait_until

HTML = "text/html; charset=utf-8"
JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("error_500", 500, JSON),
        ("html_502", 502, HTML),
        ("html_503", 503, HTML),
        ("html_200", 200, HTML),
        ("rate_limited", 429, PLAIN),
        ("unauthorized", 401, JSON),
        ("plugin_rejection", 400, JSON),
    ],
)
def test_fault_answers_in_place_of_the_server(
    kind: str, status: int, content_type: str, stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """The request gets the fault's answer and makes no post; the next request is served."""
    stand_in.set_fault(kind, scope="posts", times=1)

    struck = own_server.bot.post(own_server.webchat_id, "first")
    healthy = own_server.bot.post(own_server.webchat_id, "second")

    assert (struck.status_code, struck.headers["Content-Type"]) == (status, content_type)
    assert healthy.status_code == 201
    assert accepted(stand_in) == ["second"]


def test_rate_limit_fault_says_when_to_come_back(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """The 429 has the seconds that the fault was given."""
    stand_in.set_fault("rate_limited", retry_after_s=7, times=1)

    struck = own_server.bot.post(own_server.webchat_id)

    assert (struck.text, struck.headers["Retry-After"]) == ("limit exceeded\n", "7")


def test_down_cuts_the_connection(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """A server that is down gives no answer and makes no post."""
    stand_in.set_fault("down", times=1)

    with pytest.raises(requests.ConnectionError):
        own_server.bot.post(own_server.webchat_id, "lost")

    assert accepted(stand_in) == []
    assert stand_in.received()[-1].outcome == "dropped"


def test_post_is_accepted_before_the_connection_is_cut(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """The client gets no answer, the post is there, and the same pending id returns it."""
    stand_in.set_fault("accept_then_drop", scope="posts", times=1)

    with pytest.raises(requests.ConnectionError):
        own_server.bot.post(own_server.webchat_id, "kept", pending_post_id="key-1")
    again = own_server.bot.posted(own_server.webchat_id, "kept", pending_post_id="key-1")

    posts = stand_in.received(method="POST", path="/posts")
    assert [entry.post_id for entry in posts] == [again["id"]] * 2
    assert accepted(stand_in) == ["kept"]


@pytest.mark.parametrize("kind", ["slow", "accept_then_late", "slow_save"])
def test_slow_answers_come_late_and_are_good(
    kind: str, stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """A slow server still makes the post."""
    stand_in.set_fault(kind, scope="posts", seconds=0.2)
    start = time.monotonic()

    answer = own_server.bot.post(own_server.webchat_id, "late")

    assert answer.status_code == 201
    assert time.monotonic() - start >= 0.2


def test_service_time_holds_each_request_up(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """Each request lasts at least the lower bound."""
    stand_in.set_fault("service_time", min_ms=30, max_ms=60, seed=1)
    start = time.monotonic()

    for _ in range(5):
        own_server.bot.get("/users/me")

    assert time.monotonic() - start >= 5 * 0.03


def test_duplicate_of_a_post_at_work_is_refused(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """A second request gets a 500 while the first is at work, and later the same post."""
    stand_in.set_fault("slow_save", scope="posts", seconds=0.5, times=1)
    first: list[requests.Response] = []
    how: dict[str, Any] = {"pending_post_id": "key-2"}
    thread = threading.Thread(
        target=lambda: first.append(own_server.bot.post(own_server.webchat_id, **how))
    )
    thread.start()
    wait_until(lambda: stand_in.received(method="POST", path="/posts"), what="the first request")
    wait_until(lambda: not stand_in.faults(), what="the end of the fault")

    second = own_server.bot.post(own_server.webchat_id, **how)
    thread.join()
    third = own_server.bot.post(own_server.webchat_id, **how)

    error = "api.post.deduplicate_create_post.pending"
    assert (second.status_code, second.json()["id"]) == (500, error)
    assert third.json()["id"] == first[0].json()["id"]


def test_pending_id_is_forgotten_in_time(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """After its time the same pending id makes a second post."""
    stand_in.set_options(PendingPostTtlS=0.05)
    first = own_server.bot.posted(own_server.webchat_id, pending_post_id="key-3")

    def made_another() -> bool:
        second = own_server.bot.posted(own_server.webchat_id, pending_post_id="key-3")
        return bool(second["id"] != first["id"])

    wait_until(made_another, what="a second post")


def test_file_is_lost_on_the_way_to_its_post(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """The post is made without one of its files."""
    stand_in.set_fault("lose_file", times=1)
    files = sorted(own_server.bot.file_id(own_server.webchat_id) for _ in range(2))

    post = own_server.bot.posted(own_server.webchat_id, file_ids=files)

    assert post["file_ids"] == files[1:]


def test_healthy_root_is_rejected_once(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """One reply to a live root is refused; a root post and the next reply are made."""
    root = own_server.bot.posted(own_server.webchat_id, "root")
    stand_in.set_fault("root_rejected", times=1)

    other = own_server.bot.post(own_server.webchat_id, "another root")
    struck = own_server.bot.post(own_server.webchat_id, root_id=root["id"])
    healthy = own_server.bot.post(own_server.webchat_id, root_id=root["id"])

    error = "api.post.create_post.root_id.app_error"
    assert (struck.status_code, struck.json()["id"]) == (400, error)
    assert (other.status_code, healthy.status_code) == (201, 201)


def test_fault_for_files_spares_posts(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """Uploads fail while posts are made."""
    stand_in.set_fault("error_500", scope="files")

    upload = own_server.bot.upload(own_server.webchat_id, "x.txt", b"x")
    post = own_server.bot.post(own_server.webchat_id)

    assert (upload.status_code, post.status_code) == (500, 201)


@pytest.mark.parametrize("whom", ["user", "team"])
def test_fault_for_one_licence_spares_the_others(
    whom: str, stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """Only requests of that user, or of that team's bot, meet the fault."""
    other = stand_in.setup(
        {"teams": [{"name": "other"}], "bots": [{"username": "spared", "teams": ["other"]}]}
    )
    spared = Caller(own_server.bot.session, stand_in.url, other["bots"]["spared"]["token"])
    target = {"user": own_server.bot.username, "team": own_server.team_name}
    stand_in.set_fault("html_503", **{whom: target[whom]})

    statuses = [bot.get("/users/me").status_code for bot in (own_server.bot, spared)]

    assert statuses == [503, 200]


def test_faults_can_be_set_and_cleared_over_http(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """The control API sets, lists and clears faults, and refuses an unknown kind."""
    control = f"{stand_in.url}/_control/faults"
    session = own_server.bot.session

    made = session.post(control, json={"kind": "error_500"}, timeout=5)
    struck = own_server.bot.get("/users/me")
    listed = session.get(control, timeout=5).json()["faults"]
    session.delete(f"{control}/{made.json()['id']}", timeout=5)
    healthy = own_server.bot.get("/users/me")
    refused = session.post(control, json={"kind": "unheard of"}, timeout=5)

    assert (made.status_code, struck.status_code, healthy.status_code) == (201, 500, 200)
    assert listed == [made.json()]
    assert refused.status_code == 400
