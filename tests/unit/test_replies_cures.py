"""What an operator does about a reply that is not recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.attachments import AttachmentReason
from tasks.failures import OwnReason
from tasks.mattermost import Reason
from tasks.replies.cures import cure_of_reply
from tasks.replies.meaning import Ignored

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference.md"
# The reasons of a reply's row that the ledger does not have.
OF_REPLIES_ALONE = (
    Ignored.UNKNOWN_THREAD,
    AttachmentReason.STORE_UNAVAILABLE,
    AttachmentReason.DOWNLOAD_FAILED,
    AttachmentReason.DOWNLOAD_TIMEOUT,
)


@pytest.mark.parametrize(
    "reason", [*Reason, *OwnReason, *OF_REPLIES_ALONE], ids=lambda reason: str(reason.value)
)
def test_each_reason_has_a_cure(reason: Reason | OwnReason | Ignored | AttachmentReason) -> None:
    """Each reason of a reply has a cure on the command line."""
    assert cure_of_reply(reason.value)


@pytest.mark.parametrize("reason", OF_REPLIES_ALONE, ids=lambda reason: str(reason.value))
def test_reasons_of_replies_alone_are_documented(reason: Ignored | AttachmentReason) -> None:
    """The reference has each reason of replies, with the command line's cure."""
    text = REFERENCE.read_text()

    assert f"`{reason.value}`" in text
    assert cure_of_reply(reason.value) in text


@pytest.mark.parametrize("reason", [None, "bad_luck"], ids=str)
def test_what_is_no_reason_has_no_cure(reason: str | None) -> None:
    """None or an unknown reason has no cure."""
    assert cure_of_reply(reason) == ""
