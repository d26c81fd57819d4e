"""What the server answers becomes a value, or a clear no."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.mattermost.shape import ShapeError, parse_list
from tasks.mattermost.types import (
    Channel,
    ClientConfig,
    FileInfo,
    OutgoingWebhook,
    Post,
    User,
    parse_posts,
    parse_uploaded,
)

_CASES = json.loads(
    (Path(__file__).parents[1] / "samples" / "recorded-6.7.2.json").read_text(encoding="utf-8")
)["cases"]
RECORDED = {case["case"]: case for case in _CASES}


def _response(case: str) -> Any:
    return RECORDED[case]["response"]


def test_a_recorded_post_is_read_whole() -> None:
    """Every field of a real post arrives, with its files in the order of upload."""
    post = Post.parse(_response("post.with_files"))

    assert post == Post(
        id="se8t4eekmpyapyerheua5s6xsy",
        channel_id="wg5tsoszetb7dknio3uub93ypw",
        user_id="zuuzot59gtbhmy4rwp71r9htih",
        root_id="i8nf8q44hjyr3q3456gwomutio",
        message="",
        create_at_ms=1795352198059,
        update_at_ms=1795352198059,
        edit_at_ms=0,
        delete_at_ms=0,
        original_id="",
        type="",
        props={"from_bot": "true"},
        file_ids=("18p1hh7kzp88irnrptrumgy83h", "npfurre9bt8y3mk3sz8bcgk5qa"),
        files=tuple(map(FileInfo.parse, _response("post.with_files")["metadata"]["files"])),
        pending_post_id="",
    )
    assert [file.name for file in post.files] == ["note.txt", "pic.png"]


def test_a_post_without_files_has_none() -> None:
    """Old servers leave out what new ones give as an empty list."""
    without = Post.parse(_response("post.root"))
    null = Post.parse(_response("post.root") | {"file_ids": None, "metadata": {"files": None}})

    assert (without.file_ids, without.files) == ((), ())
    assert null == without


def test_an_uploaded_file_is_read() -> None:
    """The answer to an upload holds one file."""
    info = parse_uploaded(_response("file.raw"))

    assert info == FileInfo(
        id="18p1hh7kzp88irnrptrumgy83h",
        name="note.txt",
        size_bytes=5,
        mime_type="text/plain; charset=utf-8",
        extension="txt",
        has_preview_image=False,
        user_id="zuuzot59gtbhmy4rwp71r9htih",
        post_id="",
        delete_at_ms=0,
    )


def test_the_client_config_is_read_from_its_strings() -> None:
    """The server gives numbers and switches as strings."""
    config = ClientConfig.parse(_response("config.client"))

    assert config == ClientConfig(
        version="6.7.2",
        site_url="http://127.0.0.1:8065",
        max_post_length=16383,
        max_file_size_bytes=104857600,
        uploads_enabled=True,
        outgoing_webhooks_enabled=True,
        username_override_enabled=False,
        icon_override_enabled=False,
        show_email_address=False,
        require_email_verification=False,
        collapsed_threads="",
    )


def test_a_config_that_says_little_has_the_defaults() -> None:
    """Without a valid token the server leaves most of it out."""
    config = ClientConfig.parse({"Version": "11.6.0", "MaxPostSize": "x", "MaxFileSize": "0"})

    assert (config.max_post_length, config.max_file_size_bytes) == (16383, 104857600)


def test_only_the_posts_of_the_order_are_given() -> None:
    """A list brings the roots of its replies along; those were not asked for."""
    recorded = _response("channel.posts.since")["posts"]
    newest, older, root = sorted(recorded)

    posts = parse_posts({"order": [newest, older], "posts": recorded})

    assert root in recorded
    assert posts == [Post.parse(recorded[newest]), Post.parse(recorded[older])]


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        pytest.param(Post.parse, [], id="array"),
        pytest.param(Post.parse, {}, id="no-id"),
        pytest.param(Post.parse, {"id": "p"}, id="no-channel"),
        pytest.param(Post.parse, {"id": "p", "channel_id": "c", "create_at": "1"}, id="text-time"),
        pytest.param(Post.parse, {"id": "p", "channel_id": "c", "create_at": True}, id="bool-time"),
        pytest.param(Post.parse, {"id": "p", "channel_id": "c", "file_ids": [1]}, id="number-id"),
        pytest.param(Post.parse, {"id": "p", "channel_id": "c", "props": []}, id="props-array"),
        pytest.param(User.parse, {"id": "u"}, id="no-username"),
        pytest.param(Channel.parse, {"id": "c"}, id="no-type"),
        pytest.param(ClientConfig.parse, {}, id="no-version"),
        pytest.param(OutgoingWebhook.parse, {"id": "h", "callback_urls": "x"}, id="text-urls"),
        pytest.param(parse_posts, {"posts": {}}, id="no-order"),
        pytest.param(parse_posts, {"order": ["p"], "posts": {}}, id="missing-post"),
        pytest.param(parse_uploaded, {"file_infos": []}, id="no-file"),
        pytest.param(parse_list(Post.parse), {}, id="not-a-list"),
    ],
)
def test_another_shape_is_a_clear_no(parse: Any, data: object) -> None:
    """JSON that is not what was asked for is never half a value."""
    with pytest.raises(ShapeError):
        parse(data)


def test_representations_hold_nobodys_data() -> None:
    """What ends in a log by accident shows ids, and no text, name, address or token."""
    post = Post.parse({"id": "p", "channel_id": "c", "message": "S3CRET", "props": {"x": "S3CRET"}})
    user = User.parse({"id": "u", "username": "S3CRET", "email": "S3CRET", "first_name": "S3CRET"})
    hook = OutgoingWebhook.parse({"id": "h", "token": "S3CRET"})

    assert "S3CRET" not in repr((post, user, hook))
