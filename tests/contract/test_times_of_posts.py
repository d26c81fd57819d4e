"""Observed times of posts: with a given `create_at`, and when their thread is deleted."""

from tests.contract.server import ServerUnderTest


def test_time_that_was_given_is_the_time_of_the_change_too(server: ServerUnderTest) -> None:
    """An administrator's `create_at` also sets `update_at`, so lists of later changes lack it."""
    root = server.bot.posted(server.webchat_id, "root")
    long_ago = root["create_at"] - 600_000

    dated = server.admin.posted(
        server.webchat_id, "attached", root_id=root["id"], create_at=long_ago
    )

    listed = server.bot.get(f"/channels/{server.webchat_id}/posts", since=root["create_at"] - 1)
    (moved,) = server.bot.send("/posts/ids", [root["id"]]).json()
    assert (dated["create_at"], dated["update_at"]) == (long_ago, long_ago)
    assert dated["id"] not in listed.json()["posts"]
    assert moved["update_at"] == long_ago


def test_deletion_of_a_thread_takes_the_time_of_an_earlier_deletion(
    server: ServerUnderTest,
) -> None:
    """A reply that was deleted before its thread then looks like one that went with the thread."""
    root = server.bot.posted(server.webchat_id, "root")
    alone = server.admin.posted(server.webchat_id, "alone", root_id=root["id"])
    server.admin.call("DELETE", f"/posts/{alone['id']}")
    (before,) = server.bot.send("/posts/ids", [alone["id"]]).json()

    server.bot.call("DELETE", f"/posts/{root['id']}")

    posts = server.bot.send("/posts/ids", [root["id"], alone["id"]]).json()
    after = {post["id"]: (post["delete_at"], post["props"]["deleteBy"]) for post in posts}
    assert before["delete_at"] < after[root["id"]][0]
    assert after[alone["id"]] == after[root["id"]]
