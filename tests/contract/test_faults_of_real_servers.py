"""The faults that were observed on real servers, as the stand-in repeats them."""

import pytest
import requests

from demo.mattermost import StandIn
from tests.contract.server import ServerUnderTest, accepted
from tests.waiting import wait_until


def test_first_reply_collides_and_stores_nothing(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """The first reply to a root gets a 500 with its own error id; later replies are made."""
    root = own_server.bot.posted(own_server.webchat_id, "root")
    stand_in.set_fault("first_reply_collision", times=1)

    struck = own_server.bot.post(own_server.webchat_id, "lost", root_id=root["id"])
    own_server.bot.posted(own_server.webchat_id, "kept", root_id=root["id"])
    stand_in.set_fault("first_reply_collision", times=1)
    later = own_server.bot.post(own_server.webchat_id, "later", root_id=root["id"])

    assert (struck.status_code, struck.json()["id"]) == (500, "app.post.save.app_error")
    assert (later.status_code, accepted(stand_in)) == (201, ["root", "kept", "later"])


def test_reply_is_taken_under_a_root_that_goes(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """A reply is made under a deleted root; the list and the thread show it without the root."""
    bot, channel_id = own_server.bot, own_server.webchat_id
    root = bot.posted(channel_id, "root")
    before = bot.posted(channel_id, "before", root_id=root["id"])
    stand_in.set_fault("under_deleted_root", times=1)

    orphan = bot.post(channel_id, "orphan", root_id=root["id"])

    post_id = orphan.json()["id"]
    by_ids = bot.send("/posts/ids", [root["id"], before["id"], post_id]).json()
    listed = bot.get(f"/channels/{channel_id}/posts").json()
    thread = bot.get(f"/posts/{post_id}/thread").json()
    next_one = bot.post(channel_id, "next", root_id=root["id"])
    alive = {post["id"]: post["delete_at"] == 0 for post in by_ids}
    assert (orphan.status_code, orphan.json()["delete_at"]) == (201, 0)
    assert alive == {root["id"]: False, before["id"]: False, post_id: True}
    assert (post_id in listed["posts"], root["id"] in listed["posts"]) == (True, False)
    assert list(thread["posts"]) == [post_id]
    assert next_one.json()["id"] == "api.post.create_post.root_id.app_error"


def test_post_that_is_being_made_appears_a_moment_later(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """After the 500, the same pending id returns the post, and the post is there once."""
    stand_in.set_fault("being_made", seconds=0.2, times=1)
    first = own_server.bot.post(own_server.webchat_id, "made", pending_post_id="key-4")

    def again() -> requests.Response:
        return own_server.bot.post(own_server.webchat_id, "made", pending_post_id="key-4")

    wait_until(lambda: again().status_code == 201, what="the post")

    posts = own_server.bot.get(f"/channels/{own_server.webchat_id}/posts").json()["posts"]
    error = "api.post.deduplicate_create_post.pending"
    assert (first.status_code, first.json()["id"]) == (500, error)
    assert [post["message"] for post in posts.values() if post["message"] == "made"] == ["made"]


def test_half_a_list_of_files_is_kept(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """The post has all its file ids, each answer lists half of the files, and each file exists."""
    bot = own_server.bot
    file_ids = [bot.file_id(own_server.webchat_id) for _ in range(4)]
    stand_in.set_fault("half_list_of_files", times=1)
    post = bot.posted(own_server.webchat_id, file_ids=file_ids)

    read = bot.get(f"/posts/{post['id']}").json()
    infos = bot.get(f"/posts/{post['id']}/files/info").json()

    assert sorted(read["file_ids"]) == sorted(file_ids)
    assert (len(read["metadata"]["files"]), len(infos)) == (2, 2)
    assert [bot.get(f"/files/{each}/info").status_code for each in file_ids] == [200] * 4


@pytest.mark.parametrize(
    ("call", "status", "error"),
    [
        ("reply", 400, "api.post.create_post.root_id.app_error"),
        ("post", 500, "app.post.save.app_error"),
        ("ids", 500, "app.post.get.app_error"),
        ("thread", 500, "app.post.get.app_error"),
    ],
)
def test_server_whose_database_is_away_goes_on_answering(
    call: str, status: int, error: str, stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """A reply is refused as if its root did not exist; other requests for posts get a 500."""
    bot, channel_id = own_server.bot, own_server.webchat_id
    root_id = bot.posted(channel_id, "root")["id"]
    calls = {
        "reply": lambda: bot.post(channel_id, root_id=root_id),
        "post": lambda: bot.post(channel_id),
        "ids": lambda: bot.send("/posts/ids", [root_id]),
        "thread": lambda: bot.get(f"/posts/{root_id}/thread"),
    }
    stand_in.set_fault("database_away")

    answer = calls[call]()

    ping = bot.get("/system/ping")
    assert (answer.status_code, answer.json()["id"], ping.status_code) == (status, error, 200)


def test_permanent_deletion_leaves_no_trace(stand_in: StandIn, own_server: ServerUnderTest) -> None:
    """If the server allows it, an administrator removes thread and files, and no list has them."""
    bot, channel_id = own_server.bot, own_server.webchat_id
    file_id = bot.file_id(channel_id)
    root = bot.posted(channel_id, "root", file_ids=[file_id])
    reply = bot.posted(channel_id, "reply", root_id=root["id"])
    path = f"/posts/{root['id']}?permanent=true"
    refused = own_server.admin.delete(path)
    stand_in.set_options(EnableAPIPostDeletion=True)
    by_bot = bot.delete(path)

    done = own_server.admin.delete(path)

    since = bot.get(f"/channels/{channel_id}/posts", since=root["create_at"] - 1).json()
    by_ids = bot.send("/posts/ids", [root["id"], reply["id"]])
    assert (refused.status_code, by_bot.status_code, done.status_code) == (501, 403, 200)
    assert {root["id"], reply["id"]} & set(since["posts"]) == set()
    assert (by_ids.status_code, bot.get(f"/files/{file_id}").status_code) == (404, 404)


@pytest.mark.parametrize(("version", "status"), [("6.7.2", 201), ("11.6.0", 413)])
def test_body_over_the_limit_is_refused_by_newer_servers(
    version: str, status: int, stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """11.6 refuses more than 300,512 bytes of JSON, and 6.7 accepts them."""
    stand_in.set_options(Version=version)
    fields = [{"title": "a", "value": "é" * 16_000} for _ in range(10)]

    answer = own_server.bot.post(own_server.webchat_id, props={"attachments": [{"fields": fields}]})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("caches", "call", "status", "error"),
    [
        ("without members", "reply", 403, "api.context.permissions.app_error"),
        ("without members", "ids", 500, "app.post.get.app_error"),
        ("cold", "reply", 401, "api.context.session_expired.app_error"),
        ("cold", "ids", 401, "api.context.session_expired.app_error"),
    ],
)
def test_what_a_server_without_its_database_knows_depends_on_its_caches(
    caches: str,
    call: str,
    status: int,
    error: str,
    stand_in: StandIn,
    own_server: ServerUnderTest,
) -> None:
    """The bot gets 403 without cached members, 401 without any cache; the ping shows the fault."""
    bot, channel_id = own_server.bot, own_server.webchat_id
    root_id = bot.posted(channel_id, "root")["id"]
    calls = {
        "reply": lambda: bot.post(channel_id, root_id=root_id),
        "ids": lambda: bot.send("/posts/ids", [root_id]),
    }
    stand_in.set_fault("database_away", caches=caches)

    answer = calls[call]()

    told = bot.get("/system/ping", get_server_status="true")
    assert (answer.status_code, answer.json()["id"]) == (status, error)
    assert (told.status_code, told.json()["database_status"]) == (500, "UNHEALTHY")


def test_permanent_deletion_is_an_ordinary_one_on_old_servers(
    stand_in: StandIn, own_server: ServerUnderTest
) -> None:
    """6.7 ignores `permanent`, and deletes as usual."""
    stand_in.set_options(Version="6.7.2")
    post = own_server.bot.posted(own_server.webchat_id)

    answer = own_server.bot.delete(f"/posts/{post['id']}?permanent=true")

    [known] = own_server.bot.send("/posts/ids", [post["id"]]).json()
    assert (answer.status_code, known["delete_at"] > 0) == (200, True)
