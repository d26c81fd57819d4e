"""Posts, threads and look-ups take one request each, in Mattermost's form."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tasks.mattermost import (
    MattermostClient,
    Reason,
    RefusedError,
)
from tests.integration.mattermost_client.calls import (
    CHANNEL,
    FILE,
    HOOK,
    POST,
    TOKEN,
    USER,
    client_of,
    json_answer,
    post_list,
)
from tests.wire import WireServer, always, http


def test_a_post_goes_out_as_it_was_given() -> None:
    """A post is one request with token and UTF-8 JSON, and does not mark the bot as online."""
    with WireServer(always(json_answer(POST, 201))) as server, client_of(server) as client:
        post = client.create_post(
            channel_id=CHANNEL,
            message="é😀",
            root_id="r1",
            file_ids=("f1", "f2"),
            props={"k": 1},
            pending_post_id="key",
        )

    [request] = server.requests
    assert post.id == "p1"
    assert (request.method, request.target) == ("POST", "/api/v4/posts?set_online=false")
    assert json.loads(request.body) == {
        "channel_id": CHANNEL,
        "message": "é😀",
        "root_id": "r1",
        "file_ids": ["f1", "f2"],
        "props": {"k": 1},
        "pending_post_id": "key",
    }
    assert "é😀".encode() in request.body
    assert dict(request.headers) == {
        "host": f"localhost:{server.port}",
        "authorization": f"Bearer {TOKEN}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "ireserve-mattermost",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
    }


def test_a_lone_surrogate_does_not_stop_a_post() -> None:
    """A lone surrogate in a text becomes a question mark."""
    with WireServer(always(json_answer(POST, 201))) as server, client_of(server) as client:
        client.create_post(channel_id=CHANNEL, message="a\ud800b")

    assert json.loads(server.requests[0].body)["message"] == "a?b"


CALLS: list[tuple[str, Callable[[MattermostClient], Any], object, str, object]] = [
    ("ping", lambda c: c.ping(), {"status": "OK"}, "GET /system/ping", None),
    ("me", lambda c: c.get_me().id, USER, "GET /users/me", None),
    ("user", lambda c: c.get_user("u1").id, USER, "GET /users/u1", None),
    ("users", lambda c: c.get_users_by_ids(["u1"]), [], "POST /users/ids", ["u1"]),
    ("team", lambda c: c.get_team_by_name("x").id, {"id": "t", "name": "x"},
     "GET /teams/name/x", None),
    ("channel", lambda c: c.get_channel("c").id, {"id": "c", "type": "O"}, "GET /channels/c", None),
    ("by-name", lambda c: c.get_channel_by_name(team="t", channel="n").id,
     {"id": "c", "type": "O"}, "GET /teams/name/t/channels/name/n?include_deleted=true", None),
    ("member", lambda c: c.get_my_membership("c").user_id,
     {"channel_id": "c", "user_id": "u", "roles": "r"}, "GET /channels/c/members/me", None),
    ("join", lambda c: c.add_channel_member("c", user_id="u").user_id,
     {"channel_id": "c", "user_id": "u"}, "POST /channels/c/members", {"user_id": "u"}),
    ("config", lambda c: c.get_client_config().version, {"Version": "6.7.2"},
     "GET /config/client?format=old", None),
    ("patch", lambda c: c.patch_post("p1", message="x").id, POST,
     "PUT /posts/p1/patch", {"message": "x"}),
    ("patch-props", lambda c: c.patch_post("p1", props={}).id, POST,
     "PUT /posts/p1/patch", {"props": {}}),
    ("delete", lambda c: c.delete_post("p1"), {"status": "OK"}, "DELETE /posts/p1", None),
    ("get", lambda c: c.get_post("p1").id, POST, "GET /posts/p1", None),
    ("ids", lambda c: c.get_posts_by_ids(["p1"]), [POST], "POST /posts/ids", ["p1"]),
    ("page", lambda c: c.get_posts_page("c", page=2, per_page=500), post_list(),
     "GET /channels/c/posts?page=2&per_page=200", None),
    ("since", lambda c: c.get_posts_since("c", since_ms=5), post_list(),
     "GET /channels/c/posts?since=5", None),
    ("after", lambda c: c.get_posts_after("c", post_id="p", per_page=9), post_list(),
     "GET /channels/c/posts?after=p&per_page=9", None),
    ("file-info", lambda c: c.get_file_info("f1").id, FILE, "GET /files/f1/info", None),
    ("react", lambda c: c.add_reaction("p", user_id="u", emoji_name="lock"), {},
     "POST /reactions", {"user_id": "u", "post_id": "p", "emoji_name": "lock"}),
    ("unreact", lambda c: c.remove_reaction("p", user_id="u", emoji_name="+1"),
     {"status": "OK"}, "DELETE /users/u/posts/p/reactions/%2B1", None),
    ("hook", lambda c: c.get_outgoing_webhook("h1").token, HOOK, "GET /hooks/outgoing/h1", None),
    ("hooks", lambda c: len(c.list_outgoing_webhooks(team_id="t")), [HOOK],
     "GET /hooks/outgoing?team_id=t&page=0&per_page=200", None),
    ("regen", lambda c: c.regenerate_outgoing_webhook_token("h1").id, HOOK,
     "POST /hooks/outgoing/h1/regen_token", None),
    ("unhook", lambda c: c.delete_outgoing_webhook("h1"), {"status": "OK"},
     "DELETE /hooks/outgoing/h1", None),
    ("new-hook", lambda c: c.create_outgoing_webhook(
        team_id="t", channel_id="c", display_name="n", callback_urls=["https://x"]).id, HOOK,
     "POST /hooks/outgoing", {
         "team_id": "t", "channel_id": "c", "display_name": "n", "description": "",
         "callback_urls": ["https://x"], "content_type": "application/json",
         "trigger_words": []}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "answer", "line", "payload"),
    [pytest.param(*rest, id=name) for name, *rest in CALLS],
)
def test_each_call_is_one_request(
    call: Callable[[MattermostClient], Any], answer: object, line: str, payload: object
) -> None:
    """Each method of the client makes exactly one request."""
    with WireServer(always(json_answer(answer))) as server, client_of(server) as client:
        call(client)

    [request] = server.requests
    assert f"{request.method} {request.target}" == line.replace(" /", " /api/v4/", 1)
    assert (json.loads(request.body) if request.body else None) == payload


def test_a_subpath_of_the_server_is_kept() -> None:
    """A server under a subpath, such as https://host/chat/, gets requests below it."""
    with (
        WireServer(always(json_answer(USER))) as server,
        MattermostClient(f"{server.url}/chat/", TOKEN) as client,
    ):
        client.get_me()

    assert server.requests[0].target == "/chat/api/v4/users/me"


