"""Open and read a message's file in a test, and list the files in a store."""

import traceback
from pathlib import Path
from typing import Any

import pytest

from tasks.attachments import Attachment, AttachmentError, AttachmentReason, AttachmentSource
from tests.wire import WireServer

LIMIT = 1_000
NO_HOST: frozenset[str] = frozenset()


def read_all(source: AttachmentSource, attachment: Attachment, **options: Any) -> tuple[str, bytes]:
    """Return the name and the bytes of a message's file."""
    with source.open(attachment, limit_bytes=options.pop("limit_bytes", LIMIT), **options) as file:
        content = file.stream.read(LIMIT)
        assert file.size_bytes == len(content)
        return file.name, content


def refusal_of(
    source: AttachmentSource, attachment: Attachment, **options: Any
) -> AttachmentReason:
    """Open a message's file that is refused; return the reason, and check that no name is shown."""
    with pytest.raises(AttachmentError) as caught:
        read_all(source, attachment, **options)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "S3CRET" not in shown
    return caught.value.reason


def local_source(store: Path) -> AttachmentSource:
    """Return a source of files with only this store."""
    return AttachmentSource(f"file://{store}", NO_HOST)


def linked_source(server: WireServer, bundle: str, **options: Any) -> AttachmentSource:
    """Return a source of files for which this server is an allowed host."""
    hosts = options.pop("hosts", frozenset({f"localhost:{server.port}"}))
    return AttachmentSource("file:///nowhere", hosts, ca_bundle=bundle, **options)


def link_to(server: WireServer, path: str = "/f?sig=S3CRET") -> Attachment:
    """Return a message's file with a link to this server."""
    return Attachment("S3CRET", url=server.url + path)


def files_in(store: Path) -> list[str]:
    """Return the paths of the files in a store, relative to it."""
    return [str(each.relative_to(store)) for each in store.rglob("*") if each.is_file()]
