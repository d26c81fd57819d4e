"""The client works with the stand-in as the project uses Mattermost, call by call."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest

from demo.mattermost import VERSIONS, StandIn, running_server
from tasks.mattermost import (
    MattermostClient,
    MattermostError,
    OutcomeUnknownError,
    Post,
    RateLimitedError,
    Reason,
    RefusedError,
)
from tests.waiting import wait_until


@dataclass(frozen=True)
class Place:
    """A server with a team, a channel and a bot in it, and two clients."""

    server: StandIn
    bot: MattermostClient
    admin: MattermostClient
    bot_id: str
    team_id: str
    channel_id: str
    archived_id: str

    def post(self, message: str = "hello", **options: Any) -> Post:
        """Post in the channel as the bot; return the post."""
        return self.bot.create_post(channel_id=self.channel_id, message=message, **options)

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file as the bot; return its id."""
        return self.bot.upload_file(
            channel_id=self.channel_id, name=name, stream=BytesIO(content), size_bytes=len(content)
        ).id


@pytest.fixture(params=list(VERSIONS))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A new server of each version."""
    with running_server(version=request.param) as server:
        made = server.setup(
            {
                "teams": [{"name": "support"}],
                "channels": [
                    {"team": "support", "name": "webchat"},
                    {"team": "support", "name": "foreign", "type": "P"},
                    {"team": "support", "name": "old", "archived": True},
                ],
                "bots": [
                    {"username": "mirror", "channels": ["support/webchat", "support/old"]},
                ],
            }
        )
        with (
            MattermostClient(server.url, made["bots"]["mirror"]["token"]) as bot,
            MattermostClient(server.url, made["admin"]["token"]) as admin,
        ):
            yield Place(
                server,
                bot,
                admin,
                bot_id=made["bots"]["mirror"]["id"],
                team_id=made["teams"]["support"]["id"],
                channel_id=made["channels"]["support/webchat"]["id"],
                archived_id=made["channels"]["support/old"]["id"],
            )


def test_a_set_up_is_found_by_its_names(place: Place) -> None:
    """The client finds the server, bot, team, channel and membership, as ``licence add`` does."""
    me = place.bot.get_me()
    team = place.bot.get_team_by_name("support")
    channel = place.bot.get_channel_by_name(team="support", channel="webchat")
    membership = place.bot.get_my_membership(channel.id)
    config = place.bot.get_client_config()

    assert place.bot.ping() == "OK"
    assert (me.id, me.is_bot, team.id) == (place.bot_id, True, place.team_id)
    assert (channel.id, channel.type) == (place.channel_id, "O")
    assert membership.user_id == place.bot_id
    assert (config.version, config.uploads_enabled) == (place.server.options()["Version"], True)
    assert place.bot.get_channel(channel.id) == channel
    assert place.bot.get_users_by_ids([me.id, "a" * 26])[0].id == me.id


def test_a_thread_grows_and_is_read_in_order(place: Place) -> None:
    """A thread with our key in its props is read in order."""
    root = place.post("root")
    replies = [
        place.post(str(number), root_id=root.id, props={"key": number}) for number in range(3)
    ]

    thread = place.bot.get_thread(root.id)

    assert thread[0].id == root.id
    # Two posts of the same millisecond have no defined order.
    assert [post.create_at_ms for post in thread] == sorted(post.create_at_ms for post in thread)
    assert {post.id: post.props.get("key") for post in thread} == {
        root.id: None,
        **{reply.id: number for number, reply in enumerate(replies)},
    }


def test_a_post_sent_twice_is_there_once(place: Place) -> None:
    """The server answers a repeated pending_post_id with the first post."""
    first = place.post(pending_post_id="unguessable")
    second = place.post(pending_post_id="unguessable")

    assert first.id == second.id
    assert [post.id for post in place.bot.get_posts_page(place.channel_id)].count(first.id) == 1


def test_files_keep_their_order_of_upload(place: Place) -> None:
    """Files keep their order of upload and their content, though the ids are sorted."""
    names = [f"{number}.txt" for number in range(6)]
    file_ids = [place.upload(name, name.encode()) for name in names]

    post = place.post("", file_ids=file_ids)

    assert post.file_ids == tuple(sorted(file_ids))
    assert [file.name for file in post.files] == names
    assert place.bot.get_file_info(file_ids[0]).size_bytes == 5
    with place.bot.download_file(file_ids[0]) as download:
        assert (download.size_bytes, b"".join(download.chunks)) == (5, b"0.txt")


def test_a_deleted_root_is_told_from_one_that_never_was(place: Place) -> None:
    """A deleted root is refused as a root, but is still known by its id."""
    root = place.post("root")
    place.bot.delete_post(root.id)

    [known] = place.bot.get_posts_by_ids([root.id])
    assert known.delete_at_ms > 0
    assert place.bot.get_posts_by_ids(["a" * 26]) == []
    with pytest.raises(RefusedError) as as_post:
        place.bot.get_post(root.id)
    with pytest.raises(RefusedError) as as_thread:
        place.bot.get_thread(root.id)
    with pytest.raises(RefusedError) as as_root:
        place.post(root_id=root.id)
    assert [error.value.reason for error in (as_post, as_thread, as_root)] == [
        Reason.NOT_FOUND,
        Reason.NOT_FOUND,
        Reason.ROOT_REJECTED,
    ]


def test_what_changed_is_found(place: Place) -> None:
    """`since` has edited and deleted posts, and `after` has no deleted ones."""
    first = place.post("1")
    # A post of the same millisecond would not count as after it, as on a real server.
    wait_until(lambda: time.time() * 1_000 >= first.create_at_ms + 1, what="the next millisecond")
    second, third = place.post("2"), place.post("3")
    place.bot.patch_post(second.id, message="2!")
    place.bot.delete_post(third.id)

    changed = {
        post.id: (post.message, post.delete_at_ms > 0)
        for post in place.bot.get_posts_since(place.channel_id, since_ms=first.create_at_ms - 1)
        if not post.original_id
    }

    assert changed[second.id] == ("2!", False)
    assert changed[third.id] == ("", True)
    after = place.bot.get_posts_after(place.channel_id, post_id=first.id)
    assert [post.id for post in after] == [second.id]


def test_a_reaction_comes_and_goes(place: Place) -> None:
    """A reaction that is added twice is there once, and can be removed."""
    post = place.post()
    reactions = place.server.backend.state.reactions[post.id]

    for _ in range(2):
        place.bot.add_reaction(post.id, user_id=place.bot_id, emoji_name="white_check_mark")
    added = list(reactions)
    place.bot.remove_reaction(post.id, user_id=place.bot_id, emoji_name="white_check_mark")

    assert added == [(place.bot_id, "white_check_mark")]
    assert list(reactions) == []


def test_an_admin_makes_the_webhook_and_the_bot_may_not(place: Place) -> None:
    """An administrator can manage a webhook, and a bot may not."""
    options: dict[str, Any] = {
        "team_id": place.team_id,
        "channel_id": place.channel_id,
        "display_name": "Replies",
        "callback_urls": ["https://reserve.example/mattermost/replies"],
    }

    hook = place.admin.create_outgoing_webhook(**options)
    renewed = place.admin.regenerate_outgoing_webhook_token(hook.id)

    assert hook.content_type == "application/json"
    assert len({hook.token, renewed.token, ""}) == 3
    assert place.admin.get_outgoing_webhook(hook.id) == renewed
    assert place.admin.list_outgoing_webhooks(team_id=place.team_id) == [renewed]
    with pytest.raises(RefusedError) as caught:
        place.bot.create_outgoing_webhook(**options)
    assert caught.value.reason is Reason.PERMISSION_MISSING
    place.admin.delete_outgoing_webhook(hook.id)
    assert place.admin.list_outgoing_webhooks(team_id=place.team_id) == []


def test_an_admin_brings_the_bot_into_a_channel(place: Place) -> None:
    """An administrator can add the bot to a channel."""
    foreign = place.admin.get_channel_by_name(team="support", channel="foreign")
    with pytest.raises(RefusedError) as caught:
        place.bot.create_post(channel_id=foreign.id, message="hello")

    place.admin.add_channel_member(foreign.id, user_id=place.bot_id)

    assert (caught.value.reason, caught.value.channel_id) == (Reason.NOT_A_MEMBER, foreign.id)
    assert place.bot.create_post(channel_id=foreign.id, message="hello").channel_id == foreign.id


def test_an_archived_channel_is_named(place: Place) -> None:
    """A post to an archived channel is refused with that reason."""
    with pytest.raises(RefusedError) as caught:
        place.bot.create_post(channel_id=place.archived_id, message="x")

    assert caught.value.reason is Reason.CHANNEL_ARCHIVED


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"MaxFileSize": 4}, Reason.TOO_LARGE),
        ({"EnableFileAttachments": False}, Reason.UPLOADS_DISABLED),
    ],
    ids=["too-large", "disabled"],
)
def test_a_refused_upload_says_why(place: Place, options: dict[str, Any], reason: Reason) -> None:
    """A refused upload has its reason: the file is too large, or uploads are disabled."""
    place.server.set_options(**options)

    with pytest.raises(RefusedError) as caught:
        place.upload("a.txt", b"hello")

    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("fault", "details", "kind", "reason"),
    [
        ("down", {}, OutcomeUnknownError, Reason.CONNECTION_CUT),
        ("accept_then_drop", {}, OutcomeUnknownError, Reason.CONNECTION_CUT),
        ("error_500", {}, OutcomeUnknownError, Reason.SERVER_ERROR),
        ("html_502", {}, OutcomeUnknownError, Reason.SERVER_ERROR),
        ("html_503", {}, OutcomeUnknownError, Reason.SERVER_ERROR),
        ("html_200", {}, RefusedError, Reason.NOT_MATTERMOST),
        ("rate_limited", {"retry_after_s": 3}, RateLimitedError, Reason.RATE_LIMITED),
        ("unauthorized", {}, RefusedError, Reason.TOKEN_REJECTED),
        ("root_rejected", {}, RefusedError, Reason.ROOT_REJECTED),
        ("plugin_rejection", {"reason": "S3CRET"}, RefusedError, Reason.REJECTED_BY_PLUGIN),
    ],
)  # fmt: skip
def test_a_fault_of_the_server_has_its_reason(
    place: Place, fault: str, details: dict[str, Any], kind: type[MattermostError], reason: Reason
) -> None:
    """Each fault of the server gives its reason, and the next post succeeds."""
    root = place.post("root")
    place.server.set_fault(fault, times=1, **details)

    with pytest.raises(kind) as caught:
        place.post(root_id=root.id)

    assert caught.value.reason is reason
    assert "S3CRET" not in str(caught.value)
    assert place.post(root_id=root.id).root_id == root.id
