"""Turn a message's attachment into a stream that can be uploaded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ireserve_mattermost.messages import Attachment
from tasks.attachments.downloads import DownloadLimits, Downloads
from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.attachments.names import ending_of, excludes_page, is_page, upload_name
from tasks.attachments.store import AttachmentStore
from tasks.mattermost.exchange import Stopping
from tasks.mattermost.files import Readable

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 20.0
# Enough for 100 MB at 3 Mbit/s. The conversation's later messages wait meanwhile.
TOTAL_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class OpenedAttachment:
    """A file ready for upload, with a safe name and its exact size."""

    name: str = field(repr=False)
    size_bytes: int
    stream: Readable = field(repr=False)


class AttachmentSource:
    """The source of attachments: one store, and the hosts to which links may lead.

    Without hosts no link is followed. The source is safe to share between threads.
    """

    def __init__(
        self,
        store_url: str,
        allowed_hosts: frozenset[str],
        *,
        ca_bundle: str | None = None,
        proxy_url: str | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
        total_timeout_s: float = TOTAL_TIMEOUT_S,
        stopping: Stopping | None = None,
    ) -> None:
        self._store = AttachmentStore(store_url)
        self._downloads = Downloads(
            allowed_hosts,
            limits=DownloadLimits(connect_timeout_s, read_timeout_s, total_timeout_s),
            ca_bundle=ca_bundle,
            proxy_url=proxy_url,
            stopping=stopping,
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._downloads.close()

    @contextmanager
    def open(
        self,
        attachment: Attachment,
        *,
        limit_bytes: int,
        on_progress: Callable[[], None] | None = None,
    ) -> Iterator[OpenedAttachment]:
        """Yield the file, open for one upload; a link is downloaded first, to disk.

        ``on_progress`` is called about once a second during a download. Its errors pass through.

        Raises:
            AttachmentError: the file is unavailable; the stream may raise this too.
        """
        content_type = attachment.content_type
        if attachment.path is not None:
            with self._store.open(attachment.path) as stored:
                _check_size(stored.size_bytes, limit_bytes=limit_bytes)
                name = upload_name(attachment.name, content_type=content_type)
                yield OpenedAttachment(name, stored.size_bytes, stored.stream)
            return
        with self._downloads.fetch(
            attachment.url or "", limit_bytes=limit_bytes, on_progress=on_progress
        ) as file:
            _check_size(file.size_bytes, limit_bytes=limit_bytes)
            _check_type(attachment, file.content_type)
            told = content_type if ending_of(content_type) else file.content_type
            name = upload_name(attachment.name, content_type=told)
            yield OpenedAttachment(name, file.size_bytes, file.stream)


def _check_size(size_bytes: int, *, limit_bytes: int) -> None:
    if size_bytes == 0:
        raise AttachmentError(AttachmentReason.EMPTY)
    if size_bytes > limit_bytes:
        raise AttachmentError(AttachmentReason.TOO_LARGE, limit_bytes=limit_bytes)


def _check_type(attachment: Attachment, told: str) -> None:
    """Refuse a web page that the host sends instead of the file, usually a page to sign in."""
    is_excluded = excludes_page(attachment.name, content_type=attachment.content_type)
    if is_page(told) and is_excluded:
        raise AttachmentError(AttachmentReason.WEB_PAGE)
