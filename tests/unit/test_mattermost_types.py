"""A server's answer becomes a value, or a clear error."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.mattermost.shape import MAX_MOMENT_MS, MAX_SIZE, ShapeError, parse_list
from tasks.mattermost.types import (
    Channel,
    ClientConfig,
    FileInfo,
    Member,
    OutgoingWebhook,
    Post,
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
    """Every field of a recorded post is read, with its files in the order of upload."""
    post = Post.parse(_response("post.with_files"))

    assert post == Post(
        id="se8t4eekmpyapyerheua5s6xsy",
        channel_id="wg5tsoszetb7dknio3uub93ypw",
        user_id="zuuzot59gtbhmy4rwp71r9htih",
        root_id="i8nf8q44hjyr3q3456gwomutio",
        message="",
        create_at_ms=1795352198059,
        update_at_ms=1795352198059,
        delete_at_ms=0,
        original_id="",
        type="",
        props={"from_bot": "true"},
        file_ids=("18p1hh7kzp88irnrptrumgy83h", "npfurre9bt8y3mk3sz8bcgk5qa"),
        files=tuple(map(FileInfo.parse, _response("post.with_files")["metadata"]["files"])),
    )
    assert [file.name for file in post.files] == ["note.txt", "pic.png"]


def test_a_post_without_files_has_none() -> None:
    """A post has no files whether the server omits the list or sends an empty one."""
    without = Post.parse(_response("post.root"))
    null = Post.parse(_response("post.root") | {"file_ids": None, "metadata": {"files": None}})

    assert (without.file_ids, without.files) == ((), ())
    assert null == without


def test_an_uploaded_file_is_read() -> None:
    """The answer to an upload is read as one file."""
    info = parse_uploaded(_response("file.raw"))

    assert info == FileInfo(
        id="18p1hh7kzp88irnrptrumgy83h",
        name="note.txt",
        size_bytes=5,
        mime_type="text/plain; charset=utf-8",
        user_id="zuuzot59gtbhmy4rwp71r9htih",
        post_id="",
        delete_at_ms=0,
    )


def test_the_client_config_is_read_from_its_strings() -> None:
    """Numbers and switches are read from the server's strings."""
    config = ClientConfig.parse(_response("config.client"))

    assert config == ClientConfig(
        version="6.7.2",
        max_post_length=16383,
        max_file_size_bytes=104857600,
        uploads_enabled=True,
        outgoing_webhooks_enabled=True,
        show_email_address=False,
        collapsed_threads="",
        post_usernames_enabled=False,
        post_icons_enabled=False,
        post_edit_time_limit="",
    )


def test_a_config_that_says_little_has_the_defaults() -> None:
    """Missing values of the configuration, as without a valid token, get defaults."""
    config = ClientConfig.parse({"Version": "11.6.0", "MaxPostSize": "x", "MaxFileSize": "0"})

    assert (config.max_post_length, config.max_file_size_bytes) == (16383, 104857600)


def test_only_the_posts_of_the_order_are_given() -> None:
    """A list gives only the posts that its ``order`` names, without the added root posts."""
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
        pytest.param(Member.parse, {"id": "u"}, id="no-username"),
        pytest.param(Channel.parse, {"id": "c"}, id="no-type"),
        pytest.param(ClientConfig.parse, {}, id="no-version"),
        pytest.param(OutgoingWebhook.parse, {"id": "h", "callback_urls": "x"}, id="text-urls"),
        pytest.param(parse_posts, {"posts": {}}, id="no-order"),
        pytest.param(parse_posts, {"order": ["p"], "posts": {}}, id="missing-post"),
        pytest.param(parse_uploaded, {"file_infos": []}, id="no-file"),
        pytest.param(parse_list(Post.parse), {}, id="not-a-list"),
    ],
)
def test_json_of_another_shape_is_an_error(parse: Any, data: object) -> None:
    """JSON of another shape is an error, and never a partial value."""
    with pytest.raises(ShapeError):
        parse(data)


FILE = {"id": "f"}
POST = {"id": "p", "channel_id": "c"}
CONFIG = {"Version": "6.7.2"}


