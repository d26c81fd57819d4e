"""Receive files: stream them to disk, measure them, and store their metadata."""

import mimetypes
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO

from demo.mattermost import errors
from demo.mattermost.entities import FileInfo, User
from demo.mattermost.errors import ApiError
from demo.mattermost.ids import new_id
from demo.mattermost.images import image_size
from demo.mattermost.options import Options
from demo.mattermost.state import State

# The size of one read, so that no file is ever whole in memory.
_CHUNK_BYTES = 64 * 1024

# The width of the columns in the server's table of files.
_MAX_NAME_LENGTH = 256
_MAX_EXTENSION_LENGTH = 64

# The real server also reports this size for a streamed part.
SIZE_UNKNOWN = -1


class FileStore:
    """The folder with the bytes of all files, by file id."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder, use a temporary one and remove it at the end."""
        self._temporary = folder is None
        self.folder = Path(mkdtemp(prefix="stand-in-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, file_id: str) -> Path:
        """Return the path of a file's bytes."""
        return self.folder / file_id

    def write(self, file_id: str, stream: IO[bytes], *, limit_bytes: int) -> int:
        """Stream to disk and return the size; limit + 1 means that the file is too large."""
        size = 0
        with self.path(file_id).open("wb") as file:
            while size <= limit_bytes and (chunk := stream.read(_CHUNK_BYTES)):
                file.write(chunk)
                size += len(chunk)
        return min(size, limit_bytes + 1)

    def remove(self, file_id: str) -> None:
        """Delete the bytes of a file."""
        self.path(file_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove a temporary folder."""
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that a client uploads."""

    user: User
    channel_id: str
    name: str
    stream: IO[bytes]
    arrived_at: int
    declared_bytes: int = SIZE_UNKNOWN


def save_upload(state: State, store: FileStore, upload: Upload, *, options: Options) -> FileInfo:
    """Store one file and its metadata, with the size in pixels of a picture.

    Raises:
        ApiError: the file is too large in bytes or pixels, its name is too long, or its bytes end
            early.
    """
    name = PurePosixPath(upload.name).name
    extension = PurePosixPath(name).suffix[1:].lower()
    if len(name) > _MAX_NAME_LENGTH or len(extension) > _MAX_EXTENSION_LENGTH:
        raise ApiError(errors.FILE_SAVE)
    file_id = new_id()
    try:
        size = _receive(store, file_id, upload, name=name, limit_bytes=options.MaxFileSize)
        width, height = _pixels(store, file_id, name=name, options=options)
    except (ApiError, OSError):
        store.remove(file_id)
        raise
    info = FileInfo(
        id=file_id,
        create_at=upload.arrived_at,
        update_at=upload.arrived_at,
        user_id=upload.user.id,
        channel_id=upload.channel_id,
        name=name,
        extension=extension,
        size=size,
        mime_type=mime_type(name),
        width=width,
        height=height,
    )
    with state.lock:
        state.put(info)
    return info


def _receive(store: FileStore, file_id: str, upload: Upload, *, name: str, limit_bytes: int) -> int:
    declared = upload.declared_bytes
    too_large = ApiError(errors.FILE_TOO_LARGE, name=name, size=declared, limit=limit_bytes)
    if declared > limit_bytes:
        raise too_large
    size = store.write(file_id, upload.stream, limit_bytes=limit_bytes)
    if size > limit_bytes:
        raise too_large
    if declared not in (SIZE_UNKNOWN, size):
        raise ApiError(errors.FILE_UNREADABLE)
    return size


def mime_type(name: str) -> str:
    """Return the MIME type by the extension alone, as the server does."""
    known = mimetypes.guess_type(name)[0] or ""
    return f"{known}; charset=utf-8" if known.startswith("text/") else known


def _pixels(store: FileStore, file_id: str, *, name: str, options: Options) -> tuple[int, int]:
    if not mime_type(name).startswith("image/"):
        return 0, 0
    width, height = image_size(store.path(file_id)) or (0, 0)
    if width * height > options.MaxImageResolution:
        raise ApiError(errors.IMAGE_TOO_LARGE, name=name, width=width, height=height)
    return width, height
