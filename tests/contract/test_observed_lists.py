"""Observed behaviour of lists: their order, and the limits of `since`."""

from typing import Any

from tests.contract.recordings import RECORDINGS, Recording
from tests.contract.server import Caller, ServerUnderTest
from tests.contract.test_recorded_requests import shape

# As many posts as for the recording, which exceeds the limit of a thousand.
MANY_POSTS = RECORDINGS["11.6.0"].cases["since.limit"]["posted"]


def since(caller: Caller, channel_id: str, moment_ms: int) -> dict[str, Any]:
    """Return the list of the posts that changed after a moment."""
    answer: dict[str, Any] = caller.get(f"/channels/{channel_id}/posts", since=moment_ms).json()
    return answer


def test_since_is_strictly_greater(server: ServerUnderTest, recording: Recording) -> None:
    """A post that changed in that millisecond is left out; with one less, the post is there."""
    channel_id = server.new_channel()
    post = server.bot.posted(channel_id)

    equal = since(server.bot, channel_id, post["update_at"])
    one_less = since(server.bot, channel_id, post["update_at"] - 1)

    case = recording.cases["since.boundary"]
    assert (post["id"] in equal["order"]) is case["includes_equal"]
    assert (post["id"] in one_less["order"]) is case["includes_minus_one"]


def test_since_lists_a_deleted_post_blank(server: ServerUnderTest, recording: Recording) -> None:
    """A deleted post is listed with its time of deletion and without text."""
    channel_id = server.new_channel()
    post = server.bot.posted(channel_id, "to be deleted")
    server.admin.delete(f"/posts/{post['id']}")

    answer = since(server.bot, channel_id, post["create_at"] - 1)

    case, deleted = recording.cases["since.deleted"], answer["posts"][post["id"]]
    assert (post["id"] in answer["order"]) is case["in_order"]
    assert list(answer) == case["keys"]
    assert shape(deleted) == shape(case["post"])
    assert deleted["message"] == ""
    assert deleted["delete_at"] == deleted["update_at"] > 0
    assert deleted["props"] == {"deleteBy": server.admin.user_id, "from_bot": "true"}


def test_since_lists_an_edited_post_with_its_new_text(
    server: ServerUnderTest, recording: Recording
) -> None:
    """An edited post is listed as it is now."""
    channel_id = server.new_channel()
    post = server.bot.posted(channel_id, "first text")
    edited = server.bot.patch(post["id"], message="second text").json()

    answer = since(server.bot, channel_id, edited["update_at"] - 1)

    listed, case = answer["posts"][post["id"]], recording.cases["since.edited"]
    assert (post["id"] in answer["order"]) is case["in_order"]
    assert shape(listed) == shape(case["post"])
    assert (listed["message"], listed["edit_at"]) == ("second text", edited["edit_at"])


def test_since_lists_what_a_post_was_before_its_edit(
    server: ServerUnderTest, recording: Recording
) -> None:
    """An edit adds a deleted copy that names the original, and the root is listed, too."""
    channel_id = server.new_channel()
    root = server.bot.posted(channel_id, "root")
    reply = server.bot.posted(channel_id, "before edit", root_id=root["id"])
    edited = server.bot.patch(reply["id"], message="after edit").json()

    answer = since(server.bot, channel_id, edited["update_at"] - 1)

    posts = [answer["posts"][post_id] for post_id in answer["order"]]
    copies = [post for post in posts if post["original_id"]]
    others = {post["message"] for post in posts if not post["original_id"]}
    assert len(posts) == len(recording.cases["since.history_copy"]["posts"])
    assert others == {"after edit", "root"}
    assert [(copy["original_id"], copy["message"], copy["edit_at"]) for copy in copies] == [
        (reply["id"], "", 0)
    ]
    assert copies[0]["delete_at"] == edited["update_at"]


def test_since_stops_at_a_thousand(server: ServerUnderTest, recording: Recording) -> None:
    """Of more than a thousand posts, any thousand are listed, without a cursor to the rest."""
    channel_id = server.new_channel()
    first = server.bot.posted(channel_id)
    for _ in range(MANY_POSTS):
        server.bot.posted(channel_id)

    answer = since(server.bot, channel_id, first["update_at"])

    case = recording.cases["since.limit"]
    rest = {key: value for key, value in answer.items() if key not in ("order", "posts")}
    assert len(answer["order"]) == case["returned"]
    assert rest == case["rest"]


def test_ids_tell_a_deleted_root_from_none(server: ServerUnderTest, recording: Recording) -> None:
    """POST /posts/ids returns a deleted root without text, and 404 for an unknown id."""
    root = server.bot.posted(server.webchat_id, "root")
    server.admin.delete(f"/posts/{root['id']}")

    known = server.bot.send("/posts/ids", [root["id"]])
    unknown = server.bot.send("/posts/ids", ["a" * 26])

    case = recording.cases["posts.ids.deleted_root"]
    assert (known.status_code, shape(known.json())) == (case["status"], shape(case["body"]))
    assert known.json()[0]["delete_at"] > 0
    assert (unknown.status_code, unknown.json()["id"]) == (404, "app.post.get.app_error")


