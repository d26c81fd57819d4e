"""The name under which a file is uploaded."""

import pytest

from tasks.attachments.names import upload_name


@pytest.mark.parametrize(
    ("name", "content_type", "expected"),
    [
        pytest.param("photo.png", "image/jpeg", "photo.png", id="extension-kept"),
        pytest.param("photo", "image/jpeg", "photo.jpg", id="jpeg"),
        pytest.param("photo", "IMAGE/PNG; charset=binary", "photo.png", id="parameters"),
        pytest.param("voice", "audio/ogg", "voice.ogg", id="ogg"),
        pytest.param("offer", "application/pdf", "offer.pdf", id="pdf"),
        pytest.param("offer.", "application/pdf", "offer.pdf", id="dot-at-the-end"),
        pytest.param("notes", "text/plain; charset=utf-8", "notes.txt", id="text"),
        pytest.param("blob", "application/octet-stream", "blob", id="unknown-type"),
        pytest.param("blob", "application/x-of-nobody", "blob", id="type-of-nobody"),
        pytest.param("blob", None, "blob", id="no-type"),
        pytest.param("../../etc/photo", "image/png", "photo.png", id="path"),
    ],
)
def test_a_name_without_extension_gets_that_of_its_type(
    name: str, content_type: str | None, expected: str
) -> None:
    """The server takes a file for a picture by its extension alone."""
    assert upload_name(name, content_type=content_type) == expected


def test_a_long_name_keeps_the_extension_it_was_given() -> None:
    """The added extension is not what is cut off again."""
    name = upload_name("x" * 400, content_type="image/png")

    assert name.endswith(".png")
    assert len(name.encode()) <= 200
