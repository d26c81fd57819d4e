"""Attachments and their errors: what the team reads about a missing file, and what is hidden."""

import pickle

import pytest

from tasks.attachments import Attachment, AttachmentError, AttachmentReason
from tasks.rendering import WORDINGS
from tasks.rendering.english import ENGLISH
from tasks.rendering.wording import Wording


@pytest.mark.parametrize("reason", AttachmentReason)
@pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS)
def test_every_reason_has_its_text(reason: AttachmentReason, wording: Wording) -> None:
    """Each reason for a missing file has a text without a full stop, in each language."""
    text = AttachmentError(reason).text(wording)

    assert text
    assert not text.endswith(".")


@pytest.mark.parametrize(
    ("limit_bytes", "expected"),
    [
        (100 * 1024 * 1024, "larger than this server's limit of 100 MB"),
        (50 * 1024, "larger than this server's limit of 50 kB"),
        (0, "larger than this server's limit"),
    ],
)
def test_a_limit_is_named(limit_bytes: int, expected: str) -> None:
    """The text about a file that is too large names the limit."""
    error = AttachmentError(AttachmentReason.TOO_LARGE, limit_bytes=limit_bytes)

    assert error.text(ENGLISH) == expected


def test_an_error_survives_pickling() -> None:
    """An error keeps its attributes when a prefork worker pickles it."""
    error = AttachmentError(AttachmentReason.GONE, status=410, limit_bytes=7)

    copy = pickle.loads(pickle.dumps(error))

    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


@pytest.mark.parametrize("places", [{}, {"url": "https://x/y", "path": "y"}], ids=["none", "both"])
def test_an_attachment_has_exactly_one_place(places: dict[str, str]) -> None:
    """An attachment needs a URL or a path: without either, or with both, it is refused."""
    with pytest.raises(ValueError, match="exactly one"):
        Attachment("a.png", **places)


def test_a_representation_holds_neither_name_nor_link() -> None:
    """The ``repr`` of an attachment shows neither its name nor its link."""
    shown = repr(Attachment("S3CRET.png", url="https://x/S3CRET"))

    assert "S3CRET" not in shown