def test_file_ids_are_sorted_and_files_are_not(
    server: ServerUnderTest, recording: Recording
) -> None:
    """A post's file ids come back sorted, and its metadata keeps the order of the upload."""
    sent = [server.bot.file_id(server.webchat_id, f"n{n}.txt") for n in range(4)]

    post = server.bot.posted(server.webchat_id, file_ids=sent[::-1])

    names = [info["name"] for info in post["metadata"]["files"]]
    assert post["file_ids"] == sorted(sent)
    assert names == recording.cases["file_ids.order"]["metadata_order"]


def test_unknown_and_used_files_are_dropped_silently(server: ServerUnderTest) -> None:
    """A post is made without the files that cannot be attached."""
    used, fresh = server.bot.file_id(server.webchat_id), server.bot.file_id(server.webchat_id)
    foreign = server.anna.file_id(server.webchat_id)
    server.bot.posted(server.webchat_id, file_ids=[used])

    post = server.bot.posted(server.webchat_id, file_ids=[used, "a" * 26, foreign, fresh])

    assert post["file_ids"] == [fresh]


def test_thread_holds_every_live_reply(server: ServerUnderTest) -> None:
    """The thread has the root and its live replies with their count, the requested post first."""
    root = server.bot.posted(server.webchat_id, "root")
    replies = [
        server.bot.posted(server.webchat_id, f"r{n}", root_id=root["id"])["id"] for n in range(3)
    ]
    server.bot.delete(f"/posts/{replies[1]}")

    answer = server.bot.get(f"/posts/{replies[0]}/thread").json()

    live = {root["id"], replies[0], replies[2]}
    assert set(answer["order"]) == set(answer["posts"]) == live
    assert answer["order"][0] == replies[0]
    assert {post["reply_count"] for post in answer["posts"].values()} == {2}


def test_thread_pages_go_on_after_a_post(server: ServerUnderTest) -> None:
    """Pages downwards go on after the given post and say whether there is more."""
    root = server.bot.posted(server.webchat_id, "root")
    # Administrators may set create_at. A different millisecond for each makes the order certain.
    at = root["create_at"] + 1000
    replies = [
        server.admin.posted(server.webchat_id, f"r{n}", root_id=root["id"], create_at=at + n)
        for n in range(5)
    ]
    start = {"fromPost": replies[1]["id"], "fromCreateAt": replies[1]["create_at"]}
    path = f"/posts/{root['id']}/thread"

    some = server.bot.get(path, perPage=2, direction="down", **start).json()
    rest = server.bot.get(path, perPage=3, direction="down", **start).json()

    wanted = [root["id"], *(reply["id"] for reply in replies[2:])]
    assert (sorted(some["order"]), some["has_next"]) == (sorted(wanted[:3]), True)
    assert (sorted(rest["order"]), rest["has_next"]) == (sorted(wanted), False)


def test_pages_after_a_post_begin_with_the_oldest(server: ServerUnderTest) -> None:
    """`after` gives the oldest posts after the anchor, listed newest first."""
    channel_id = server.new_channel()
    # Administrators may set create_at, which gives each post its own millisecond.
    at = server.admin.posted(channel_id)["create_at"] + 1000
    ids = [server.admin.posted(channel_id, create_at=at + n)["id"] for n in range(5)]
    path = f"/channels/{channel_id}/posts"

    after = server.bot.get(path, after=ids[0], per_page=2).json()
    before = server.bot.get(path, before=ids[4], per_page=2).json()

    assert (after["order"], after["next_post_id"]) == ([ids[2], ids[1]], ids[3])
    assert (before["order"], before["prev_post_id"]) == ([ids[3], ids[2]], ids[1])


def test_edit_of_props_alone_keeps_the_text(server: ServerUnderTest, recording: Recording) -> None:
    """A patch of the props replaces them whole and fills in every key of an attachment."""
    post = server.bot.posted(server.webchat_id, "card", props={"old": 1})

    answer = server.bot.patch(post["id"], props={"k": 1, "attachments": [{"text": "closed"}]})

    case = recording.cases["patch.props_only"]
    actual = {key: answer.json()[key] for key in ("props", "message")}
    assert (answer.status_code, actual) == (
        case["status"],
        {"props": case["props"], "message": case["message"]},
    )


def test_private_channel_is_closed_to_others(server: ServerUnderTest) -> None:
    """Users who are not in a private channel get 403 for its posts and its list."""
    post = server.anna.posted(server.private_id, "in private")
    outsider, _ = server.new_bot()

    one = outsider.get(f"/posts/{post['id']}")
    many = outsider.get(f"/channels/{server.private_id}/posts")

    assert (one.status_code, many.status_code) == (403, 403)


def test_client_config_has_the_recorded_values(
    server: ServerUnderTest, recording: Recording
) -> None:
    """The flat map of strings has the recorded defaults, except addresses."""
    recorded = dict(recording.cases["config.client"]["response"])
    del recorded["SiteURL"]

    config = server.bot.get("/config/client", format="old").json()

    assert {key: config[key] for key in recorded} == recorded
    assert {type(value) for value in config.values()} == {str}


def test_deleted_post_takes_no_reaction(server: ServerUnderTest) -> None:
    """A reaction to a deleted post gets 404."""
    post = server.bot.posted(server.webchat_id)
    server.bot.delete(f"/posts/{post['id']}")
    body = {"user_id": server.bot.user_id, "post_id": post["id"], "emoji_name": "eyes"}

    answer = server.bot.send("/reactions", body)

    assert (answer.status_code, answer.json()["id"]) == (404, "app.post.get.app_error")
