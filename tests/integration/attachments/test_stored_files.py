"""A message's file by path comes only from within the store, up to the size limit."""

import os
from pathlib import Path

import fsspec
import pytest

from tasks.attachments import Attachment, AttachmentError, AttachmentReason, AttachmentSource
from tests.integration.attachments.calls import (
    LIMIT,
    NO_HOST,
    local_source,
    read_all,
    refusal_of,
)


def test_a_stored_file_is_opened_by_its_path(store: Path) -> None:
    """A path in the store gives the file, its size and a safe name."""
    name, content = read_all(local_source(store), Attachment("x/a.txt", path="sub/./a.txt"))

    assert (name, content) == ("a.txt", b"hello")


def test_a_stored_file_gets_the_extension_of_its_type(store: Path) -> None:
    """A name without extension gets one by i-Reserve's content type."""
    name, _ = read_all(
        local_source(store), Attachment("scan", path="sub/a.txt", content_type="image/png")
    )

    assert name == "scan.png"


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "sub/../../outside.txt",
        "sub/../sub/a.txt",
        "/etc/passwd",
        "..\\outside.txt",
        "sub\\a.txt",
        "sub/a.txt\0",
        "sub/a\n.txt",
        "file:///etc/passwd",
        "https://example.com/a",
        "simplecache::file:///etc/passwd",
        "",
        ".",
        "link-to-outside.txt",
        "link-to-parent/outside.txt",
        "../store-sibling/a.txt",
        "link-to-sibling/a.txt",
    ],
)
def test_no_path_leads_out_of_the_store(store: Path, path: str) -> None:
    """No dots, absolute paths, links or addresses in a path lead out of the store."""
    sibling = store.parent / "store-sibling"
    sibling.mkdir()
    (sibling / "a.txt").write_bytes(b"sibling")
    (store / "link-to-outside.txt").symlink_to(store.parent / "outside.txt")
    (store / "link-to-parent").symlink_to(store.parent)
    (store / "link-to-sibling").symlink_to(sibling)

    assert (
        refusal_of(local_source(store), Attachment("a", path=path))
        is AttachmentReason.OUTSIDE_STORE
    )


def test_a_link_within_the_store_is_followed(store: Path) -> None:
    """A symbolic link within the store is followed."""
    (store / "link.txt").symlink_to(store / "sub" / "a.txt")

    assert read_all(local_source(store), Attachment("a.txt", path="link.txt")) == (
        "a.txt",
        b"hello",
    )


@pytest.mark.parametrize("path", ["S3CRET.txt", "sub", "sub/a.txt/b", "pipe", "loop", "x" * 300])
def test_what_is_no_file_is_gone(store: Path, path: str) -> None:
    """A missing file, folder, pipe or circular link is refused without blocking the worker."""
    os.mkfifo(store / "pipe")
    (store / "loop").symlink_to(store / "loop")

    assert refusal_of(local_source(store), Attachment("a", path=path)) is AttachmentReason.GONE


@pytest.mark.parametrize("url", ["file:///nowhere/at/all", "s4://bucket", "", "store"], ids=str)
def test_a_store_that_is_not_there_is_told_from_a_missing_file(url: str) -> None:
    """A missing store, such as an unmounted disk, has another reason than a missing file."""
    source = AttachmentSource(url, NO_HOST)

    reason = refusal_of(source, Attachment("a", path="S3CRET/a.txt"))

    assert reason is AttachmentReason.STORE_UNAVAILABLE


def test_a_file_at_the_limit_passes_and_one_above_does_not(store: Path) -> None:
    """A file of exactly the limit is accepted, and a larger one refused."""
    attachment = Attachment("a.txt", path="sub/a.txt")

    assert read_all(local_source(store), attachment, limit_bytes=5) == ("a.txt", b"hello")
    assert refusal_of(local_source(store), attachment, limit_bytes=4) is AttachmentReason.TOO_LARGE


def test_an_empty_file_is_refused_here(store: Path) -> None:
    """An empty file is refused before the upload, because the server's error would not name it."""
    (store / "empty").touch()

    assert refusal_of(local_source(store), Attachment("a", path="empty")) is AttachmentReason.EMPTY


def test_a_file_that_shrinks_meanwhile_is_gone(store: Path) -> None:
    """A file that shrinks during the upload is refused, since sending too few bytes would hang."""
    attachment = Attachment("a.txt", path="sub/a.txt")
    with local_source(store).open(attachment, limit_bytes=LIMIT) as file:
        (store / "sub" / "a.txt").write_bytes(b"")

        with pytest.raises(AttachmentError) as caught:
            file.stream.read(10)

    assert caught.value.reason is AttachmentReason.GONE


def test_another_kind_of_store_serves_too() -> None:
    """Any store of fsspec works, with the same rules."""
    fsspec.filesystem("memory").pipe("/prefix/sub/a.txt", b"hello")
    source = AttachmentSource("memory://prefix", NO_HOST)

    assert read_all(source, Attachment("a.txt", path="sub/a.txt")) == ("a.txt", b"hello")
    assert refusal_of(source, Attachment("a", path="sub/b.txt")) is AttachmentReason.GONE
    assert refusal_of(source, Attachment("a", path="sub")) is AttachmentReason.GONE
    assert refusal_of(source, Attachment("a", path="../x")) is AttachmentReason.OUTSIDE_STORE