@pytest.mark.parametrize("post_id", ["", ".", ".."])
def test_an_empty_id_is_refused_before_anything_is_sent(post_id: str) -> None:
    """An id that is empty or dots is refused, since its path could be another call's."""
    with (
        WireServer(always(json_answer(POST))) as server,
        client_of(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_thread(post_id)

    assert caught.value.reason is Reason.INVALID_REQUEST
    assert server.requests == []


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    """A slash or question mark in an id is escaped."""
    with WireServer(always(json_answer(POST))) as server, client_of(server) as client:
        client.get_post("../users/me?x")

    assert server.requests[0].target == "/api/v4/posts/..%2Fusers%2Fme%3Fx"


def test_a_thread_comes_oldest_first() -> None:
    """A thread is returned oldest first, whatever the server's order."""
    with (
        WireServer(always(json_answer(post_list("root", "b", "c")))) as server,
        client_of(server) as client,
    ):
        thread = client.get_thread("root")

    assert [post.id for post in thread] == ["root", "b", "c"]


def test_the_root_comes_before_replies_of_its_millisecond() -> None:
    """A thread's root comes before replies of the same millisecond."""
    posts = {each: POST | {"id": each, "create_at": 7} for each in ("a", "root", "b")}
    answer = json_answer({"order": ["a", "root", "b"], "posts": posts})
    with WireServer(always(answer)) as server, client_of(server) as client:
        thread = client.get_thread("root")

    assert [post.id for post in thread] == ["root", "a", "b"]


def test_many_ids_are_asked_for_in_portions() -> None:
    """Many ids are requested in portions of 1,000."""
    with WireServer(always(json_answer([POST]))) as server, client_of(server) as client:
        posts = client.get_posts_by_ids([f"p{number}" for number in range(1_001)])

    assert [len(json.loads(request.body)) for request in server.requests] == [1_000, 1]
    assert len(posts) == 2


def test_ids_that_never_existed_are_an_empty_list() -> None:
    """A 404 for ids that never existed gives an empty list."""
    answer = http(404, b'{"id":"app.post.get.app_error"}')
    with WireServer(always(answer)) as server, client_of(server) as client:
        assert client.get_posts_by_ids(["p1"]) == []


def test_a_missing_route_is_not_an_empty_list() -> None:
    """A 404 for a missing route is an error, not an empty list."""
    answer = http(404, b'{"id":"api.context.404.app_error"}')
    with (
        WireServer(always(answer)) as server,
        client_of(server) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get_posts_by_ids(["p1"])

    assert caught.value.reason is Reason.NOT_FOUND
