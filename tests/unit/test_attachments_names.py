"""Under which name a file is uploaded, and whether its name and type exclude a web page."""

import pytest

from tasks.attachments.names import excludes_page, upload_name


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
        pytest.param("blob", "application/x-unknown", "blob", id="unregistered-type"),
        pytest.param("blob", None, "blob", id="no-type"),
        pytest.param("../../etc/photo", "image/png", "photo.png", id="path"),
        pytest.param("Scan 12.03.2026", "image/png", "Scan 12.03.2026.png", id="date"),
        pytest.param("IMG v1.2", "image/jpeg", "IMG v1.2.jpg", id="version"),
        pytest.param("Dr. Jan passport", "image/jpeg", "Dr. Jan passport.jpg", id="title"),
        pytest.param("Dr. Jan", "text/plain", "Dr. Jan.txt", id="title-of-a-text"),
        pytest.param("Booking no.20417", "application/pdf", "Booking no.20417.pdf", id="number"),
        pytest.param("Kamer 2.a", "image/png", "Kamer 2.a.png", id="one-letter"),
        pytest.param("kassa.log", "text/plain", "kassa.log", id="kind-of-text"),
        pytest.param("main.c", "text/x-c", "main.c", id="source"),
        pytest.param("PHOTO.JPEG", "image/png", "PHOTO.JPEG", id="capitals"),
        pytest.param("backup.tar.gz", "application/gzip", "backup.tar.gz", id="two-endings"),
        pytest.param("plan.dwg", "application/octet-stream", "plan.dwg", id="unknown-ending"),
        pytest.param("Scan 12.03.2026", None, "Scan 12.03.2026", id="date-without-type"),
    ],
)
def test_a_name_without_extension_gets_that_of_its_type(
    name: str, content_type: str | None, expected: str
) -> None:
    """A name without an extension gets its type's, since the server knows pictures by extension."""
    assert upload_name(name, content_type=content_type) == expected


@pytest.mark.parametrize(
    ("content_type", "ending"),
    [
        ("image/jpg", ".jpg"),
        ("image/pjpeg", ".jpg"),
        ("image/x-png", ".png"),
        ("image/heic", ".heic"),
        ("image/svg+xml", ".svg"),
        ("image/apng", ".png"),
        ("image/x-citrix-jpeg", ".jpg"),
        ("image/heic-sequence", ".heic"),
        ("audio/x-mpeg", ".mp3"),
        ("audio/vnd.wave", ".wav"),
        ("video/avi", ".avi"),
        ("text/comma-separated-values", ".csv"),
        ("application/x-msword", ".doc"),
        ("application/vnd.ms-excel.sheet.macroEnabled.12", ".xlsm"),
        ("audio/x-m4a", ".m4a"),
        ("audio/mp3", ".mp3"),
        ("audio/x-wav", ".wav"),
        ("video/3gpp", ".3gp"),
        ("application/x-pdf", ".pdf"),
        ("application/xml", ".xml"),
        ("application/msword", ".doc"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
        ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"),
        ("application/vnd.oasis.opendocument.text", ".odt"),
        ("application/x-zip-compressed", ".zip"),
        ("text/calendar; method=REQUEST", ".ics"),
        ("text/vcard", ".vcf"),
        ("application/octet-stream", ""),
        ("", ""),
    ],
)
def test_each_common_type_has_its_ending(content_type: str, ending: str) -> None:
    """Each common MIME type gives the usual extension."""
    assert upload_name("x", content_type=content_type) == f"x{ending}"


@pytest.mark.parametrize(
    ("name", "content_type", "excluded"),
    [
        ("holiday.png", "image/png", True),
        ("holiday.png", None, True),
        ("holiday", "image/png", True),
        ("offer.pdf", "application/octet-stream", True),
        ("offer", None, False),
        ("offer", "application/octet-stream", False),
        ("page.html", None, False),
        ("page", "text/html; charset=utf-8", False),
        ("page.xhtml", "application/xhtml+xml", False),
        ("Scan 12.03.2026", None, False),
    ],
)
def test_a_name_or_a_type_can_exclude_a_web_page(
    name: str, content_type: str | None, excluded: bool
) -> None:
    """The file is no web page if its name or its type names another kind of file."""
    assert excludes_page(name, content_type=content_type) is excluded


def test_a_long_name_keeps_the_extension_it_was_given() -> None:
    """Shortening a long name does not cut off the added extension."""
    name = upload_name("x" * 400, content_type="image/png")

    assert name.endswith(".png")
    assert len(name.encode()) <= 200