@pytest.mark.parametrize(
    ("parse", "data", "field", "expected"),
    [
        pytest.param(Post.parse, POST | {"create_at": 10**18}, "create_at_ms", MAX_MOMENT_MS,
                     id="far-future"),
        pytest.param(Post.parse, POST | {"create_at": -(10**15)}, "create_at_ms", 0, id="past"),
        pytest.param(Post.parse, POST | {"update_at": 2**70}, "update_at_ms", MAX_MOMENT_MS,
                     id="beyond-64-bits"),
        pytest.param(Post.parse, POST | {"user_id": "u" * 5_000}, "user_id", "", id="long-id"),
        pytest.param(Post.parse, POST | {"user_id": "u\0"}, "user_id", "", id="nul-id"),
        pytest.param(Post.parse, POST | {"root_id": "../x"}, "root_id", "", id="path-id"),
        pytest.param(Post.parse, POST | {"type": "a\r\nb"}, "type", "ab", id="type-of-lines"),
        pytest.param(Post.parse, POST | {"file_ids": ["a", "b" * 300, "c\n"]}, "file_ids", ("a",),
                     id="odd-file-ids"),
        pytest.param(Post.parse, POST | {"file_ids": ["f"] * 1_000}, "file_ids", ("f",) * 10,
                     id="many-files"),
        pytest.param(Post.parse, POST | {"metadata": {"files": [{"id": 1}, FILE, "x"]}}, "files",
                     (FileInfo.parse(FILE),), id="odd-files"),
        pytest.param(Post.parse, POST | {"message": "a\0b\ud800"}, "message", "ab?",
                     id="nul-and-half-a-character"),
        pytest.param(Post.parse, POST | {"message": "x" * 20_000_000}, "message", "x" * 65_535,
                     id="long-text"),
        pytest.param(FileInfo.parse, FILE | {"size": -5}, "size_bytes", 0, id="negative-size"),
        pytest.param(FileInfo.parse, FILE | {"size": 10**400}, "size_bytes", MAX_SIZE,
                     id="huge-size"),
        pytest.param(FileInfo.parse, FILE | {"mime_type": "text/html\r\nSet-Cookie: a=b"},
                     "mime_type", "", id="type-with-a-header"),
        pytest.param(FileInfo.parse, FILE | {"mime_type": "text/html; x=<script>"}, "mime_type", "",
                     id="type-with-more"),
        pytest.param(FileInfo.parse, FILE | {"mime_type": "image/png\0"}, "mime_type", "",
                     id="type-with-nul"),
        pytest.param(FileInfo.parse, FILE | {"name": "a\r\n\0b\u2028.txt"}, "name", "ab.txt",
                     id="name-of-lines"),
        pytest.param(Member.parse, {"id": "u", "username": "a\0b"}, "username", "ab",
                     id="nul-in-a-name"),
        pytest.param(ClientConfig.parse, CONFIG | {"MaxPostSize": "9" * 5_000}, "max_post_length",
                     16_383, id="digits-without-end"),
        pytest.param(ClientConfig.parse, CONFIG | {"MaxPostSize": "1"}, "max_post_length", 4_000,
                     id="posts-of-one-letter"),
        pytest.param(ClientConfig.parse, CONFIG | {"MaxPostSize": "²"}, "max_post_length", 16_383,
                     id="digit-that-is-none"),
        pytest.param(ClientConfig.parse, CONFIG | {"MaxFileSize": "9" * 15}, "max_file_size_bytes",
                     2**30, id="files-without-limit"),
    ],
)  # fmt: skip
def test_odd_value_becomes_harmless(parse: Any, data: object, field: str, expected: object) -> None:
    """An odd value becomes a harmless value, and the rest of the answer is kept."""
    assert getattr(parse(data), field) == expected


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "files", "size", "name"]), inner, max_size=3)
    ),
    max_leaves=10,
)
_POST_FIELDS = (
    "user_id",
    "root_id",
    "message",
    "create_at",
    "update_at",
    "delete_at",
    "original_id",
    "type",
    "props",
    "file_ids",
    "metadata",
)
_POSTS = st.fixed_dictionaries(
    {"id": st.sampled_from(["p", "", "\0", 7]) | st.text(), "channel_id": st.just("c")},
    optional=dict.fromkeys(_POST_FIELDS, _VALUES),
)


@given(_POSTS)
def test_any_answer_is_a_harmless_post_or_an_error(data: dict[str, Any]) -> None:
    """Any answer gives a post within its bounds, or a ShapeError."""
    try:
        post = Post.parse(data)
    except ShapeError:
        return

    ids = (post.id, post.user_id, post.root_id, post.original_id, *post.file_ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{0,64}", each) for each in ids)
    times = (post.create_at_ms, post.update_at_ms, post.delete_at_ms)
    assert all(0 <= each <= MAX_MOMENT_MS for each in times)
    assert "\0" not in post.message
    post.message.encode()
    assert len(post.files) <= 10


def test_representations_show_no_personal_data() -> None:
    """The ``repr`` of each type shows ids, and no text, name, address or token."""
    post = Post.parse({"id": "p", "channel_id": "c", "message": "S3CRET", "props": {"x": "S3CRET"}})
    user = Member.parse(
        {"id": "u", "username": "S3CRET", "email": "S3CRET", "first_name": "S3CRET"}
    )
    hook = OutgoingWebhook.parse({"id": "h", "token": "S3CRET"})

    assert "S3CRET" not in repr((post, user, hook))
