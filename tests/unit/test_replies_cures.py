"""What an operator does about a reply that is not recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.attachments import AttachmentReason
from tasks.failures import OwnReason
from tasks.mattermost import Reason
from tasks.replies.backoff import PAUSED
from tasks.replies.cures import cure_of_reply
from tasks.replies.meaning import Ignored

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference.md"
# The reasons of a reply's row that the ledger does not have.
OF_REPLIES_ALONE = (
    PAUSED,
    Ignored.UNKNOWN_THREAD.value,
    AttachmentReason.STORE_UNAVAILABLE.value,
    AttachmentReason.GONE.value,
    AttachmentReason.OUTSIDE_STORE.value,
    AttachmentReason.DOWNLOAD_FAILED.value,
    AttachmentReason.DOWNLOAD_TIMEOUT.value,
)
OF_THE_LEDGER = [str(reason.value) for reason in (*Reason, *OwnReason)]


@pytest.mark.parametrize("reason", [*OF_THE_LEDGER, *OF_REPLIES_ALONE])
def test_each_reason_has_a_cure(reason: str) -> None:
    """Each reason of a reply has a cure on the command line."""
    assert cure_of_reply(reason)


@pytest.mark.parametrize("reason", OF_REPLIES_ALONE)
def test_reasons_of_replies_alone_are_documented(reason: str) -> None:
    """The reference has each reason of replies, with the command line's cure."""
    rows = [line for line in REFERENCE.read_text().splitlines() if f"`{reason}`" in line]

    assert any(cure_of_reply(reason) in row for row in rows)


@pytest.mark.parametrize("reason", [None, "bad_luck"], ids=str)
def test_what_is_no_reason_has_no_cure(reason: str | None) -> None:
    """None or an unknown reason has no cure."""
    assert cure_of_reply(reason) == ""
