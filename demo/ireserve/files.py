"""Keep the files of the web chat in the attachment store, and send them to the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Response, abort, send_from_directory
from werkzeug.datastructures import FileStorage
from werkzeug.security import safe_join

from demo.ireserve.shown import picture_type


def keep_file(part: FileStorage, attachments: Path) -> dict[str, Any]:
    """Store an uploaded file under a new path; return the attachment."""
    path = f"uploads/{uuid4().hex}"
    target = attachments / path
    target.parent.mkdir(exist_ok=True)
    part.save(target)
    return {"name": part.filename, "path": path}


def is_kept(file: dict[str, Any], attachments: Path) -> bool:
    """Return whether an attachment's bytes are in the store."""
    path = safe_join(str(attachments), file.get("path") or "")
    return path is not None and Path(path).is_file()


def send_file(file: dict[str, Any], attachments: Path) -> Response:
    """Return an attachment's bytes: a picture to be shown, anything else to be saved.

    Answer 404 when the file is not there, or when its path leads out of the store.
    """
    if not file.get("path"):
        abort(404)
    shown_as = picture_type(file["name"])
    response = send_from_directory(
        attachments,
        file["path"],
        mimetype=shown_as or "application/octet-stream",
        as_attachment=shown_as is None,
        download_name=file["name"],
    )
    # If a browser opens an uploaded file as a page, that page can neither run nor load anything.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
