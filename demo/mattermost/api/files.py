"""Routes: uploads in both formats, and downloads."""

from io import SEEK_END

from flask import Blueprint, Response, request, send_file
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from demo.mattermost import errors
from demo.mattermost.entities import FileInfo, User
from demo.mattermost.errors import ApiError
from demo.mattermost.exchange import answer, backend, current_user, entry, require_id
from demo.mattermost.permissions import may_read_channel, may_take_part
from demo.mattermost.post_shapes import file_shape
from demo.mattermost.uploads import SIZE_UNKNOWN, Upload, save_upload

blueprint = Blueprint("files", __name__)

# The bytes that a multipart form may need around its files.
_FORM_OVERHEAD_BYTES = 512

# Types that a browser may show in place; other files are sent as a download.
_SHOWN_IN_PLACE = ("image/", "video/", "audio/")
_SECONDS_IN_30_DAYS = 2_592_000


@blueprint.post("/files")
def upload() -> Response:
    """Store files: the raw body of the request, or the files of a multipart form."""
    user = current_user()
    if not backend().options.EnableFileAttachments:
        raise ApiError(errors.FILES_DISABLED)
    if request.content_length == 0:
        raise ApiError(errors.FILE_UNREADABLE)
    if request.mimetype == "multipart/form-data":
        return _upload_form(user)
    return _upload_raw(user)


@blueprint.get("/files/<file_id>")
def get(file_id: str) -> Response:
    """Return the bytes of a file."""
    return send_bytes(_visible_file(file_id), download="download" in request.args)


@blueprint.get("/files/<file_id>/info")
def get_info(file_id: str) -> Response:
    """Return the metadata of a file."""
    response = answer(file_shape(backend().state, _visible_file(file_id)))
    response.headers["Cache-Control"] = f"max-age={_SECONDS_IN_30_DAYS}, private"
    return response


@blueprint.get("/files/<file_id>/thumbnail")
def get_thumbnail(file_id: str) -> Response:
    """Return a picture; the stand-in does not shrink it."""
    return _send_picture(file_id, missing=errors.NO_THUMBNAIL)


@blueprint.get("/files/<file_id>/preview")
def get_preview(file_id: str) -> Response:
    """Return a picture; the stand-in does not shrink it."""
    return _send_picture(file_id, missing=errors.NO_PREVIEW)


def send_bytes(info: FileInfo, *, download: bool = False) -> Response:
    """Return the answer with a file's bytes; ranges work, and no file can act as a page."""
    kind = info.mime_type or "application/octet-stream"
    in_place = kind.startswith(_SHOWN_IN_PLACE) and not download
    response = send_file(
        backend().store.path(info.id).absolute(),
        mimetype="text/plain" if kind.startswith("text/") else kind,
        as_attachment=not in_place,
        download_name=info.name,
        conditional=True,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Uncompressed-Content-Length"] = str(info.size)
    return response


def _send_picture(file_id: str, *, missing: errors.Refusal) -> Response:
    info = _visible_file(file_id)
    if not info.width:
        raise ApiError(missing)
    return send_bytes(info)


def _upload_raw(user: User) -> Response:
    channel_id = _channel_id(request.args.get("channel_id", ""), user)
    name = request.args.get("filename", "")
    if not name:
        raise ApiError(errors.INVALID_URL_PARAM, name="filename")
    length = request.content_length
    upload = Upload(
        user=user,
        channel_id=channel_id,
        name=name,
        stream=request.stream,
        arrived_at=backend().state.upload_moment(),
        declared_bytes=SIZE_UNKNOWN if length is None else length,
    )
    info = _save(upload)
    client_id = request.args.get("client_id")
    return _uploaded([info], client_ids=[client_id] if client_id else None)


def _upload_form(user: User) -> Response:
    try:
        # Werkzeug spools each part that is not small to a temporary file.
        parts = [part for _, part in request.files.items(multi=True)]
    except (HTTPException, ValueError):
        raise ApiError(errors.FILE_UNREADABLE) from None
    client_ids = request.form.getlist("client_ids")
    channel_id = _channel_id(request.form.get("channel_id", ""), user)
    if client_ids and len(client_ids) != len(parts):
        raise ApiError(errors.FILE_CLIENT_IDS, ids=len(client_ids), files=len(parts))
    _check_total(parts)
    at = backend().state.upload_moment()
    infos = [
        _save(Upload(user, channel_id, part.filename or "", part.stream, at)) for part in parts
    ]
    return _uploaded(infos, client_ids=client_ids)


def _check_total(parts: list[FileStorage]) -> None:
    """Refuse a form above the limit of one file, unless a part that is too large says so."""
    limit_bytes = backend().options.MaxFileSize
    if (request.content_length or 0) <= limit_bytes + _FORM_OVERHEAD_BYTES:
        return
    if all(_size_bytes(part) <= limit_bytes for part in parts):
        raise ApiError(errors.FILE_UNREADABLE)


def _size_bytes(part: FileStorage) -> int:
    size = part.stream.seek(0, SEEK_END)
    part.stream.seek(0)
    return size


def _save(upload: Upload) -> FileInfo:
    info = save_upload(backend().state, backend().store, upload, options=backend().options)
    entry().file_ids = (*entry().file_ids, info.id)
    return info


def _uploaded(infos: list[FileInfo], *, client_ids: list[str] | None) -> Response:
    shapes = [file_shape(backend().state, info) for info in infos]
    return answer({"file_infos": shapes, "client_ids": client_ids}, 201)


def _channel_id(channel_id: str, user: User) -> str:
    require_id(channel_id, "channel_id")
    if not may_take_part(backend().state, user, channel_id):
        raise ApiError(errors.PERMISSIONS)
    entry().channel_id = channel_id
    return channel_id


def _visible_file(file_id: str) -> FileInfo:
    user, state = current_user(), backend().state
    info = state.files.get(require_id(file_id, "file_id"))
    if info is None or info.delete_at:
        raise ApiError(errors.FILE_UNKNOWN)
    is_open = bool(info.post_id) or state.version.unattached_files_are_open
    may_read = is_open and may_read_channel(state, user, info.channel_id)
    if info.user_id != user.id and not may_read:
        raise ApiError(errors.PERMISSIONS)
    return info
